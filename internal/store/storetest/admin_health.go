package storetest

import (
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func (s *adminSuite) pulse() {
	minute := func(n int) time.Time { return at(time.Duration(n) * time.Minute) }
	save := func(beats ...admin.Beat) { s.Helper(); s.ok(s.SavePulse(s.ctx, beats, nil, t0)) }
	save(admin.Beat{Minute: minute(0), Kind: "call", N: 2, LastAt: at(30 * time.Second)}, admin.Beat{Minute: minute(0), Kind: "call_failed", N: 1, LastAt: t0})
	save(admin.Beat{Minute: minute(0), Kind: "call", N: 3, LastAt: at(10 * time.Second)})
	save(admin.Beat{Minute: minute(5), Kind: "call", N: 1, LastAt: minute(5)})
	s.same("Pulse", pass(s.Pulse(s.ctx, t0))(s), []admin.Beat{
		{Kind: "call", N: 6, LastAt: minute(5)}, {Kind: "call_failed", N: 1, LastAt: t0},
	})
	s.same("Pulse of later minutes", pass(s.Pulse(s.ctx, minute(1)))(s), []admin.Beat{{Kind: "call", N: 1, LastAt: minute(5)}})
	s.ok(s.SavePulse(s.ctx, nil, nil, minute(1)))
	s.same("Pulse after the first minutes were dropped", pass(s.Pulse(s.ctx, t0))(s), []admin.Beat{{Kind: "call", N: 1, LastAt: minute(5)}})
}

// pulseRace adds to one minute from all stores at once.
func (s *adminSuite) pulseRace() {
	const writers = 8
	won := s.winners(writers, func(st admin.Store) (bool, error) {
		return true, st.SavePulse(s.ctx, []admin.Beat{{Minute: t0, Kind: "call", N: 1, LastAt: t0}},
			[]admin.Check{{Name: "a", FailedAt: t0, Since: t0, Times: 1}, {Name: "b", FailedAt: t0, Since: t0, Times: 1}}, t0)
	})
	s.same("writers", won, writers)
	s.same("Pulse", pass(s.Pulse(s.ctx, t0))(s), []admin.Beat{{Kind: "call", N: writers, LastAt: t0}})
	for _, c := range pass(s.Checks(s.ctx))(s) {
		s.same("times of "+string(c.Name), c.Times, writers)
	}
}

func (s *adminSuite) checks() {
	m := func(n int) time.Time { return at(time.Duration(n) * time.Minute) }
	failure := func(n, code int) admin.Check {
		return admin.Check{Name: "ip", FailedAt: m(n), Since: m(n), Times: 1, Code: code, What: "api_query_auth", RID: "r-1"}
	}
	first := failure(1, 61004)
	first.Address = "203.0.113.24"
	steps := []struct {
		what string
		save admin.Check
		want admin.Check
	}{
		{"a success", admin.Check{Name: "ip", OKAt: m(0)}, admin.Check{Name: "ip", OKAt: m(0)}},
		{"a failure", first, admin.Check{Name: "ip", OKAt: m(0), FailedAt: m(1), Since: m(1), Times: 1, Code: 61004, What: "api_query_auth", RID: "r-1", Address: "203.0.113.24"}},
		{"another, which names no address", failure(2, 40164), admin.Check{Name: "ip", OKAt: m(0), FailedAt: m(2), Since: m(1), Times: 2, Code: 40164, What: "api_query_auth", RID: "r-1", Address: "203.0.113.24"}},
		{"a success that is older", admin.Check{Name: "ip", OKAt: m(1)}, admin.Check{Name: "ip", OKAt: m(1), FailedAt: m(2), Since: m(1), Times: 2, Code: 40164, What: "api_query_auth", RID: "r-1", Address: "203.0.113.24"}},
		{"a success", admin.Check{Name: "ip", OKAt: m(3)}, admin.Check{Name: "ip", OKAt: m(3), FailedAt: m(2), Code: 40164, What: "api_query_auth", RID: "r-1", Address: "203.0.113.24"}},
		{"a success and then a failure", admin.Check{Name: "ip", OKAt: m(4), FailedAt: m(5), Since: m(5), Times: 1, Code: 61004},
			admin.Check{Name: "ip", OKAt: m(4), FailedAt: m(5), Since: m(5), Times: 1, Code: 61004, Address: "203.0.113.24"}},
		{"another subject", admin.Check{Name: "ip", Subject: "x", OKAt: m(1)}, admin.Check{Name: "ip", Subject: "x", OKAt: m(1), Address: "203.0.113.24"}},
	}
	for _, step := range steps {
		s.ok(s.SavePulse(s.ctx, nil, []admin.Check{step.save}, t0))
		s.same("Checks after "+step.what, pass(s.Checks(s.ctx))(s), []admin.Check{step.want})
	}
	s.ok(s.SavePulse(s.ctx, nil, []admin.Check{{Name: "a", OKAt: t0}}, t0))
	all := pass(s.Checks(s.ctx))(s)
	s.same("names", []admin.CheckName{all[0].Name, all[1].Name}, []admin.CheckName{"a", "ip"})
}

func (s *adminSuite) ticketTimes() {
	st, ok := s.Store.(onboard.Store)
	if !ok {
		s.Fatalf("%T is no onboard.Store", s.Store)
	}
	none, first, err := s.TicketTimes(s.ctx, t0)
	s.ok(err)
	s.same("TicketTimes of a new database", []any{none, first}, []any{[]time.Time(nil), time.Time{}})
	for i, minutes := range []int{20, 0, 10} {
		a := onboard.Arrival{Digest: string(rune('a' + i)), Type: onboard.TicketEvent, CreatedAt: t0, ReceivedAt: at(time.Duration(minutes) * time.Minute)}
		pass(st.SaveArrival(s.ctx, a))(s)
	}
	pass(st.SaveArrival(s.ctx, onboard.Arrival{Digest: "other", Type: onboard.UnauthorizedEvent, CreatedAt: t0, ReceivedAt: at(15 * time.Minute)}))(s)
	times, first, err := s.TicketTimes(s.ctx, at(5*time.Minute))
	s.ok(err)
	s.same("TicketTimes", times, []time.Time{at(10 * time.Minute), at(20 * time.Minute)})
	s.same("the first ticket", first, t0)
}

func (s *adminSuite) load() {
	st, ok := s.Store.(onboard.Store)
	if !ok {
		s.Fatalf("%T is no onboard.Store", s.Store)
	}
	l := pass(s.Load(s.ctx))(s)
	if l.DatabaseSize <= 0 {
		s.Errorf("DatabaseSize = %d", l.DatabaseSize)
	}
	l.DatabaseSize = 0
	s.same("Load of a new database", l, admin.Load{})
	for _, digest := range []string{"a", "b", "c"} {
		pass(st.SaveArrival(s.ctx, onboard.Arrival{Digest: digest, Type: onboard.UnauthorizedEvent, CreatedAt: t0, ReceivedAt: t0}))(s)
	}
	claimed := pass(st.ClaimArrivals(s.ctx, at(time.Minute), at(2*time.Minute), 2, ""))(s)
	s.ok(st.FinishArrivals(s.ctx, []onboard.ArrivalEnd{
		{ID: claimed[0].ID, Fence: claimed[0].Fence, Outcome: onboard.Parked}, {ID: claimed[1].ID, Fence: claimed[1].Fence, Outcome: onboard.Handled},
	}, at(time.Minute)))
	l = pass(s.Load(s.ctx))(s)
	l.DatabaseSize = 0
	s.same("Load", l, admin.Load{Waiting: 1, Parked: 1})
}

func (s *adminSuite) usage() {
	_, _, err := s.Usage(s.ctx)
	s.fails("Usage of a new database", err, onboard.ErrNoRow)
	s.ok(s.SaveUsage(s.ctx, nil, t0))
	want := []onboard.Usage{{API: "api_query_auth", DailyLimit: 10, Used: 4, Remain: 6, RateCalls: 100, RateWindow: time.Minute}}
	s.ok(s.SaveUsage(s.ctx, want, at(time.Hour)))
	all, when, err := s.Usage(s.ctx)
	s.ok(err)
	s.same("Usage", []any{all, when}, []any{want, at(time.Hour)})
}
