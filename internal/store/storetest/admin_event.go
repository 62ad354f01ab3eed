package storetest

import (
	"fmt"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// received saves an arrival that came i minutes after t0 and ends it; an empty
// outcome leaves it waiting until an hour later.
func (s *adminSuite) received(i int, a onboard.Arrival, outcome onboard.Outcome) onboard.Arrival {
	s.Helper()
	st := s.Store.(onboard.Store)
	a.Digest, a.ReceivedAt, a.CreatedAt = fmt.Sprint("e", i), at(time.Duration(i)*time.Minute), wechat(time.Duration(i)*time.Minute)
	a.Payload = secret.New("payload")
	if !pass(st.SaveArrival(s.ctx, a))(s) {
		s.Fatal("an arrival is not new")
	}
	for _, claimed := range pass(st.ClaimArrivals(s.ctx, a.ReceivedAt, a.ReceivedAt.Add(time.Minute), 10, ""))(s) {
		end := onboard.ArrivalEnd{ID: claimed.ID, Fence: claimed.Fence, Outcome: outcome, RetryAt: a.ReceivedAt.Add(time.Hour), Reason: "why"}
		s.ok(st.FinishArrivals(s.ctx, []onboard.ArrivalEnd{end}, a.ReceivedAt))
		a.ID = claimed.ID
	}
	return a
}

func (s *adminSuite) events() {
	const ticket, authorized, invented = onboard.TicketEvent, onboard.AuthorizedEvent, onboard.EventType("invented")
	masked := []onboard.MaskedField{{Name: "AppId", Value: "wx0"}, {Name: "AuthorizationCode", Length: 30, Print: "0123abcd"}}
	if st, ok := s.Store.(onboard.Store); ok {
		(&suite{T: s.T, Store: st, ctx: s.ctx}).authorize("code", arrived("wx1"))
		s.ok(st.SaveProfile(s.ctx, "wx1", onboard.Profile{Nickname: "山茶花茶舍"}, t0))
	}
	all := []onboard.Arrival{
		s.received(0, onboard.Arrival{Type: ticket}, onboard.Handled),
		s.received(1, onboard.Arrival{Type: authorized, AppID: "wx1", AttemptID: "try", CodeHash: "c", Masked: masked}, onboard.Parked),
		s.received(2, onboard.Arrival{Type: invented, AppID: "wx2"}, onboard.Ignored),
		s.received(3, onboard.Arrival{Type: onboard.RedirectEvent, AppID: "wx1"}, onboard.Attached),
		s.received(4, onboard.Arrival{Type: ticket}, onboard.Ignored),
		s.received(5, onboard.Arrival{Type: authorized, AppID: "wx1"}, onboard.Handled),
		s.received(6, onboard.Arrival{Type: authorized, AppID: "wx2"}, ""),
	}
	minute := func(n int) time.Time { return at(time.Duration(n) * time.Minute) }
	for _, tt := range []struct {
		f    admin.EventFilter
		want string
	}{
		{admin.EventFilter{}, "6 5 4 3 2 1 0"},
		{admin.EventFilter{Limit: 2}, "6 5"},
		{admin.EventFilter{Limit: 2, Before: all[5].ID}, "4 3"},
		{admin.EventFilter{NoFailed: true}, "6 5 4 3 2 0"},
		{admin.EventFilter{Type: ticket}, "4 0"},
		{admin.EventFilter{Type: authorized, NoFailed: true}, "6 5"},
		{admin.EventFilter{AppID: "wx1"}, "5 3 1"},
		{admin.EventFilter{AppID: "wx1", Type: authorized}, "5 1"},
		{admin.EventFilter{AppID: "wx1", NoFailed: true}, "5 3"},
		{admin.EventFilter{Result: admin.EventFailed}, "1"},
		{admin.EventFilter{Result: admin.EventFailed, AppID: "wx2"}, ""},
		{admin.EventFilter{Result: admin.EventFailed, Type: authorized}, "1"},
		{admin.EventFilter{Result: admin.EventWaiting}, "6"},
		{admin.EventFilter{Result: admin.EventHandled}, "5 0"},
		{admin.EventFilter{Result: admin.EventHandled, Type: ticket}, "0"},
		{admin.EventFilter{Result: admin.EventAttached}, "3"},
		{admin.EventFilter{Result: admin.EventIgnored}, "4"},
		{admin.EventFilter{Result: admin.EventUnknown}, "2"},
		{admin.EventFilter{From: minute(2), Until: minute(5)}, "4 3 2"},
		{admin.EventFilter{From: minute(2), Until: minute(5), Before: all[4].ID}, "3 2"},
		{admin.EventFilter{Type: "' OR 1=1 --"}, ""},
		{admin.EventFilter{AppID: "wx%"}, ""},
	} {
		if tt.f.Limit == 0 {
			tt.f.Limit = 50
		}
		var got []string
		for _, e := range pass(s.Events(s.ctx, tt.f))(s) {
			for i, a := range all {
				if a.ID == e.ID {
					got = append(got, fmt.Sprint(i))
				}
			}
		}
		s.same(fmt.Sprintf("Events(%+v)", tt.f), strings.Join(got, " "), tt.want)
	}
	parked := pass(s.Event(s.ctx, all[1].ID))(s)
	s.same("Event", parked, admin.Event{
		ID: all[1].ID, Type: authorized, AppID: "wx1", Name: "山茶花茶舍", AttemptID: "try", CreatedAt: wechat(time.Minute), ReceivedAt: minute(1), Tries: 1,
		DueAt: minute(2), Outcome: onboard.Parked, Reason: "why", FinishedAt: minute(1), Kept: true, Fields: masked,
	})
	s.same("content of a handled one", pass(s.Event(s.ctx, all[5].ID))(s).Kept, false)
	_, err := s.Event(s.ctx, 1)
	s.fails("Event of an unknown id", err, onboard.ErrNoRow)
	s.same("EventTypes", fmt.Sprint(pass(s.EventTypes(s.ctx))(s)), "[authorized component_verify_ticket invented redirect]")
	s.same("FailedEvents", pass(s.FailedEvents(s.ctx, 10))(s), int64(1))
	if st, ok := s.Store.(onboard.Store); ok { // until it fails again, nothing says that it failed
		for _, a := range []onboard.Arrival{all[1], all[6]} {
			_, ok, err := st.ReviveArrival(s.ctx, a.ID, minute(7), time.Minute)
			s.ok(err)
			s.same("Reason of a revived one", []any{ok, pass(s.Event(s.ctx, a.ID))(s).Reason}, []any{true, ""})
		}
	}
}

// reviveArrival gives one that failed another life, once, and leaves alone what is
// done, what is held and what is due soon.
func (s *suite) reviveArrival() {
	end := func(digest string, e onboard.ArrivalEnd) int64 {
		s.Helper()
		s.arrive(digest, func(a *onboard.Arrival) { a.CodeHash = "code of " + digest })
		claimed := must(s.ClaimArrivals(s.ctx, t0, at(time.Minute), 9, ""))(s)
		if len(claimed) != 1 {
			s.Fatalf("ClaimArrivals = %d arrivals, want 1", len(claimed))
		}
		e.ID, e.Fence = claimed[0].ID, claimed[0].Fence
		if e.Outcome != "" || !e.RetryAt.IsZero() {
			s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{e}, t0))
		}
		return e.ID
	}
	parked, done := end("parked", onboard.ArrivalEnd{Outcome: onboard.Parked, Reason: "why"}), end("done", onboard.ArrivalEnd{Outcome: onboard.Handled})
	later, soon := end("later", onboard.ArrivalEnd{RetryAt: at(time.Hour)}), end("soon", onboard.ArrivalEnd{RetryAt: at(time.Minute)})
	held := end("held", onboard.ArrivalEnd{})
	for _, tt := range []struct {
		name string
		id   int64
		want bool
	}{{"parked", parked, true}, {"parked, again", parked, false}, {"done", done, false}, {"later", later, true}, {"soon", soon, false}, {"held", held, false}, {"none", 7, false}} {
		code, ok, err := s.ReviveArrival(s.ctx, tt.id, at(time.Second), time.Minute)
		s.ok(err)
		want := ""
		if tt.want {
			want = "code of " + tt.name
		}
		s.same("ReviveArrival of "+tt.name, []any{code, ok}, []any{want, tt.want})
	}
	due := must(s.ClaimArrivals(s.ctx, at(time.Second), at(2*time.Minute), 9, ""))(s)
	s.same("due", digests(due), []string{"parked", "later"})
	s.same("Tries, payload", []any{due[0].Tries, due[1].Tries, due[0].Payload}, []any{1, 2, secret.New("payload of parked")})
	s.same("Parked", must(s.Health(s.ctx, t0))(s).Parked, 0)
	// A handler that still had it does not end it now.
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{{ID: parked, Fence: due[0].Fence - 1, Outcome: onboard.Handled}, {ID: parked, Fence: due[0].Fence, Outcome: onboard.Parked}}, t0))
	s.same("Parked", must(s.Health(s.ctx, t0))(s).Parked, 1)
}

