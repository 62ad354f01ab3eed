package admin

import (
	"context"
	"sync/atomic"
)

// Actor is who asks and from where. It travels in the context of a request, so
// that every step can write the audit.
type Actor struct {
	Admin     Admin  // zero when nobody is signed in
	SessionID string // of the session that asks; empty likewise
	Address   string // of the client
	Network   string // the part of the address that tries are counted by
	Browser   string
	RequestID string
}

type actorKey struct{}

type actorValue struct {
	Actor
	audited atomic.Bool
}

// With returns a context in which a acts.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, &actorValue{Actor: a})
}

// ActorOf returns who acts; the zero Actor is the program itself.
func ActorOf(ctx context.Context) Actor {
	if v, ok := ctx.Value(actorKey{}).(*actorValue); ok {
		return v.Actor
	}
	return Actor{}
}

// Audited reports whether a row of the audit was written in a context of With.
func Audited(ctx context.Context) bool {
	v, ok := ctx.Value(actorKey{}).(*actorValue)
	return ok && v.audited.Load()
}

// Audit adds a row to the audit. Action, Target, Before and After are the
// caller's and must not hold secrets; the rest is filled in from the context.
func (s *Service) Audit(ctx context.Context, e Entry) error {
	v, ok := ctx.Value(actorKey{}).(*actorValue)
	if ok {
		if e.ActorID == "" && e.Actor == "" {
			e.ActorID, e.Actor = v.Admin.ID, v.Admin.Name
		}
		e.Address, e.RequestID = v.Address, v.RequestID
	}
	e.At = s.now()
	if _, err := s.store.AppendAudit(ctx, e); err != nil {
		return err
	}
	if ok {
		v.audited.Store(true)
	}
	return nil
}
