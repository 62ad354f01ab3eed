//go:build unix

package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// replica starts another program on the database of w, with WeChat's stand-in in
// common. Only the addresses to connect to differ.
func (w *world) replica(host func() time.Time) *world {
	w.t.Helper()
	ln := listenLocal(w.t)
	b := *w
	b.address, b.base = ln.Addr().String(), "http://"+ln.Addr().String()
	b.serveSite(program{cfg: w.cfg, log: w.logger, listener: ln, now: w.now, host: host})
	return &b
}

// off is the clock of a machine that is wrong.
func off(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

// TestReplicas runs two programs on one PostgreSQL, whose machines' clocks are 20
// minutes apart. WeChat is calm where every step of a page is looked at or calls are
// counted.
func TestReplicas(t *testing.T) {
	server := pgtest.Start(t)
	two := func(t *testing.T) (a, b *world) {
		a = startAll(t, options{quiet: true, database: server.Database(t), host: off(10 * time.Minute), simulator: func(c *simulator.Config) { c.Seed = seedOf(t, 1) }})
		return a, a.replica(off(-10 * time.Minute))
	}
	t.Run("LivePages", func(t *testing.T) {
		a, b := two(t)
		a.ticket()
		// The desk looks at the one; everything else happens at the other.
		m := a.merchant(anyMini())
		page := b.follow(m.desk, b.base+strings.TrimPrefix(m.attempt, a.base))
		page.expect("等待扫码")
		link := m.press()
		page.expect("正在微信中确认")
		m.phone.load(http.MethodGet, m.consent(link, simulator.TeaHouse), nil).expect(http.StatusOK, "授权完成")
		page.expect("授权完成")

		// And the other way round: the browser comes back to the second.
		m = a.merchant(anyMini())
		page = a.follow(m.desk, m.attempt)
		page.expect("等待扫码")
		back := m.consent(m.press(), simulator.Takeaway)
		page.expect("正在微信中确认")
		resp, err := http.Get(b.base + strings.TrimPrefix(back, a.base))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		page.expect("授权完成")
		b.holds(simulator.Takeaway)
		a.deliver()
		a.holds(simulator.Takeaway)
		a.exchanged(2)
	})
	t.Run("Clock", func(t *testing.T) {
		a, b := two(t)
		for name, w := range map[string]*world{"ahead": a, "behind": b} {
			if d := time.Until(w.svc.Now()).Abs(); d > 2*time.Second {
				t.Errorf("the program whose machine is %s is off by %v, want PostgreSQL's time", name, d)
			}
		}
	})
	t.Run("Update_InvalidatesCache", func(t *testing.T) { updateInvalidatesCache(t, two) })
	t.Run("OneRefreshPerToken", func(t *testing.T) {
		a, b := two(t)
		a.ticket()
		for _, id := range crowd {
			if err := a.sim.AuthorizeSilently(t.Context(), id, nil); err != nil {
				t.Fatal(err)
			}
		}
		a.settle()
		refresh := func() { // by both
			t.Helper()
			a.makeDue()
			both := make(chan error)
			for _, w := range []*world{a, b} {
				go func() { both <- w.svc.KeepFresh(t.Context()) }()
			}
			if err := errors.Join(<-both, <-both); err != nil {
				t.Fatal(err)
			}
		}
		// Slow answers, so that both are at it at the same time.
		a.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.Latency, Path: refreshCall, Delay: 50 * time.Millisecond}}})
		const rounds = 5
		for range rounds {
			refresh()
			a.eventually("accounts are still due", func(ctx context.Context) (bool, error) {
				h, err := a.db.Health(ctx, a.svc.Now())
				return h.OverdueAt.IsZero() || h.OverdueAt.After(a.svc.Now()), err
			})
		}
		if got, want := a.sim.Calls(refreshCall), rounds*len(crowd); got != want {
			t.Errorf("%d refreshes by two programs, want one for each of %d due tokens", got, want)
		}
		for _, id := range crowd {
			b.holds(id)
		}
		// A hostile WeChat costs more calls, and nothing else.
		a.misbehave()
		for range rounds {
			refresh()
		}
		if a.sim.Spoiled(refreshCall) == 0 {
			t.Error("WeChat was never hostile")
		}
		a.calmDown()
		for _, id := range crowd {
			b.holds(id)
		}
	})
}