// reviveArrivalRace: of many who press at once, one wins.
func (s *suite) reviveArrivalRace() {
	s.arrive("a")
	claimed := must(s.ClaimArrivals(s.ctx, t0, at(time.Minute), 9, ""))(s)
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{{ID: claimed[0].ID, Fence: claimed[0].Fence, Outcome: onboard.Parked}}, t0))
	won := make(chan bool, 8)
	s.race(8, func(_ int, st onboard.Store) error {
		_, ok, err := st.ReviveArrival(s.ctx, claimed[0].ID, at(time.Second), time.Minute)
		won <- ok
		return err
	})
	n := 0
	for range 8 {
		if <-won {
			n++
		}
	}
	s.same("revived", n, 1)
}

// reviveParked takes the oldest first and leaves alone what did not fail.
func (s *suite) reviveParked() {
	outcomes := []onboard.Outcome{onboard.Parked, onboard.Handled, onboard.Parked, "", onboard.Parked}
	for i, o := range outcomes {
		s.arrive(fmt.Sprint(i), func(a *onboard.Arrival) { a.ReceivedAt = at(time.Duration(i) * time.Second) })
		for _, a := range must(s.ClaimArrivals(s.ctx, at(time.Minute), at(2*time.Minute), 9, ""))(s) {
			s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{{ID: a.ID, Fence: a.Fence, Outcome: o, RetryAt: at(time.Hour)}}, at(time.Minute)))
		}
	}
	revive := func(limit int) int64 {
		s.Helper()
		return must(s.ReviveParked(s.ctx, at(3*time.Minute), limit))(s)
	}
	s.same("ReviveParked, two at most", revive(2), int64(2))
	due := must(s.ClaimArrivals(s.ctx, at(3*time.Minute), at(4*time.Minute), 9, ""))(s)
	s.same("due", digests(due), []string{"0", "2"})
	s.same("Tries, payload", []any{due[0].Tries, due[0].Payload}, []any{1, secret.New("payload of 0")})
	s.same("ReviveParked, the rest", revive(2), int64(1))
	s.same("ReviveParked of none", revive(2), int64(0))
}
