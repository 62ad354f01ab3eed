package onboard

import (
	"context"
	"errors"
	"slices"
	"time"

	"usher/internal/failpoint"
)

const exchangeLease = 40 * time.Second // longer than any call to WeChat may take

// finish spends the code of an arrival, exactly once over all witnesses of it,
// and stores what came of it. The other witness attaches.
func (s *Service) finish(ctx context.Context, a Arrival, e Event) (Outcome, AppID, error) {
	now := s.now()
	claim, err := s.store.ClaimExchange(ctx, a.CodeHash, a.HandoffID, now, now.Add(exchangeLease))
	switch {
	case err != nil:
		return "", "", err
	case claim.Done:
		return s.attach(ctx, a, claim)
	case !claim.Won && !claim.Failed:
		return "", "", errNotYet
	}
	if claim.Won {
		failpoint.Hit("exchange.after_claim")
		older, err := s.outdated(ctx, a)
		if err == nil && older {
			return s.overtaken(ctx, a, claim, a.CreatedAt)
		}
		if err != nil {
			return "", "", errors.Join(err, s.store.FailExchange(ctx, a.CodeHash, claim.Fence, false, now))
		}
	}
	if claim.Failed {
		if older, err := s.outdated(ctx, a); err != nil || older {
			return Ignored, a.AppID, err
		}
	}
	failpoint.Hit("exchange.before_http")
	if s.late(ctx, now.Add(exchangeLease)) {
		return "", "", errNotYet
	}
	auth, recovered, err := s.exchange(ctx, a, e, claim)
	failpoint.Hit("exchange.after_http")
	if err != nil {
		return s.exchangeFailed(ctx, a, claim, recovered, err)
	}
	if auth.AppID == "" { // the code is spent and nobody says whose it was
		return Ignored, "", nil
	}
	if claim.Won && !recovered { // what the list gave is the newest
		begun, older, err := s.replaced(ctx, a, auth)
		if err != nil {
			s.log.WarnContext(ctx, "whether an authorization is late could not be told; it counts", "appid", string(auth.AppID), "err", err)
		} else if older {
			a.AppID = auth.AppID
			return s.overtaken(ctx, a, claim, begun)
		}
	}
	if err := s.arrived(ctx, a, claim, auth); err != nil {
		return "", auth.AppID, err
	}
	return Handled, auth.AppID, nil
}

// outdated reports whether what a push announces is already history.
func (s *Service) outdated(ctx context.Context, a Arrival) (bool, error) {
	if a.Type == RedirectEvent || a.AppID == "" {
		return false, nil
	}
	account, err := s.store.Account(ctx, a.AppID)
	if err != nil {
		if errors.Is(err, ErrNoRow) {
			err = nil
		}
		return false, err
	}
	newest := account.AuthorizedAt
	if account.LocalTime {
		newest = newest.Add(-clockDoubt)
	}
	return a.CreatedAt.Before(newest) || a.CreatedAt.Before(account.RevokedAt), nil
}

// overtaken ends an arrival whose news of the time at is history: a newer
// authorization or a withdrawal is stored, and the code's tokens are dead. Its
// attempt ends with the account as it is.
func (s *Service) overtaken(ctx context.Context, a Arrival, claim ExchangeClaim, at time.Time) (Outcome, AppID, error) {
	account, err := s.store.Account(ctx, a.AppID)
	if err != nil {
		return "", "", err
	}
	var attempt Attempt
	if a.AttemptID != "" {
		if attempt, err = s.store.Attempt(ctx, a.AttemptID); err != nil && !errors.Is(err, ErrNoRow) {
			return "", "", err
		}
	}
	end := s.judge(attempt, &account, Authorization{AppID: a.AppID, Grants: account.Grants}, account.Profile.Kind)
	end.CodeHash, end.Fence, end.Now = a.CodeHash, claim.Fence, s.now()
	end.At, end.LocalTime = at, a.Type == RedirectEvent
	if _, err := s.store.FinishExchange(ctx, end); err != nil {
		return "", "", err
	}
	s.hub.wake(attempt.ID)
	return Ignored, a.AppID, nil
}

// replaced reports whether what an exchange brought is older than what we hold,
// and when it began: a browser that restores its tabs comes back after the merchant
// has authorized again, and a push may come after a sweep has found what followed
// it. Where the times of both cannot tell, the refresh token in WeChat's list
// decides.
func (s *Service) replaced(ctx context.Context, a Arrival, auth Authorization) (begun time.Time, older bool, err error) {
	held, err := s.store.Account(ctx, auth.AppID)
	if err != nil || held.Standing == Revoked || auth.Tokens.Refresh.Empty() {
		if errors.Is(err, ErrNoRow) {
			err = nil
		}
		return time.Time{}, false, err
	}
	begun = a.CreatedAt
	if a.Type == RedirectEvent { // which has no time of WeChat's
		handoffs, err := s.store.Handoffs(ctx, a.AttemptID)
		if err != nil {
			return time.Time{}, false, err
		}
		i := slices.IndexFunc(handoffs, func(h Handoff) bool { return h.ID == a.HandoffID })
		if i < 0 {
			return time.Time{}, false, nil
		}
		begun = handoffs[i].MintedAt
	} else if !held.LocalTime {
		return time.Time{}, false, nil // outdated has compared two times of WeChat's
	}
	if !held.AuthorizedAt.After(begun) {
		return time.Time{}, false, nil
	}
	row, ok, err := s.listed(ctx, auth.AppID, 0)
	return begun, ok && !row.Refresh.Empty() && row.Refresh != auth.Tokens.Refresh, err
}

