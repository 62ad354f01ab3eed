package onboard_test

import (
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// keepPushes lets pushes be sent again later.
func (w *world) keepPushes() *[]told {
	var all []told
	w.intercept = func(query string, body []byte) {
		all = append(all, told{query, body})
		w.ok(w.receive(w.t.Context(), query, body))
	}
	return &all
}

// TestPush_ReplayOldTicketKeepsNewest sends old tickets again.
func TestPush_ReplayOldTicketKeepsNewest(t *testing.T) {
	w, _ := newWorld(t)
	all := w.keepPushes()
	for range 4 {
		w.pass(10 * time.Minute)
		w.keepTicket()
	}
	want := w.sim.Truth().Platform.Ticket
	for _, p := range *all {
		w.pass(time.Minute)
		w.ok(w.receive(t.Context(), p.query, p.body))
		w.ok(w.svc.HandleArrivals(t.Context()))
	}
	tickets, err := w.db.Tickets(t.Context())
	if err != nil || len(tickets) == 0 || tickets[0].Value.Reveal() != want {
		t.Errorf("Tickets = %d, %v; want the newest first", len(tickets), err)
	}
}

// TestPush_ReplayOldUnauthorizedIsNoop sends an old withdrawal again, as somebody
// would who has recorded it, after the merchant came back.
func TestPush_ReplayOldUnauthorizedIsNoop(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(simulator.TeaHouse)
	all := w.keepPushes()
	w.pass(time.Minute)
	w.ok(w.sim.Revoke(t.Context(), simulator.TeaHouse))
	w.ok(w.svc.HandleArrivals(t.Context()))
	w.agrees(simulator.TeaHouse)
	w.pass(time.Minute)
	w.authorize(simulator.TeaHouse)
	for _, wait := range []time.Duration{0, time.Minute, 24 * time.Hour} {
		w.pass(wait)
		for _, p := range *all {
			w.ok(w.receive(t.Context(), p.query, p.body))
		}
		w.ok(w.svc.HandleArrivals(t.Context()))
		if a, err := w.db.Account(t.Context(), simulator.TeaHouse); err != nil || a.Standing != onboard.Active {
			t.Errorf("after an old withdrawal came again the account is %s, %v; want active", a.Standing, err)
		}
	}
}

// TestEvents_Dup sends each push ten times at once. It has one effect.
func TestEvents_Dup(t *testing.T) {
	w, _ := newWorld(t)
	var pushes []told
	w.intercept = func(query string, body []byte) { pushes = append(pushes, told{query, body}) }
	w.ok(w.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil))
	for _, p := range pushes {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := w.receive(t.Context(), p.query, p.body); err != nil {
					t.Error(err)
				}
				if err := w.svc.HandleArrivals(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	if n := w.sim.Calls(exchangePath); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
	w.agrees(simulator.TeaHouse)
}
