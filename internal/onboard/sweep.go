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
)

const (
	sweepEvery = 6 * time.Hour
	sweepAgain = 2 * time.Minute // after a sweep that left something over
	sweepRetry = time.Minute     // after one that failed
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
