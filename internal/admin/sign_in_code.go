package admin

import (
	"context"

	"usher/internal/onboard"
)

// SignInCode checks the second factor of a session that waits for it. A session
// that does not wait, or not any more, is ErrSignedOut.
func (s *Service) SignInCode(ctx context.Context, token, code string) (Entrance, error) {
	session, a, err := s.session(ctx, token)
	if err != nil {
		return Entrance{}, err
	}
	if !session.Pending || a.TOTP.Empty() {
		return Entrance{}, ErrSignedOut
	}
	codeTry, netTry := s.tryKey("code", a.ID), s.tryKey("network", ActorOf(ctx).Network)
	if until, err := s.claimTry(ctx, codeTry, netTry); err != nil {
		return Entrance{RetryAt: until}, err
	}
	ok, err := s.claimCode(ctx, a, code)
	if err != nil {
		return Entrance{}, err
	}
	if !ok {
		if err := s.Audit(ctx, Entry{Action: "session.refuse_code", Target: a.Name}); err != nil {
			return Entrance{}, err
		}
		return Entrance{}, onboard.Errorf(onboard.Invalid, KeyCode, "wrong or used code")
	}
	nameTry, err := s.nameTry(ctx, NameKey(a.Name))
	if err != nil {
		return Entrance{}, err
	}
	// The network paid for the password and for the code.
	if err := s.store.ForgiveTry(ctx, []string{codeTry, nameTry}, []string{netTry, netTry}); err != nil {
		return Entrance{}, err
	}
	if _, err := s.store.EndSession(ctx, a.ID, session.ID); err != nil {
		return Entrance{}, err
	}
	return s.enter(ctx, a)
}
