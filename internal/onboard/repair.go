package onboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
)

const (
	sweepAtOnce = 8
	// A sweep does not end with one call that fails without a word about the account.
	sweepTurns    = 3  // for such an account in one sweep
	sweepPatience = 10 // such calls in a row, and WeChat is taken for away
)

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
			_, endErr := s.store.SaveRefreshed(ending, []Refreshed{{AppID: d.AppID, Fence: lease.Fence, WasDueAt: lease.DueAt, DueAt: now, Now: now, Failure: reason(err), Platform: true}})
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
