package onboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
)

const (
	sweepEvery  = 6 * time.Hour
	sweepAgain  = 2 * time.Minute // after a sweep that left something over
	sweepRetry  = time.Minute     // after one that failed
	sweepAtOnce = 8
	// A sweep does not end with one call that fails without a word about the account.
	sweepTurns    = 3  // for such an account in one sweep
	sweepPatience = 10 // such calls in a row, and WeChat is taken for away
	// settleTime is how long the push and the redirect of an authorization have
	// before the list is acted on: they know the attempt, the list does not.
	settleTime = 2 * time.Minute
)

// DifferenceKind is what kind of difference there is between WeChat's list and
// the store.
type DifferenceKind string

// The kinds, in the order in which a Diff lists them.
const (
	DiffAdded   DifferenceKind = "added"   // listed, and not held or only as a tombstone
	DiffChanged DifferenceKind = "changed" // listed with another token or a newer time than held, or what is held does not open
	DiffGone    DifferenceKind = "gone"    // held and not listed
)

// Difference is one account about which WeChat's list and the store do not agree.
type Difference struct {
	Kind         DifferenceKind
	AppID        AppID
	Standing     Standing  // as held; empty for an account that is not known
	AuthorizedAt time.Time // by the list; zero for an account that is gone
	// Young is true when the authorization is so new that its push or redirect may
	// still be on its way. It is left to the next sweep.
	Young bool

	row  Authorizer
	held Holding
}

// Diff is the comparison of WeChat's whole list with the store.
type Diff struct {
	ReadAt       time.Time
	Listed, Held int // rows of the list; accounts that are served or quarantined here
	Differences  []Difference
}

// Diff reads WeChat's list to its end and says where the store differs. It
// changes nothing. After an error nothing is known: a part of the list proves
// nothing.
func (s *Service) Diff(ctx context.Context) (Diff, error) { return s.Compare(ctx, nil) }

// Compare is Diff with somebody listening: told, when not nil, hears after each
// page of the list how many rows were read and how many there are.
func (s *Service) Compare(ctx context.Context, told func(read, total int)) (Diff, error) {
	// What is held is read first: whatever changes while the list is read makes a
	// difference that Repair finds to be none.
	holdings, err := s.store.Holdings(ctx)
	if err != nil {
		return Diff{}, err
	}
	if err := s.roster.lock(ctx); err != nil {
		return Diff{}, err
	}
	defer s.roster.unlock()
	d := Diff{ReadAt: s.now()}
	rows, err := s.readRoster(ctx, told)
	if err != nil {
		return Diff{}, fmt.Errorf("reading the list of accounts: %w", err)
	}
	s.roster.rows, s.roster.readAt = rows, d.ReadAt
	failpoint.Hit("sweep.after_list")
	d.Listed = len(rows)
	known := make(map[AppID]bool, len(holdings))
	for _, h := range holdings {
		known[h.AppID] = true
		if h.Standing == Active || h.Standing == Quarantined {
			d.Held++
		}
		row, listed := rows[h.AppID]
		if kind, differs := compare(row, listed, h); differs {
			d.Differences = append(d.Differences, s.difference(kind, row, h, d.ReadAt))
		}
	}
	for _, row := range rows {
		if !known[row.AppID] {
			d.Differences = append(d.Differences, s.difference(DiffAdded, row, Holding{AppID: row.AppID}, d.ReadAt))
		}
	}
	order := []DifferenceKind{DiffAdded, DiffChanged, DiffGone}
	slices.SortFunc(d.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.AppID, b.AppID))
	})
	return d, nil
}

func (s *Service) difference(kind DifferenceKind, row Authorizer, h Holding, now time.Time) Difference {
	d := Difference{Kind: kind, AppID: h.AppID, Standing: h.Standing, row: row, held: h}
	if kind != DiffGone {
		d.AuthorizedAt = row.AuthorizedAt
		d.Young = !h.Damaged && now.Sub(row.AuthorizedAt) < settleTime
	}
	return d
}