// attach ends the second witness of an exchange. A push that names another
// attempt than the redirect moves the result there: it came from WeChat itself,
// the redirect came through a browser.
func (s *Service) attach(ctx context.Context, a Arrival, claim ExchangeClaim) (Outcome, AppID, error) {
	if a.AttemptID == "" || a.AttemptID == claim.AttemptID {
		return Attached, claim.AppID, nil
	}
	if a.Type == RedirectEvent && claim.AttemptID != "" {
		// The push said whose code it is. Nothing of this attempt arrived.
		if err := s.store.SaveBlocked(ctx, a.AttemptID, KeyCodeSpent, s.now()); err != nil {
			return "", "", err
		}
		s.log.WarnContext(ctx, "a redirect carried the code of another attempt; the push had decided",
			"appid", string(claim.AppID), "attempt", claim.AttemptID, "redirected_to", a.AttemptID)
		s.hub.wake(a.AttemptID)
		return Attached, claim.AppID, nil
	}
	account, err := s.store.Account(ctx, claim.AppID)
	if err != nil {
		return "", "", err
	}
	attempt, err := s.store.Attempt(ctx, a.AttemptID)
	if err != nil {
		return "", "", err
	}
	moved := s.judge(attempt, nil, Authorization{AppID: claim.AppID, Grants: account.Grants}, account.Profile.Kind)
	moved.Now = s.now()
	failpoint.Hit("exchange.before_move")
	if err := s.store.MoveResult(ctx, a.CodeHash, claim.AttemptID, a.AttemptID, moved); err != nil {
		return "", "", err
	}
	failpoint.Hit("exchange.after_move")
	if claim.AttemptID != "" {
		s.log.WarnContext(ctx, "a redirect carried the code of another attempt; the push decided",
			"appid", string(claim.AppID), "attempt", a.AttemptID, "redirected_to", claim.AttemptID)
	}
	s.hub.wake(a.AttemptID, claim.AttemptID)
	return Attached, claim.AppID, nil
}

// arrived stores an authorization, tokens first; the profile follows.
func (s *Service) arrived(ctx context.Context, a Arrival, claim ExchangeClaim, auth Authorization) error {
	// WeChat gives this answer once: it is stored although the caller's time may
	// be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
	defer cancel()
	var before *Account
	known, err := s.store.Account(ctx, auth.AppID)
	switch {
	case err == nil:
		before = &known
	case !errors.Is(err, ErrNoRow):
		return err
	}
	var attempt Attempt
	if a.AttemptID != "" {
		if attempt, err = s.store.Attempt(ctx, a.AttemptID); err != nil && !errors.Is(err, ErrNoRow) {
			return err
		}
	}
	now := s.now()
	result := s.judge(attempt, before, auth, known.Profile.Kind)
	result.CodeHash, result.Fence = a.CodeHash, claim.Fence
	result.At, result.LocalTime = a.CreatedAt, a.Type == RedirectEvent
	if auth.At.After(result.At) {
		// The list gave the tokens of a later authorization, whose own push may yet come.
		result.At, result.LocalTime = auth.At, true
	}
	if before != nil && before.LocalTime && before.AuthorizedAt.After(result.At) && before.AuthorizedAt.Sub(result.At) < clockDoubt {
		// Our clock runs ahead of WeChat's. The time stays one of ours, or the next
		// push would look older than it.
		result.At, result.LocalTime = before.AuthorizedAt, true
	}
	result.DueAt, result.Now = dueAt(auth.AppID, now, auth.Tokens.Life), now
	failpoint.Hit("exchange.before_commit")
	if claim.Failed { // recovered after the code was given up: take the result without the claim
		err = s.store.MoveResult(ctx, a.CodeHash, "", attempt.ID, result)
	} else {
		var superseded bool
		superseded, err = s.store.FinishExchange(ctx, result)
		if superseded {
			s.log.InfoContext(ctx, "a newer event was stored during the exchange", "appid", string(auth.AppID))
		}
	}
	if err != nil {
		return err
	}
	failpoint.Hit("exchange.after_commit")
	s.tokens.drop(auth.AppID)
	s.log.InfoContext(ctx, "authorized", "appid", string(auth.AppID), "attempt", attempt.ID, "via", string(a.Type), "sets", len(auth.Grants))
	s.hub.wake(attempt.ID)
	if _, err := s.DashboardLink(ctx, auth.AppID); err != nil { // now, so that no page has to make it
		s.log.WarnContext(ctx, "making a dashboard link failed; the first page makes it", "appid", string(auth.AppID), "err", err)
	}
	if err := s.readProfile(ctx, auth.AppID); err != nil {
		s.log.WarnContext(ctx, "reading a profile failed; it is tried again", "appid", string(auth.AppID), "err", err)
	}
	s.hub.wake(attempt.ID)
	return nil
}
