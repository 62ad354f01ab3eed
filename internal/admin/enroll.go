package admin

import (
	"context"
	"errors"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Bootstrap makes a token by which the first owner is made. It is empty when there
// is an admin already, so that it can be called at every start.
func (s *Service) Bootstrap(ctx context.Context) (secret.Secret, error) {
	admins, err := s.store.Admins(ctx)
	if err != nil || len(admins) > 0 {
		return secret.Secret{}, err
	}
	return s.offer(ctx, "", false)
}

// offer makes a one-time token for an admin, or for the first owner.
func (s *Service) offer(ctx context.Context, adminID string, passedOn bool) (secret.Secret, error) {
	token, now, life := newToken(), s.now(), SetupLife
	if passedOn {
		life = EnrollmentLife
	}
	err := s.store.SaveEnrollment(ctx, Enrollment{Hash: s.hasher.Hash(purposeEnroll, token), AdminID: adminID, CreatedAt: now, ExpiresAt: now.Add(life)})
	return secret.New(token), err
}

// Enrollee returns whom a token is for; first is true when it makes the first
// owner. A token that does not count is Invalid.
func (s *Service) Enrollee(ctx context.Context, token string) (a Admin, first bool, err error) {
	e, err := s.store.Enrollment(ctx, s.hasher.Hash(purposeEnroll, token), s.now())
	if err == nil && e.AdminID != "" {
		a, err = s.store.AdminByID(ctx, e.AdminID)
	}
	if isNoRow(err) {
		err = onboard.Errorf(onboard.Invalid, KeyToken, "unknown, used or expired one-time token")
	}
	return a, err == nil && e.AdminID == "", err
}

// Enroll spends a token: its admin gets the password, and with the first owner's
// token the name too. It signs the person in. Tries are counted by network.
func (s *Service) Enroll(ctx context.Context, token, name, password string) (Entrance, error) {
	netTry := s.tryKey("enroll", ActorOf(ctx).Network)
	if until, err := s.claimTry(ctx, netTry); err != nil {
		return Entrance{RetryAt: until}, err
	}
	a, first, err := s.Enrollee(ctx, token)
	if err != nil {
		return Entrance{}, err
	}
	if first {
		if name, err = ParseName(name); err != nil {
			return Entrance{}, err
		}
		a = Admin{ID: newID(), Name: name, Role: Owner, CreatedAt: s.now(), Version: 1}
	}
	if password, err = ParsePassword(password, a.Name); err != nil {
		return Entrance{}, err
	}
	if a.Password, err = s.passwords.hash(ctx, password); err != nil {
		return Entrance{}, err
	}
	a, err = s.store.UseEnrollment(ctx, s.hasher.Hash(purposeEnroll, token), a, s.now())
	switch {
	case isNoRow(err):
		return Entrance{}, onboard.Errorf(onboard.Invalid, KeyToken, "one-time token used by somebody else meanwhile")
	case errors.Is(err, ErrTaken):
		return Entrance{}, onboard.Errorf(onboard.Invalid, KeyTaken, "%w", err)
	case err != nil:
		return Entrance{}, err
	}
	if err := s.store.ForgiveTry(ctx, []string{netTry}, nil); err != nil {
		return Entrance{}, err
	}
	if err := s.Audit(ctx, by(a, "admin.enroll", a.Name)); err != nil {
		return Entrance{}, err
	}
	return s.enter(ctx, a)
}

// Create makes an admin without a password and the token by which the person
// chooses one.
func (s *Service) Create(ctx context.Context, name string, role Role) (Admin, secret.Secret, error) {
	name, err := ParseName(name)
	if err != nil {
		return Admin{}, secret.Secret{}, err
	}
	if _, err := ParseRole(string(role)); err != nil {
		return Admin{}, secret.Secret{}, err
	}
	a := Admin{ID: newID(), Name: name, Role: role, CreatedAt: s.now(), Version: 1}
	err = s.store.CreateAdmin(ctx, a)
	if errors.Is(err, ErrTaken) {
		err = onboard.Errorf(onboard.Invalid, KeyTaken, "%w", err)
	}
	if err != nil {
		return Admin{}, secret.Secret{}, err
	}
	if err := s.Audit(ctx, Entry{Action: "admin.create", Target: a.Name, After: string(a.Role)}); err != nil {
		return Admin{}, secret.Secret{}, err
	}
	token, err := s.offer(ctx, a.ID, ActorOf(ctx).Admin.ID != "")
	return a, token, err
}

// CreateWithPassword makes an admin who can sign in at once, for the demo.
func (s *Service) CreateWithPassword(ctx context.Context, name, password string, role Role) (Admin, error) {
	password, err := ParsePassword(password, name)
	if err != nil {
		return Admin{}, err
	}
	a, _, err := s.Create(ctx, name, role)
	if err != nil {
		return Admin{}, err
	}
	if a.Password, err = s.passwords.hash(ctx, password); err != nil {
		return Admin{}, err
	}
	return a, s.store.SaveAdmin(ctx, a)
}

// Reset makes a token by which an admin chooses a new password. The old password
// and the second factor count until it is used; with it, all sessions end.
func (s *Service) Reset(ctx context.Context, id string) (Admin, secret.Secret, error) {
	a, err := s.store.AdminByID(ctx, id)
	if err != nil {
		return Admin{}, secret.Secret{}, found(err)
	}
	if err := s.Audit(ctx, Entry{Action: "admin.reset", Target: a.Name}); err != nil {
		return Admin{}, secret.Secret{}, err
	}
	token, err := s.offer(ctx, a.ID, ActorOf(ctx).Admin.ID != "")
	return a, token, err
}

// ResetByName is Reset by the name to sign in with.
func (s *Service) ResetByName(ctx context.Context, name string) (Admin, secret.Secret, error) {
	a, err := s.store.AdminByKey(ctx, NameKey(name))
	if err != nil {
		return Admin{}, secret.Secret{}, found(err)
	}
	return s.Reset(ctx, a.ID)
}