// compare tells whether a row of the list, or its absence, differs from what is
// held of that account.
func compare(row Authorizer, listed bool, h Holding) (DifferenceKind, bool) {
	switch {
	case h.Standing == Revoked:
		// A row that is older than the withdrawal is one that the list has yet to drop.
		return DiffAdded, listed && !row.AuthorizedAt.IsZero() && !row.AuthorizedAt.Before(h.RevokedAt.Truncate(time.Second))
	case !listed:
		return DiffGone, true
	case h.Standing == NeedsRescan || h.Damaged:
		return DiffChanged, true
	case row.Refresh.Empty():
		// WeChat does not tell the token, so the time has to do.
		return DiffChanged, row.AuthorizedAt.After(h.AuthorizedAt.Add(clockDoubt)) || h.Refresh.Empty() && !h.NoAPI
	}
	return DiffChanged, row.Refresh != h.Refresh
}

// Repair is what became of a Difference.
type Repair string

// The ends of a repair.
const (
	RepairAdded     Repair = "added"     // the account is served now
	RepairRepaired  Repair = "repaired"  // its tokens, and its grants where they differed, were replaced
	RepairRevoked   Repair = "revoked"   // it is a tombstone now
	RepairUnchanged Repair = "unchanged" // it had been set right meanwhile
	RepairPostponed Repair = "postponed" // too young, or somebody else is at it; the next sweep looks again
)

// Repair sets one difference right. It believes the list only with a second
// proof: a token is stored after a refresh with it worked, and an account is
// taken for gone after WeChat refused its details too. Without the proof it
// changes nothing and returns an error. It may be repeated.
func (s *Service) Repair(ctx context.Context, d Difference) (Repair, error) {
	if d.Young {
		return RepairPostponed, nil
	}
	if err := s.pace.wait(ctx); err != nil {
		return "", err
	}
	failpoint.Hit("sweep.before_repair")
	defer s.tokens.drop(d.AppID)
	if d.Kind == DiffGone {
		return s.repairGone(ctx, d)
	}
	return s.repairListed(ctx, d)
}

// repairGone tombstones an account of which WeChat's details say too that it is
// not ours any more.
func (s *Service) repairGone(ctx context.Context, d Difference) (Repair, error) {
	_, _, err := s.details(ctx, d.AppID)
	switch {
	case err == nil:
		return RepairPostponed, nil // the list does not have it yet
	case !refusesToken(err):
		return "", err
	}
	// Earlier by as much as WeChat's clock may be behind ours: an authorization
	// that follows must not look older than this.
	now := s.now()
	revoked, err := s.store.SaveGone(ctx, d.AppID, d.held.AuthorizedAt, now.Add(-clockDoubt), now)
	if err != nil {
		return "", err
	}
	failpoint.Hit("sweep.after_revoke")
	if !revoked {
		return RepairUnchanged, nil
	}
	s.log.InfoContext(ctx, "a merchant withdrew, which no push told", "appid", string(d.AppID))
	return RepairRevoked, nil
}

// repairListed adds an account, or replaces what is held of it.
func (s *Service) repairListed(ctx context.Context, d Difference) (Repair, error) {
	var lease *Due
	if d.Standing == Active || d.Standing == Quarantined {
		held, err := s.store.Credentials(ctx, d.AppID)
		if err == nil && !d.row.Refresh.Empty() && held.Refresh == d.row.Refresh {
			return RepairUnchanged, nil
		}
		if !d.held.NoAPI {
			// Both the claim and its end are made although the turn is over meanwhile: a
			// lease that nobody knows of keeps the account from the next turn.
			claiming, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			now := s.now()
			due, ok, err := s.store.ClaimAccount(claiming, d.AppID, now, now.Add(dueLease))
			cancel()
			if err != nil {
				return "", err
			}
			if !ok {
				return RepairPostponed, nil // it is being refreshed
			}
			lease = &due
		}
	}
	superseded, err := s.restore(ctx, d.row)
	if err != nil {
		if lease != nil { // upkeep, which has doubts of its own, looks at it next
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			now := s.now()
			_, endErr := s.store.SaveRefreshed(ending, []Refreshed{{AppID: d.AppID, Fence: lease.Fence, DueAt: now, Now: now, Failure: reason(err), Platform: true}})
			err = errors.Join(err, endErr)
		}
		return "", err
	}
	failpoint.Hit("sweep.after_save")
	switch {
	case superseded:
		return RepairUnchanged, nil
	case d.Kind == DiffAdded:
		s.log.WarnContext(ctx, "an account was found in WeChat's list that no push had told", "appid", string(d.AppID))
		return RepairAdded, nil
	}
	s.log.WarnContext(ctx, "what was held of an account differed from WeChat's list", "appid", string(d.AppID))
	return RepairRepaired, nil
}

