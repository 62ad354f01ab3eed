package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

func (s *suite) tickets() {
	s.same("Tickets of none", len(must(s.Tickets(s.ctx))(s)), 0)
	ticket := func(value string, minute int) onboard.Ticket {
		d := time.Duration(minute) * time.Minute
		return onboard.Ticket{Value: secret.New(value), CreatedAt: wechat(d), ReceivedAt: at(d)}
	}
	for _, tt := range []struct {
		ticket onboard.Ticket
		newest bool
	}{
		{ticket("t10", 10), true}, {ticket("t20", 20), true}, {ticket("t15", 15), false}, {ticket("t20 again", 20), true},
		{ticket("t30", 30), true}, {ticket("t40", 40), true}, {ticket("t10", 10), false},
	} {
		s.same("SaveTicket "+tt.ticket.Value.Reveal(), must(s.SaveTicket(s.ctx, tt.ticket))(s), tt.newest)
	}
	s.same("Tickets", must(s.Tickets(s.ctx))(s), []onboard.Ticket{ticket("t40", 40), ticket("t30", 30), ticket("t20 again", 20)})
	s.same("Health", must(s.Health(s.ctx, t0))(s).Ticket, ticket("t40", 40))
}

func (s *suite) platformToken() {
	_, err := s.PlatformToken(s.ctx)
	s.fails("PlatformToken of none", err, onboard.ErrNoRow)
	claim := func(now, until time.Duration) (int64, bool) {
		s.Helper()
		fence, ok, err := s.ClaimPlatformToken(s.ctx, at(now), at(until))
		s.ok(err)
		return fence, ok
	}
	lost, ok := claim(0, time.Minute)
	s.same("first claim", ok, true)
	_, ok = claim(time.Minute-1e6, time.Hour)
	s.same("while it is held", ok, false)
	_, err = s.PlatformToken(s.ctx)
	s.fails("PlatformToken while the first is fetched", err, onboard.ErrNoRow)
	fence, ok := claim(time.Minute, time.Hour)
	s.same("when the lease has ended", ok, true)

	want := onboard.PlatformToken{Value: secret.New("token"), FetchedAt: at(time.Minute), ExpiresAt: at(3 * time.Hour), Fence: lost}
	s.fails("SavePlatformToken of a lost claim", s.SavePlatformToken(s.ctx, want), onboard.ErrFenced)
	want.Fence = fence
	s.ok(s.SavePlatformToken(s.ctx, want))
	s.same("PlatformToken", must(s.PlatformToken(s.ctx))(s), want)

	next, ok := claim(2*time.Minute, time.Hour)
	s.same("after it was saved", ok, true)
	s.ok(s.SavePlatformToken(s.ctx, onboard.PlatformToken{Fence: next}))
	got := must(s.PlatformToken(s.ctx))(s)
	s.same("PlatformToken after a fetch that failed", []any{got.Value, got.FetchedAt, got.ExpiresAt}, []any{want.Value, want.FetchedAt, want.ExpiresAt})
	_, ok = claim(2*time.Minute, time.Hour)
	s.same("after the lease was given back", ok, true)
}

func (s *suite) platformTokenRace() {
	for round := range 3 {
		now := at(time.Duration(round) * time.Hour)
		var won atomic.Int64
		s.race(8, func(_ int, st onboard.Store) error {
			_, ok, err := st.ClaimPlatformToken(s.ctx, now, now.Add(time.Minute))
			if ok {
				won.Add(1)
			}
			return err
		})
		s.same("claims won", won.Load(), int64(1))
	}
}

func link(hash string, appID onboard.AppID) onboard.DashboardLink {
	return onboard.DashboardLink{Hash: hash, Token: secret.New("token of " + hash), AppID: appID, CreatedAt: t0}
}

