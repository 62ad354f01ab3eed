package onboard

import (
	"context"
	"errors"
	"fmt"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

// absentTries is how often the list is asked for an account that a push named,
// over about a minute, before its absence is believed.
const absentTries = 6

// exchange asks WeChat. A code that is spent although no answer was stored is
// recovered from WeChat's list when it is known whose it was: the push names the
// account. A redirect names none; but when its code was sent before and the
// attempt asked for one account, that one is looked up. recovered is true when
// that was tried.
func (s *Service) exchange(ctx context.Context, a Arrival, e Event, claim ExchangeClaim) (auth Authorization, recovered bool, err error) {
	if claim.Failed { // it was found spent before; a push knows whose it was
		if a.AppID == "" {
			return Authorization{}, false, nil
		}
		auth, err = s.recover(ctx, a.AppID, a.CreatedAt)
		return auth, true, err
	}
	err = s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		auth, err = s.wechat.Exchange(ctx, token, e.AuthCode)
		return err
	})
	if up, ok := errors.AsType[*UpstreamError](err); ok && up.Reaction == CodeSpent {
		owner := a.AppID
		if owner == "" && claim.Tries > 1 {
			attempt, readErr := s.store.Attempt(ctx, a.AttemptID)
			if readErr != nil && !errors.Is(readErr, ErrNoRow) {
				return Authorization{}, false, readErr
			}
			owner = attempt.BizAppID
		}
		if owner == "" {
			return Authorization{}, false, err
		}
		found, err := s.recover(ctx, owner, a.CreatedAt)
		if err != nil {
			err = fmt.Errorf("recovering what a spent code brought: %w", err)
		}
		return found, true, err
	}
	if err != nil {
		return Authorization{}, false, err
	}
	if a.AppID != "" && auth.AppID != a.AppID {
		return Authorization{}, false, fmt.Errorf("the push names %s but the code belongs to %s", a.AppID, auth.AppID)
	}
	return auth, false, nil
}

// exchangeFailed gives the claim back, or ends it when the code is spent, and
// tells the person. A push whose code was found spent recovers without sending it
// again. A redirect does not, whose account is a guess that only WeChat's word about
// the code confirms.
func (s *Service) exchangeFailed(ctx context.Context, a Arrival, claim ExchangeClaim, recovered bool, cause error) (Outcome, AppID, error) {
	up, ok := errors.AsType[*UpstreamError](cause)
	spent := ok && up.Reaction == CodeSpent
	failpoint.Hit("exchange.before_fail")
	if !claim.Failed {
		final := spent || recovered && a.AppID != ""
		if err := s.store.FailExchange(ctx, a.CodeHash, claim.Fence, final, s.now()); err != nil && !errors.Is(err, ErrFenced) {
			return "", "", err
		}
	}
	failpoint.Hit("exchange.after_fail")
	if a.AttemptID != "" {
		key := blockedBy(cause)
		if spent {
			key = KeyCodeSpent
		}
		if err := s.store.SaveBlocked(ctx, a.AttemptID, key, s.now()); err != nil {
			return "", "", err
		}
		s.hub.wake(a.AttemptID)
	}
	if spent && a.AppID == "" {
		return Ignored, "", nil // the push, which names the account, may still recover it
	}
	if spent && a.Tries >= absentTries {
		return Ignored, a.AppID, nil // the whole list lacks the account: the merchant has withdrawn since
	}
	return "", "", cause
}