// restore gets the whole authorization of a listed account anew and stores it.
// It ends a lease on the account. The error refusesToken when no token worked or
// is known of an account that had one.
func (s *Service) restore(ctx context.Context, row Authorizer) (superseded bool, err error) {
	auth, err := s.regain(ctx, row)
	if err != nil {
		return false, err
	}
	held, err := s.store.Account(ctx, row.AppID)
	if err != nil && !errors.Is(err, ErrNoRow) {
		return false, err
	}
	if auth.Tokens.Access.Empty() && err == nil && !held.NoAPI {
		return false, errNoToken
	}
	now := s.now()
	a := Arrived{
		AppID: row.AppID, Grants: auth.Grants.Normalize(), Tokens: auth.Tokens, Standing: Active,
		// The time of the list orders events less surely than that of a push: a
		// push of the same authorization may yet come.
		At: row.AuthorizedAt, LocalTime: true, DueAt: dueAt(row.AppID, now, auth.Tokens.Life), Now: now,
	}
	if !held.AuthorizedAt.Before(a.At) {
		a.At, a.LocalTime = held.AuthorizedAt, held.LocalTime
	}
	if auth.Grants == nil { // WeChat did not tell them
		a.Grants = held.Grants
	}
	if held.Standing == Quarantined || held.Standing == Refused {
		a.Standing = held.Standing
	}
	failpoint.Hit("sweep.before_save")
	// A refresh may have replaced the token at WeChat: it is stored although the
	// caller's time may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.store.SaveRecovered(ctx, a)
}

// Swept counts what a sweep did.
type Swept struct {
	At                                                    time.Time
	Listed, Added, Repaired, Revoked, Postponed, Failures int
}

// Sweep makes the store agree with WeChat's list: unknown accounts are added,
// changed tokens replaced and those that are gone tombstoned. The error is of the
// list, of the platform as a whole or of the store; a failure of single accounts
// is counted.
func (s *Service) Sweep(ctx context.Context) (Swept, error) {
	failpoint.Hit("sweep.begin")
	if err := s.HandleArrivals(ctx); err != nil {
		return Swept{}, err
	}
	d, err := s.Diff(ctx)
	if err != nil {
		return Swept{}, err
	}
	return s.Apply(ctx, d, nil)
}

// Apply sets the differences of a comparison right, several at a time. ended, when
// not nil, hears how each came out; it is not called twice at one time. The error
// is of the platform as a whole or of the store, and then the rest was left as it
// is; a failure of single accounts is counted.
func (s *Service) Apply(ctx context.Context, d Diff, ended func(Difference, Repair, error)) (Swept, error) {
	r := repairs{swept: Swept{At: d.ReadAt, Listed: d.Listed}, ended: ended}
	for left := d.Differences; len(left) > 0; left = r.again {
		r.again = nil
		r.turns++
		s.repairAll(ctx, &r, left)
		if r.fatal != nil {
			return r.swept, r.fatal
		}
	}
	swept := r.swept
	if err := s.store.SaveSwept(ctx, d.ReadAt); err != nil {
		return swept, err
	}
	if swept.Postponed+swept.Failures > 0 {
		s.sweeping.mu.Lock()
		s.sweeping.again = s.now().Add(sweepAgain)
		s.sweeping.mu.Unlock()
	}
	failpoint.Hit("sweep.after_end")
	s.log.InfoContext(ctx, "compared with WeChat's list", "listed", swept.Listed, "added", swept.Added, "repaired", swept.Repaired,
		"revoked", swept.Revoked, "postponed", swept.Postponed, "failures", swept.Failures)
	return swept, nil
}

// repairs is how far the differences of one comparison are set right.
type repairs struct {
	ended func(Difference, Repair, error)
	turns int

	mu    sync.Mutex
	swept Swept
	row   int          // failures in a row that say nothing about the account
	again []Difference // that failed so, for the next turn
	fatal error
}