// updateInvalidatesCache: what one program serves from memory ends as soon as
// another changes it, although the time that the memory is good for has not passed.
func updateInvalidatesCache(t *testing.T, two func(*testing.T) (a, b *world)) {
	a, b := two(t)
	a.ticket()
	if err := a.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil); err != nil {
		t.Fatal(err)
	}
	a.settle()
	old, _, err := b.svc.AccessToken(t.Context(), simulator.TeaHouse)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.sim.ChangePermissions(t.Context(), simulator.TeaHouse, []int{18}); err != nil {
		t.Fatal(err)
	}
	a.settle()
	begun := time.Now()
	b.eventually("the second program serves the token of before", func(ctx context.Context) (bool, error) {
		now, _, err := b.svc.AccessToken(ctx, simulator.TeaHouse)
		return now != old, err
	})
	if took := time.Since(begun); took > 3*time.Second { // it is kept for five
		t.Errorf("a changed token was served for %v more", took)
	}
	if _, err := a.svc.Stop(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	b.eventually("the second program serves a stopped account", func(ctx context.Context) (bool, error) {
		_, _, err := b.svc.AccessToken(ctx, simulator.TeaHouse)
		kind, _ := onboard.Explain(err)
		return err != nil && kind == onboard.NotFound, nil
	})
}

// TestReplicas_Restart: the other program takes over when one of two stops, and a
// browser that was at the one goes on at the other. WeChat becomes hostile in the same
// moment.
func TestReplicas_Restart(t *testing.T) {
	server := pgtest.Start(t)
	a := startAll(t, options{quiet: true, database: server.Database(t), simulator: func(c *simulator.Config) { c.Seed = seedOf(t, 1) }})
	b := a.replica(nil)
	a.ticket()
	m := b.merchant(anyMini())
	link := m.press()
	back := m.consent(link, simulator.TeaHouse)
	if err := a.stopSite(); err != nil { // where the redirect would have gone
		t.Fatal(err)
	}
	a.sim.SetEventURL(b.base + "/wechat/events")
	a.misbehave()
	resp, err := http.Get(b.base + strings.TrimPrefix(back, a.base))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if path, _ := url.PathUnescape(resp.Request.URL.Path); resp.StatusCode != http.StatusOK || !strings.HasPrefix(path, "/done/") {
		t.Errorf("the browser that came back to the other program is at %s, status %d", path, resp.StatusCode)
	}
	b.calmDown()
	b.holds(simulator.TeaHouse)
}

// TestReplicas_Rolling stops and starts two programs in turn, one each minute of an
// hour in which every token has to be refreshed, as an update that goes round and
// round would. Whoever asks the one that is there, while the other is away and as
// soon as it is back, gets a token that works at WeChat and lives for another minute.
func TestReplicas_Rolling(t *testing.T) {
	server := pgtest.Start(t)
	c := &clock{}
	o := c.options()
	o.database, o.still = server.Database(t), false
	a := startAll(t, o)
	both := []*world{a, a.replica(nil)}
	a.ticket()
	for _, id := range crowd {
		if err := a.sim.AuthorizeSilently(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	a.settle()
	// A program refreshes what is due as soon as it starts. WeChat is slow enough for
	// some of that to be under way when the program is stopped again.
	a.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.Late, Path: refreshCall, Delay: 150 * time.Millisecond, Spread: 150 * time.Millisecond}}})
	reads, before := 0, a.sim.Calls(refreshCall)
	readAll := func(w *world) {
		for _, id := range crowd {
			token, expires, err := w.svc.AccessToken(t.Context(), onboard.AppID(id))
			switch left := expires.Sub(c.now()); {
			case err != nil:
				t.Fatalf("reading the token of %s: %v", id, err)
			case !a.sim.Works(token.Reveal()) || left < time.Minute:
				t.Fatalf("the token of %s is dead, or lives for %v", id, left)
			}
			reads++
		}
	}
	c.advance(55 * time.Minute) // of the two hours that a token lives
	for minute := range 60 {
		stopped, other := both[minute%2], both[(minute+1)%2]
		c.advance(time.Minute)
		back := make(chan error)
		go func() { back <- stopped.stopSite() }()
		for away := true; away; {
			readAll(other)
			select {
			case err := <-back:
				if err != nil {
					t.Fatal(err)
				}
				away = false
			case <-time.After(time.Millisecond): // ask again
			}
		}
		readAll(other)
		stopped.restart()
		readAll(stopped)
		readAll(other)
	}
	refreshed := a.sim.Calls(refreshCall) - before
	if refreshed < len(crowd) {
		t.Errorf("%d refreshes, want at least one for each of %d tokens", refreshed, len(crowd))
	}
	t.Logf("%d reads, %d refreshes of %d tokens, 60 restarts", reads, refreshed, len(crowd))
}
