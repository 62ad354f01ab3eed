package onboard

import (
	"context"
	"time"
)

const rosterFresh = 10 * time.Second // for a person who asks again and again

// Check looks whether WeChat already holds what a person says is done. It handles
// what has arrived, and where one account was asked for it looks that account up
// in WeChat's list, so that even a lost redirect and a lost push together lose
// nothing. For other attempts the list cannot tell whose account is whose.
func (s *Service) Check(ctx context.Context, id string) (found bool, err error) {
	if err := s.HandleArrivals(ctx); err != nil {
		return false, err
	}
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return false, err
	}
	if !a.FinishedAt.IsZero() {
		return true, nil
	}
	if a.BizAppID == "" || a.HandedOffAt.IsZero() {
		return false, nil
	}
	row, ok, err := s.listed(ctx, a.BizAppID, rosterFresh)
	if err != nil {
		return false, s.block(ctx, id, err)
	}
	// auth_time has whole seconds and WeChat's clock; a minute covers both.
	if !ok || row.AuthorizedAt.Before(a.HandedOffAt.Add(-time.Minute)) {
		return false, nil
	}
	handoffs, err := s.store.Handoffs(ctx, id)
	if err != nil || len(handoffs) == 0 {
		return false, err
	}
	now := s.now()
	arrival := Arrival{
		Type: RedirectEvent, AppID: a.BizAppID, AttemptID: id, HandoffID: handoffs[0].ID,
		CodeHash:  s.hasher.Hash("list", id+" "+row.AuthorizedAt.UTC().Format(time.RFC3339)),
		CreatedAt: row.AuthorizedAt,
	}
	claim, err := s.store.ClaimExchange(ctx, arrival.CodeHash, arrival.HandoffID, now, now.Add(exchangeLease))
	if err != nil || !claim.Won {
		return claim.Done, err
	}
	auth, err := s.recover(ctx, a.BizAppID, row.AuthorizedAt)
	if err == nil {
		err = s.arrived(ctx, arrival, claim, auth)
	}
	if err != nil {
		if failErr := s.store.FailExchange(context.WithoutCancel(ctx), arrival.CodeHash, claim.Fence, false, s.now()); failErr != nil {
			s.log.ErrorContext(ctx, "giving a claim back failed", "attempt", id, "err", failErr)
		}
		return false, err
	}
	return true, nil
}