// repairAll sets differences right, until one failure stops them all.
func (s *Service) repairAll(ctx context.Context, r *repairs, all []Difference) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, sweepAtOnce)
	for _, diff := range all {
		slots <- struct{}{}
		r.mu.Lock()
		stop := r.fatal != nil
		r.mu.Unlock()
		if stop {
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			var end Repair
			err := rescue.Do(func() (err error) {
				end, err = s.Repair(ctx, diff)
				return err
			})
			if err != nil {
				s.log.WarnContext(ctx, "an account could not be set right", append(rescue.Attrs(err), "appid", string(diff.AppID), "difference", string(diff.Kind))...)
			}
			r.end(diff, end, err)
		})
	}
}

// end takes note of how one came out. One answer that cannot be read does not stop
// the others: the account gets another turn. Several in a row do.
func (r *repairs) end(diff Difference, end Repair, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || !platformWide(err) {
		r.row = 0
	} else {
		r.row++
		if up, ok := errors.AsType[*UpstreamError](err); ok && up.Reaction == Backoff && r.row < sweepPatience && r.turns < sweepTurns {
			r.again = append(r.again, diff)
			return
		}
		r.fatal = err
	}
	if err != nil {
		r.swept.Failures++
	}
	r.swept.count(end)
	if r.ended != nil {
		r.ended(diff, end, err)
	}
}

func (w *Swept) count(end Repair) {
	switch end {
	case RepairAdded:
		w.Added++
	case RepairRepaired:
		w.Repaired++
	case RepairRevoked:
		w.Revoked++
	case RepairPostponed:
		w.Postponed++
	}
}

// sweeping is what this process remembers of sweeps.
type sweeping struct {
	mu       sync.Mutex
	begun    bool      // a whole one since the start of the process
	again    time.Time // the next is due then at the latest; zero for none
	notYet   time.Time // none before it, because the last one failed
	verified bool      // the store is known not to be unverified
	told     bool      // the log says that it is
}

// KeepSwept sweeps when the process begins, every six hours, soon after a sweep
// that left something over, and while the store is unverified. Without a ticket
// it waits for one.
func (s *Service) KeepSwept(ctx context.Context) error {
	now := s.now()
	state, err := s.store.SweepState(ctx)
	if err != nil {
		return err
	}
	s.sweeping.mu.Lock()
	due := !s.sweeping.begun || state.Unverified || now.Sub(state.At) >= sweepEvery || state.At.After(now) ||
		!s.sweeping.again.IsZero() && !now.Before(s.sweeping.again)
	due = due && !now.Before(s.sweeping.notYet)
	if state.Unverified && !s.sweeping.told {
		s.sweeping.told = true
		s.log.WarnContext(ctx, "the database was restored: no token of before is served until all accounts are compared with WeChat's list")
	}
	s.sweeping.mu.Unlock()
	if !due {
		return nil
	}
	tickets, err := s.store.Tickets(ctx)
	if err != nil || len(tickets) == 0 || now.Sub(tickets[0].ReceivedAt) >= TicketLife {
		return err
	}
	swept, err := s.Sweep(ctx)
	s.sweeping.mu.Lock()
	defer s.sweeping.mu.Unlock()
	if err != nil {
		// One that set much right until its turn was over goes on with the next.
		if !errors.Is(err, context.DeadlineExceeded) || swept.Added+swept.Repaired+swept.Revoked == 0 {
			s.sweeping.notYet = now.Add(sweepRetry)
		}
		return err
	}
	s.sweeping.begun, s.sweeping.again = true, time.Time{}
	if swept.Postponed+swept.Failures > 0 {
		s.sweeping.again = now.Add(sweepAgain)
	}
	return nil
}

// verified refuses while the store is unverified: after a restore its tokens may
// be old, and one that is known to be doubtful is not served.
func (s *Service) verified(ctx context.Context) error {
	unverified, err := s.unverified(ctx)
	if err == nil && unverified {
		err = Errorf(Unavailable, KeyBlockedWeChat, "the database was restored and is not yet compared with WeChat's list")
	}
	return err
}

// unverified asks the store until it has been verified once.
func (s *Service) unverified(ctx context.Context) (bool, error) {
	s.sweeping.mu.Lock()
	ok := s.sweeping.verified
	s.sweeping.mu.Unlock()
	if ok {
		return false, nil
	}
	state, err := s.store.SweepState(ctx)
	if err != nil || state.Unverified {
		return state.Unverified, err
	}
	s.sweeping.mu.Lock()
	s.sweeping.verified = true // a restore needs the program stopped
	s.sweeping.mu.Unlock()
	return false, nil
}
