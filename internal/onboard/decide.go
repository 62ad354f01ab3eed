package onboard

import (
	"context"
	"errors"
)

// Stop ends the service for an account: its tokens are neither refreshed nor
// served. The authorization at WeChat stays; only the merchant can cancel it.
func (s *Service) Stop(ctx context.Context, appID AppID) (changed bool, err error) {
	return s.setStopped(ctx, appID, true)
}

// Resume takes a stop back. Tokens that ended meanwhile are refreshed at the next
// turn.
func (s *Service) Resume(ctx context.Context, appID AppID) (changed bool, err error) {
	return s.setStopped(ctx, appID, false)
}

func (s *Service) setStopped(ctx context.Context, appID AppID, stop bool) (bool, error) {
	changed, err := s.store.SaveStopped(ctx, appID, stop, s.now())
	s.tokens.drop(appID)
	if errors.Is(err, ErrNoRow) {
		err = Errorf(NotFound, KeyNotFound, "account %s is not known", appID)
	}
	if err == nil && changed {
		s.log.InfoContext(ctx, "the operator changed whether an account is served", "appid", string(appID), "stopped", stop)
	}
	return changed, err
}

// Decide says whether an account that was put aside is the right one. Accepted, it
// is served; refused, it is neither served nor refreshed until somebody accepts it
// or the merchant follows an invite of the operator that asks for it.
func (s *Service) Decide(ctx context.Context, appID AppID, accept bool) (changed bool, err error) {
	changed, err = s.store.SaveDecision(ctx, appID, accept, s.now())
	s.tokens.drop(appID)
	if errors.Is(err, ErrNoRow) {
		err = Errorf(NotFound, KeyNotFound, "account %s is not known", appID)
	}
	if err == nil && changed {
		s.log.InfoContext(ctx, "the operator decided on an account", "appid", string(appID), "accepted", accept)
	}
	return changed, err
}

// ReadProfile reads the profile of an account from WeChat now.
func (s *Service) ReadProfile(ctx context.Context, appID AppID) error {
	if _, err := s.store.Account(ctx, appID); err != nil {
		if errors.Is(err, ErrNoRow) {
			err = Errorf(NotFound, KeyNotFound, "account %s is not known", appID)
		}
		return err
	}
	if err := s.readProfile(ctx, appID); err != nil {
		return Errorf(Unavailable, blockedBy(err), "profile of %s: %w", appID, err)
	}
	return nil
}