func (s *suite) links() {
	first, other := link("h1", "wx1"), link("h2", "wx2")
	s.ok(s.SaveLink(s.ctx, first))
	s.ok(s.SaveLink(s.ctx, other))
	s.ok(s.SaveLink(s.ctx, link("h3", "wx1"))) // there is one: the stored one counts
	s.same("LinkByHash", must(s.LinkByHash(s.ctx, "h1"))(s), first)
	s.same("LinkByAppID", must(s.LinkByAppID(s.ctx, "wx1"))(s), first)
	_, err := s.LinkByHash(s.ctx, "h3")
	s.fails("LinkByHash of a second live link", err, onboard.ErrNoRow)

	next := link("h4", "wx1")
	s.ok(s.RevokeLink(s.ctx, "h1", next, at(time.Minute)))
	_, err = s.LinkByHash(s.ctx, "h1")
	s.fails("LinkByHash of a revoked link", err, onboard.ErrNoRow)
	s.same("LinkByAppID", must(s.LinkByAppID(s.ctx, "wx1"))(s), next)
	s.same("LinkByAppID of another account", must(s.LinkByAppID(s.ctx, "wx2"))(s), other)
	for _, hash := range []string{"h1", "nope"} {
		s.fails("RevokeLink("+hash+")", s.RevokeLink(s.ctx, hash, link("h5", "wx1"), t0), onboard.ErrNoRow)
	}
	s.same("LinkByAppID after revoking nothing", must(s.LinkByAppID(s.ctx, "wx1"))(s), next)
}

func (s *suite) linkRace() {
	s.race(8, func(i int, st onboard.Store) error { return st.SaveLink(s.ctx, link(fmt.Sprint("h", i), "wx1")) })
	live := must(s.LinkByAppID(s.ctx, "wx1"))(s)
	var revoked atomic.Int64
	s.race(8, func(i int, st onboard.Store) error {
		err := st.RevokeLink(s.ctx, live.Hash, link(fmt.Sprint("n", i), "wx1"), t0)
		if err == nil {
			revoked.Add(1)
		} else if !errors.Is(err, onboard.ErrNoRow) {
			return err
		}
		return nil
	})
	s.same("revocations", revoked.Load(), int64(1))
}

func (s *suite) health() {
	h := must(s.Health(s.ctx, t0))(s)
	s.same("Health of an empty store", h, onboard.Health{Migrated: true})
	s.arrive("d")
	s.authorize("1", arrived("wx1", func(a *onboard.Arrived) { a.DueAt = at(time.Hour) }))
	s.authorize("2", arrived("wx2", func(a *onboard.Arrived) { a.DueAt, a.Standing = at(2*time.Hour), onboard.Quarantined }))
	h = must(s.Health(s.ctx, at(time.Minute)))(s)
	s.same("Health", h, onboard.Health{Migrated: true, Waiting: 1, Accounts: 1})
	h = must(s.Health(s.ctx, at(3*time.Hour)))(s)
	s.same("OverdueAt", h.OverdueAt, at(time.Hour))
	for _, c := range []struct {
		check   admin.Check
		damaged bool
	}{{admin.Check{OKAt: t0}, false}, {admin.Check{FailedAt: at(time.Hour)}, true}, {admin.Check{OKAt: at(2 * time.Hour)}, false}} {
		c.check.Name = admin.CheckDatabase
		s.ok(s.Store.(admin.HealthStore).SavePulse(s.ctx, nil, []admin.Check{c.check}, t0))
		s.same("Damaged", must(s.Health(s.ctx, t0))(s).Damaged, c.damaged)
	}
}

// canceledContext: nobody who gave up is told that something was stored.
func (s *suite) canceledContext() {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.SaveArrival(ctx, onboard.Arrival{Digest: "d", ReceivedAt: t0}); !errors.Is(err, context.Canceled) {
		s.Errorf("SaveArrival with a context that ended = %v, want context.Canceled", err)
	}
	if err := s.SaveAttempt(ctx, attempt("a")); !errors.Is(err, context.Canceled) {
		s.Errorf("SaveAttempt with a context that ended = %v, want context.Canceled", err)
	}
	s.same("arrivals", len(must(s.ClaimArrivals(s.ctx, t0, at(time.Minute), 9, ""))(s)), 0)
	_, err := s.Attempt(s.ctx, "a")
	s.fails("Attempt", err, onboard.ErrNoRow)
}
