package admin

import (
	"context"
	"errors"

	"usher/internal/onboard"
)

// SetRole gives an admin another role. version is that of the admin as it was
// shown. All sessions of the admin end, so that none keeps the old role.
func (s *Service) SetRole(ctx context.Context, id string, role Role, version int64) (Admin, error) {
	if _, err := ParseRole(string(role)); err != nil {
		return Admin{}, err
	}
	a, err := s.Admin(ctx, id)
	if err != nil {
		return a, err
	}
	before := a.Role
	a.Role, a.Version = role, version
	if err := s.save(ctx, a); err != nil {
		return a, err
	}
	keep := ""
	if me := ActorOf(ctx); me.Admin.ID == id {
		keep = me.SessionID // who gives up a role stays signed in with the lesser one
	}
	if _, err := s.store.EndSessions(ctx, id, keep); err != nil {
		return a, err
	}
	return a, s.Audit(ctx, Entry{Action: "admin.role", Target: a.Name, Before: string(before), After: string(role)})
}

// Remove takes the way in from an admin. What the admin did stays in the audit.
func (s *Service) Remove(ctx context.Context, id string, version int64) (Admin, error) {
	if ActorOf(ctx).Admin.ID == id {
		return Admin{}, onboard.Errorf(onboard.Invalid, KeyNotYourself, "an admin removes themselves")
	}
	a, err := s.Admin(ctx, id)
	if err != nil {
		return a, err
	}
	a.RemovedAt, a.Version = s.now(), version
	if err := s.save(ctx, a); err != nil {
		return a, err
	}
	return a, s.Audit(ctx, Entry{Action: "admin.remove", Target: a.Name, Before: string(a.Role)})
}

// save stores an admin and says in words why it cannot be.
func (s *Service) save(ctx context.Context, a Admin) error {
	err := s.store.SaveAdmin(ctx, a)
	switch {
	case errors.Is(err, ErrLastOwner):
		return onboard.Errorf(onboard.Invalid, KeyLastOwner, "%w", err)
	case errors.Is(err, onboard.ErrFenced):
		return onboard.Errorf(onboard.Invalid, KeyStale, "admin %s is of another version than %d", a.ID, a.Version)
	}
	return err
}

// SignOutEverywhere ends all sessions of an admin, but the actor's own.
func (s *Service) SignOutEverywhere(ctx context.Context, id string) error {
	a, err := s.Admin(ctx, id)
	if err != nil {
		return err
	}
	me, keep := ActorOf(ctx), ""
	if me.Admin.ID == id {
		keep = me.SessionID
	}
	if _, err := s.store.EndSessions(ctx, id, keep); err != nil {
		return err
	}
	return s.Audit(ctx, Entry{Action: "session.end_all", Target: a.Name})
}

// Sessions lists the live sessions of an admin, the last used first.
func (s *Service) Sessions(ctx context.Context, id string) ([]Session, error) {
	all, err := s.store.Sessions(ctx, id)
	var live []Session
	for _, v := range all {
		if v.Live(s.now()) && !v.Pending {
			live = append(live, v)
		}
	}
	return live, err
}

// EndSession ends one of the actor's own sessions; another's is NotFound.
func (s *Service) EndSession(ctx context.Context, id string) error {
	me := ActorOf(ctx).Admin
	ended, err := s.store.EndSession(ctx, me.ID, id)
	if err != nil {
		return err
	}
	if !ended {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "session %q of %s", id, me.ID)
	}
	return s.Audit(ctx, Entry{Action: "session.end", Target: me.Name})
}
