package admin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"usher/internal/onboard"
	"usher/internal/rescue"
)

// Roster is what a reconciliation asks of the merchants' side; [onboard.Service]
// is the one there is.
type Roster interface {
	Compare(ctx context.Context, told func(read, total int)) (onboard.Diff, error)
	Apply(ctx context.Context, d onboard.Diff, ended func(onboard.Difference, onboard.Repair, error)) (onboard.Swept, error)
}

// ReconcileStore is what a reconciliation asks of storage.
type ReconcileStore interface {
	// SweepState reads when the store last agreed with WeChat's whole list.
	SweepState(ctx context.Context) (onboard.SweepState, error)
}

// Phase is how far a reconciliation is.
type Phase string

// The phases. A person looks at the differences between the two halves.
const (
	PhaseReading  Phase = "reading"  // WeChat's list
	PhaseCompared Phase = "compared" // the differences are shown
	PhaseApplying Phase = "applying"
	PhaseApplied  Phase = "applied"
	PhaseFailed   Phase = "failed"
)

// Busy reports whether the run goes on by itself.
func (p Phase) Busy() bool { return p == PhaseReading || p == PhaseApplying }

// Run is one reconciliation as it stands. The zero Run is none.
type Run struct {
	ID          string
	Phase       Phase
	By          string // name of the admin who began it
	BeganAt     time.Time
	EndedAt     time.Time // of the half that ended last
	Read, Total int       // rows of WeChat's list
	Listed      int       // rows in all; Held is what is served here
	Held        int
	Counts      map[onboard.DifferenceKind]int
	Young       int // differences left to the next sweep
	Done        int // differences that were dealt with
	Result      onboard.Swept
	Reason      string // why it failed, see onboard.Reason
	Broken      bool   // it failed while it applied: some are done, the rest is not
}

// Differences is how many there are in all.
func (r Run) Differences() int {
	return r.Counts[onboard.DiffAdded] + r.Counts[onboard.DiffChanged] + r.Counts[onboard.DiffGone]
}

// RunRow is one difference of a Run.
type RunRow struct {
	onboard.Difference
	Name   string         // of an account that is known; may be empty
	End    onboard.Repair // empty before it was dealt with
	Reason string         // why that failed
}

// diffLife is how long a comparison may be applied. Each difference is proven again
// then, so an old one does no harm; but nobody should act on what they no longer see.
const diffLife = 30 * time.Minute

// Sentences about reconciliations, as keys of the catalogs.
const (
	KeyRunBusy  onboard.Key = "reconcile.error.busy"
	KeyRunStale onboard.Key = "reconcile.error.stale"
)

// Reconciler compares the store with WeChat's list and applies what a person has
// seen. One run goes on at a time, in the process and not in a request, so that a
// page can be left. The newest run is remembered until the next.
type Reconciler struct {
	roster  Roster
	console *Service
	log     *slog.Logger
	jobs    chan func(context.Context)

	mu   sync.Mutex
	run  Run
	diff onboard.Diff
	ends map[onboard.AppID]runEnd
}

type runEnd struct {
	end    onboard.Repair
	reason string
}

// NewReconciler makes a Reconciler; nothing goes on until Run is called.
func NewReconciler(roster Roster, console *Service, log *slog.Logger) *Reconciler {
	return &Reconciler{roster: roster, console: console, log: log, jobs: make(chan func(context.Context), 1)}
}

// Run does what was begun until ctx ends. What is under way is cut off then; each
// account is right or as it was.
func (r *Reconciler) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case job := <-r.jobs:
			job(ctx)
		}
	}
}

// Now returns the newest run.
func (r *Reconciler) Now() Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run
}

