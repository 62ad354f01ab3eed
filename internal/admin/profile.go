package admin

import (
	"context"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// check demands the actor's password once more before what a stranger at an
// unlocked computer must not do. Tries are counted like those of a sign-in.
func (s *Service) check(ctx context.Context, a Admin, password string) (Entrance, error) {
	try := s.tryKey("again", a.ID)
	if until, err := s.claimTry(ctx, try); err != nil {
		return Entrance{RetryAt: until}, err
	}
	ok, err := s.passwords.verify(ctx, a.Password, password)
	if err != nil {
		return Entrance{}, err
	}
	if !ok {
		return Entrance{}, onboard.Errorf(onboard.Invalid, KeyOldPassword, "wrong present password")
	}
	return Entrance{}, s.store.ForgiveTry(ctx, []string{try}, nil)
}

// ChangePassword sets the actor's own password. All sessions end and a new one
// begins, whose token the browser has to hold.
func (s *Service) ChangePassword(ctx context.Context, present, next string) (Entrance, error) {
	a, err := s.Admin(ctx, ActorOf(ctx).Admin.ID)
	if err != nil {
		return Entrance{}, err
	}
	if in, err := s.check(ctx, a, present); err != nil {
		return in, err
	}
	if next, err = ParsePassword(next, a.Name); err != nil {
		return Entrance{}, err
	}
	if a.Password, err = s.passwords.hash(ctx, next); err != nil {
		return Entrance{}, err
	}
	if err := s.save(ctx, a); err != nil {
		return Entrance{}, err
	}
	if _, err := s.store.EndSessions(ctx, a.ID, ""); err != nil {
		return Entrance{}, err
	}
	if err := s.Audit(ctx, Entry{Action: "admin.password", Target: a.Name}); err != nil {
		return Entrance{}, err
	}
	token, err := s.begin(ctx, a, false)
	return Entrance{Token: token, Admin: a}, err
}

// OfferTOTP makes a key for the actor's authenticator. It counts when ConfirmTOTP
// has seen a code of it.
func (s *Service) OfferTOTP(ctx context.Context) error {
	a, err := s.Admin(ctx, ActorOf(ctx).Admin.ID)
	if err != nil {
		return err
	}
	a.NextTOTP = newTOTP()
	if err := s.save(ctx, a); err != nil {
		return err
	}
	return s.Audit(ctx, Entry{Action: "totp.offer", Target: a.Name})
}

// ConfirmTOTP turns the second factor on and returns the recovery codes, which are
// never shown again.
func (s *Service) ConfirmTOTP(ctx context.Context, password, code string) (recovery []string, in Entrance, err error) {
	a, err := s.Admin(ctx, ActorOf(ctx).Admin.ID)
	if err != nil {
		return nil, in, err
	}
	if a.NextTOTP.Empty() {
		return nil, in, onboard.Errorf(onboard.Expired, onboard.KeyExpired, "no second factor was offered")
	}
	if in, err := s.check(ctx, a, password); err != nil {
		return nil, in, err
	}
	step, ok := totpMatch(a.NextTOTP, digits(code), s.now())
	if !ok {
		return nil, in, onboard.Errorf(onboard.Invalid, KeyCode, "wrong code")
	}
	recovery, a.Recovery = s.newRecovery(a.ID)
	a.TOTP, a.NextTOTP, a.TOTPStep = a.NextTOTP, secret.Secret{}, step
	if err := s.save(ctx, a); err != nil {
		return nil, in, err
	}
	return recovery, in, s.Audit(ctx, Entry{Action: "totp.on", Target: a.Name})
}

// DropTOTP turns the actor's second factor off.
func (s *Service) DropTOTP(ctx context.Context, password string) (Entrance, error) {
	a, err := s.Admin(ctx, ActorOf(ctx).Admin.ID)
	if err != nil {
		return Entrance{}, err
	}
	if in, err := s.check(ctx, a, password); err != nil {
		return in, err
	}
	a.TOTP, a.NextTOTP, a.Recovery = secret.Secret{}, secret.Secret{}, nil
	if err := s.save(ctx, a); err != nil {
		return Entrance{}, err
	}
	return Entrance{}, s.Audit(ctx, Entry{Action: "totp.off", Target: a.Name})
}