// Rows lists up to limit differences of a kind, from the offset on, as they stand.
func (r *Reconciler) Rows(ctx context.Context, kind onboard.DifferenceKind, offset, limit int) ([]RunRow, error) {
	r.mu.Lock()
	var rows []RunRow
	for _, d := range r.diff.Differences {
		if d.Kind != kind {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		if len(rows) == limit {
			break
		}
		e := r.ends[d.AppID]
		rows = append(rows, RunRow{Difference: d, End: e.end, Reason: e.reason})
	}
	r.mu.Unlock()
	for i := range rows {
		a, err := r.console.store.Account(ctx, rows[i].AppID)
		if err != nil && !isNoRow(err) {
			return nil, err
		}
		rows[i].Name = a.Profile.Nickname
	}
	return rows, nil
}

// Begin compares. A comparison that was not applied is forgotten.
func (r *Reconciler) Begin(ctx context.Context) error {
	actor := ActorOf(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run.Phase.Busy() {
		return onboard.Errorf(onboard.Invalid, KeyRunBusy, "a reconciliation of %s goes on", r.run.By)
	}
	r.run = Run{ID: newID(), Phase: PhaseReading, By: actor.Admin.Name, BeganAt: r.console.now()}
	r.diff, r.ends = onboard.Diff{}, map[onboard.AppID]runEnd{}
	if err := r.console.Audit(ctx, Entry{Action: "reconcile.begin"}); err != nil {
		r.run = Run{}
		return err
	}
	r.jobs <- func(ctx context.Context) { r.compare(With(ctx, actor)) }
	return nil
}

func (r *Reconciler) compare(ctx context.Context) {
	var d onboard.Diff
	err := rescue.Do(func() (err error) {
		d, err = r.roster.Compare(ctx, func(read, total int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.run.Read, r.run.Total = read, total
		})
		return err
	})
	run := r.Now()
	run.Phase, run.Listed, run.Held, run.Counts = PhaseCompared, d.Listed, d.Held, map[onboard.DifferenceKind]int{}
	for _, x := range d.Differences {
		run.Counts[x.Kind]++
		if x.Young {
			run.Young++
		}
	}
	r.end(ctx, "reconcile.compare", run, d, err)
}

// Apply applies what the run id showed, and nothing else.
func (r *Reconciler) Apply(ctx context.Context, id string) error {
	actor := ActorOf(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.run.Phase.Busy():
		return onboard.Errorf(onboard.Invalid, KeyRunBusy, "a reconciliation of %s goes on", r.run.By)
	case r.run.ID != id || r.run.Phase != PhaseCompared || r.console.now().Sub(r.run.EndedAt) > diffLife:
		return onboard.Errorf(onboard.Invalid, KeyRunStale, "run %q in phase %q cannot be applied any more", id, r.run.Phase)
	}
	if err := r.console.Audit(ctx, Entry{Action: "reconcile.apply", After: tally(r.run)}); err != nil {
		return err
	}
	r.run.Phase = PhaseApplying
	diff := r.diff
	r.jobs <- func(ctx context.Context) { r.apply(With(ctx, actor), diff) }
	return nil
}

func (r *Reconciler) apply(ctx context.Context, diff onboard.Diff) {
	var swept onboard.Swept
	err := rescue.Do(func() (err error) {
		swept, err = r.roster.Apply(ctx, diff, func(d onboard.Difference, end onboard.Repair, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.run.Done++
			e := runEnd{end: end}
			if err != nil {
				e.reason = onboard.Reason(err)
			}
			r.ends[d.AppID] = e
		})
		return err
	})
	run := r.Now()
	run.Phase, run.Result, run.Broken = PhaseApplied, swept, err != nil
	r.end(ctx, "reconcile.end", run, diff, err)
}

// end writes the result of a half to the audit and then shows it. What was done
// stays done when the audit fails, so that is only logged.
func (r *Reconciler) end(ctx context.Context, action string, run Run, diff onboard.Diff, failure error) {
	run.EndedAt = r.console.now()
	if failure != nil {
		run.Phase, run.Reason = PhaseFailed, onboard.Reason(failure)
		r.log.ErrorContext(ctx, "a reconciliation failed", rescue.Attrs(failure)...)
	}
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.console.Audit(saving, Entry{Action: action, After: tally(run)}); err != nil {
		r.log.ErrorContext(ctx, "the result of a reconciliation is not in the audit", "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run, r.diff = run, diff
}

// Stale reports whether the newest comparison is too old to be applied.
func (r *Reconciler) Stale() bool {
	run := r.Now()
	return run.Phase == PhaseCompared && r.console.now().Sub(run.EndedAt) > diffLife
}
