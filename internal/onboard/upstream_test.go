package onboard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

const (
	tokenPath   = "/cgi-bin/component/api_component_token"
	startPath   = "/cgi-bin/component/api_start_push_ticket"
	preAuthPath = "/cgi-bin/component/api_create_preauthcode"
)

// fault is a fault of one endpoint, or of all with an empty path.
func (w *world) fault(f ...simulator.Fault) {
	w.t.Helper()
	w.ok(w.sim.SetFaults(simulator.Faults{API: f}))
}

// upkeep lets time pass in steps of a minute, in each of which everything is
// kept that a running program keeps.
func (w *world) upkeep(long time.Duration) {
	w.t.Helper()
	for end := w.now().Add(long); w.now().Before(end); w.pass(time.Minute) {
		w.keep()
	}
}

func (w *world) keep() {
	w.t.Helper()
	ctx := w.t.Context()
	for _, job := range []func(context.Context) error{w.svc.HandleArrivals, w.svc.KeepPlatform, w.svc.KeepFresh, w.svc.ReadProfiles} {
		if err := job(ctx); err != nil {
			if _, ok := errors.AsType[*onboard.UpstreamError](err); !ok {
				w.ok(err)
			}
		}
	}
}

// serves reads a token and checks that it works; otherwise the error is one that
// says to come again.
func (w *world) serves(appID string) bool {
	w.t.Helper()
	token, _, err := w.svc.AccessToken(w.t.Context(), onboard.AppID(appID))
	if err != nil {
		if kind, key := onboard.Explain(err); kind != onboard.Unavailable {
			w.t.Errorf("AccessToken(%s) = %v, %s; want unavailable or a token", appID, err, key)
		}
		return false
	}
	if !w.sim.Works(token.Reveal()) {
		w.t.Errorf("AccessToken(%s) gave a token that WeChat refuses", appID)
	}
	return true
}

// ripen passes time until tokens are due.
func (w *world) ripen() { w.pass(105 * time.Minute) }

// TestUpstream is what WeChat does to its callers, row by row.
func TestUpstream(t *testing.T) {
	rows := map[string]func(*world){
		"platform token replaced by another holder": func(w *world) {
			w.authorize(simulator.TeaHouse)
			calls, fetches := w.sim.Calls(refreshPath), w.sim.Calls(tokenPath)
			const minutes = 30
			for range minutes * 2 {
				w.sim.InvalidatePlatformToken()
				w.ripen()
				w.keepTicket()
				w.keep()
				w.passed.Add(-int64(105*time.Minute - 30*time.Second)) // half a minute later, and due all the same
			}
			if n := w.sim.Calls(refreshPath) - calls; n > minutes*2*2 {
				w.t.Errorf("%d refreshes were sent in %d turns, want at most 2 for each", n, minutes*2)
			}
			if n := w.sim.Calls(tokenPath) - fetches; n > minutes*2+2 {
				w.t.Errorf("%d platform tokens were fetched in %d minutes", n, minutes)
			}
		},
		"ticket lost for hours": func(w *world) {
			w.authorize(simulator.TeaHouse)
			w.sim.Change(func(o *simulator.Options) { o.TicketsStopped = true })
			for range 11 * 6 {
				w.upkeep(10 * time.Minute)
				if !w.serves(simulator.TeaHouse) {
					w.t.Fatalf("nothing is served %v after the last ticket", w.now().Sub(begun))
				}
			}
			if n := w.sim.Calls(startPath); n < 15 || n > 22 {
				w.t.Errorf("the push of tickets was asked for %d times in 11 hours, want about once in 30 minutes", n)
			}
			w.upkeep(5 * time.Hour)
			if w.serves(simulator.TeaHouse) {
				w.t.Error("a token is served 16 hours after the last ticket")
			}
			w.ok(w.sim.PushTicket(w.t.Context()))
			w.keep()
			if !w.serves(simulator.TeaHouse) {
				w.t.Error("one ticket did not bring everything back")
			}
		},
		"ticket refused 61006": func(w *world) {
			w.pass(time.Minute)
			w.keepTicket() // a second one
			w.pass(2 * time.Hour)
			before, asked := w.sim.Calls(tokenPath), w.sim.Calls(startPath)
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: 61006, Path: tokenPath})
			w.keep()
			if n := w.sim.Calls(tokenPath) - before; n != 2 {
				w.t.Errorf("%d calls after a refused ticket, want 2: the ticket before it is tried once", n)
			}
			if n := w.sim.Calls(startPath) - asked; n != 1 {
				w.t.Errorf("the push was asked for %d times, want once", n)
			}
		},
		"WeChat is down for three hours": func(w *world) {
			w.authorize(crowdOf(40)...)
			w.upkeep(70 * time.Minute) // somewhere between two refreshes
			w.fault(simulator.Fault{Kind: simulator.BadGateway})
			before := w.allCalls()
			for minute := range 180 {
				w.keep()
				w.pass(time.Minute)
				for _, id := range crowdOf(40)[:4] {
					if !w.serves(id) && minute < 19 {
						w.t.Errorf("%s is not served %d minutes into an outage", id, minute)
					}
				}
				if minute%10 == 0 {
					w.keepTicket()
				}
			}
			if n := w.allCalls() - before; n > 180*12 {
				w.t.Errorf("%d calls in three hours in which nothing answered", n)
			}
			w.fault()
			w.pass(time.Minute)
			w.keep()
			w.pass(30 * time.Second)
			w.keep()
			for _, id := range crowdOf(40) {
				if !w.serves(id) {
					w.t.Errorf("%s is not served a minute after WeChat is back", id)
				}
				a, err := w.db.Account(w.t.Context(), onboard.AppID(id))
				if w.ok(err); a.Failures > 0 || a.Standing != onboard.Active {
					w.t.Errorf("the outage is counted against %s: %d failures, %s", id, a.Failures, a.Standing)
				}
			}
		},
		"an exchange waits out an outage": func(w *world) {
			w.ok(w.sim.AuthorizeSilently(w.t.Context(), simulator.TeaHouse, nil))
			w.fault(simulator.Fault{Kind: simulator.BadGateway})
			for range 5 {
				w.upkeep(30 * time.Minute)
				w.keepTicket()
			}
			h, err := w.db.Health(w.t.Context(), w.now())
			if w.ok(err); h.Parked > 0 || h.Waiting == 0 {
				w.t.Errorf("after two hours %d arrivals are parked and %d wait, want it to wait", h.Parked, h.Waiting)
			}
			w.fault()
			w.upkeep(15 * time.Minute)
			w.agrees(simulator.TeaHouse)
		},
		"quota of the day 45009": func(w *world) {
			w.authorize(simulator.TeaHouse)
			w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 50 })
			before := w.sim.Calls(preAuthPath)
			for range 500 {
				if _, err := w.press(); err != nil {
					if _, key := onboard.Explain(err); key != onboard.KeyBlockedQuota {
						w.t.Fatalf("HandOff = %v, want %s", err, onboard.KeyBlockedQuota)
					}
				}
				w.pass(3 * time.Second)
			}
			if n := w.sim.Calls(preAuthPath) - before; n > 52 {
				w.t.Errorf("%d calls with a quota of 50, want at most 52", n)
			}
			if !w.serves(simulator.TeaHouse) {
				w.t.Error("a quota of another call stops tokens from being served")
			}
			w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 1000 })
			w.pass(30 * time.Minute)
			if _, err := w.press(); err != nil {
				w.t.Errorf("HandOff with a new quota = %v", err)
			}
			if n := w.sim.Calls("/cgi-bin/clear_quota") + w.sim.Calls("/cgi-bin/component/clear_quota/v2"); n > 0 {
				w.t.Errorf("the quota was reset %d times, which is for a person to decide", n)
			}
		},
		"quota of the minute 45011": func(w *world) {
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: 45011, Path: preAuthPath, Next: 1})
			before := w.sim.Calls(preAuthPath)
			for range 59 {
				_, _ = w.press()
				w.pass(time.Second)
			}
			if n := w.sim.Calls(preAuthPath) - before; n != 1 {
				w.t.Errorf("%d calls within a minute of 45011, want 1", n)
			}
			w.pass(31 * time.Second)
			if _, err := w.press(); err != nil {
				w.t.Errorf("HandOff 90 s after 45011 = %v", err)
			}
		},
		"address refused 61004": func(w *world) {
			w.authorize(simulator.TeaHouse)
			w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.7"} })
			before := w.allCalls()
			for range 60 {
				if _, err := w.press(); err == nil {
					w.t.Fatal("HandOff succeeded")
				} else if _, key := onboard.Explain(err); key != onboard.KeyBlockedIP {
					w.t.Fatalf("HandOff = %v, want %s", err, onboard.KeyBlockedIP)
				} else if up, ok := errors.AsType[*onboard.UpstreamError](err); !ok || up.IP == "" {
					w.t.Fatalf("HandOff = %v, want the address that WeChat refuses", err)
				}
				w.pass(4 * time.Second)
			}
			if n := w.allCalls() - before; n > 2 {
				w.t.Errorf("%d calls in four minutes, want 1", n)
			}
			w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil })
			w.keep() // its minute's probe
			if _, err := w.press(); err != nil {
				w.t.Errorf("HandOff after the address was allowed = %v", err)
			}
		},
		"busy -1": func(w *world) {
			before := w.sim.Calls(preAuthPath)
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: -1, Path: preAuthPath, Next: 2})
			if _, err := w.press(); err != nil {
				w.t.Errorf("HandOff when WeChat is busy twice = %v, want the third call to count", err)
			}
			if n := w.sim.Calls(preAuthPath) - before; n != 3 {
				w.t.Errorf("%d calls, want 3", n)
			}
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: -1, Path: preAuthPath})
			before = w.sim.Calls(preAuthPath)
			if _, err := w.press(); err == nil {
				w.t.Error("HandOff succeeded")
			}
			if n := w.sim.Calls(preAuthPath) - before; n != 3 {
				w.t.Errorf("%d calls for one press, want at most 3", n)
			}
		},
		"a code is never sent again by itself": func(w *world) {
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: -1, Path: exchangePath})
			w.ok(w.sim.AuthorizeSilently(w.t.Context(), simulator.TeaHouse, nil))
			w.ok(w.svc.HandleArrivals(w.t.Context()))
			if n := w.sim.Calls(exchangePath); n != 1 {
				w.t.Errorf("%d exchanges in one turn, want 1", n)
			}
		},
		"false 61023": func(w *world) {
			w.authorize(crowdOf(40)...)
			w.ok(w.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.ErrCode, Code: 61023, Path: refreshPath, Percent: 5}}}))
			for range 12 {
				w.keepTicket()
				w.upkeep(time.Hour)
			}
			w.fault()
			w.upkeep(time.Hour)
			for _, id := range crowdOf(40) {
				if a, err := w.db.Account(w.t.Context(), onboard.AppID(id)); err != nil || a.Standing != onboard.Active {
					w.t.Errorf("%s is %s, %v; want active", id, a.Standing, err)
				}
				w.serves(id)
			}
		},
	}
	for _, code := range []int{48001, 61007, 50002} {
		rows[fmt.Sprintf("about the account %d", code)] = func(w *world) {
			w.authorize(simulator.TeaHouse)
			w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: code, Path: refreshPath})
			w.ripen()
			w.keepTicket()
			before := w.sim.Calls(refreshPath)
			w.upkeep(time.Hour)
			if n := w.sim.Calls(refreshPath) - before; n < 1 || n > 15 {
				w.t.Errorf("%d refreshes in an hour in which WeChat answers %d, want a few", n, code)
			}
			if a, err := w.db.Account(w.t.Context(), simulator.TeaHouse); err != nil || a.Standing != onboard.Active || a.Failures == 0 {
				w.t.Errorf("the account is %s with %d failures, %v; want it active and its failures counted", a.Standing, a.Failures, err)
			}
		}
	}
	for _, f := range []simulator.Fault{
		{Kind: simulator.BadGateway}, {Kind: simulator.HTML}, {Kind: simulator.Truncated}, {Kind: simulator.EmptyToken},
		{Kind: simulator.ErrCodeText}, {Kind: simulator.ResetBefore}, {Kind: simulator.ResetAfter}, {Kind: simulator.WrongAppID},
	} {
		rows["unreadable answer "+string(f.Kind)] = func(w *world) {
			w.authorize(simulator.TeaHouse)
			before, err := w.db.Credentials(w.t.Context(), simulator.TeaHouse)
			w.ok(err)
			f.Path = refreshPath
			w.ripen()
			w.keepTicket()
			w.fault(f)
			w.upkeep(5 * time.Minute)
			after, err := w.db.Credentials(w.t.Context(), simulator.TeaHouse)
			if w.ok(err); after.Refresh.Empty() || after.Access.Empty() || f.Kind != simulator.WrongAppID && after.Refresh != before.Refresh {
				w.t.Errorf("what is stored became %v, %v", after.Access, after.Refresh)
			}
			w.fault()
			w.upkeep(5 * time.Minute)
			if !w.serves(simulator.TeaHouse) {
				w.t.Error("nothing is served afterwards")
			}
		}
	}
	for _, value := range []string{"0", "-1", `"7200"`, `"soon"`, "1e30", "null"} {
		rows["expires_in "+value] = func(w *world) {
			w.authorize(simulator.TeaHouse)
			w.ripen()
			w.keepTicket()
			w.fault(simulator.Fault{Kind: simulator.ExpiresIn, Value: value, Path: refreshPath, Next: 1})
			w.ok(w.svc.KeepFresh(w.t.Context()))
			c, err := w.db.Credentials(w.t.Context(), simulator.TeaHouse)
			if life := c.AccessExpiresAt.Sub(w.now()); err != nil || life < time.Minute || life > 2*time.Hour {
				w.t.Errorf("a token lives for %v, %v; want between a minute and two hours", life, err)
			}
		}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := newWorldOf(t, func(c *simulator.Config) { c.Crowd = 40 })
			row(w)
		})
	}
}

// crowdOf lists accounts of a crowd.
func crowdOf(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = simulator.CrowdAppID(i)
	}
	return ids
}

// keepTicket brings a ticket and, when it is time, a platform token.
func (w *world) keepTicket() {
	w.t.Helper()
	w.ok(w.sim.PushTicket(w.t.Context()))
	w.ok(w.svc.HandleArrivals(w.t.Context()))
}

// press begins an attempt and presses its button.
func (w *world) press() (string, error) {
	w.t.Helper()
	a, err := w.svc.Begin(w.t.Context(), onboard.Wish{AuthType: onboard.MiniPrograms})
	w.ok(err)
	return w.svc.HandOff(w.t.Context(), a.ID, onboard.PC, "")
}

// allCalls counts the calls of every endpoint.
func (w *world) allCalls() (n int) {
	for _, c := range w.sim.Truth().Calls {
		n += c.Total
	}
	return n
}

// TestBoot_NoTicket: without any ticket the service says so and asks WeChat once.
func TestBoot_NoTicket(t *testing.T) {
	w, _ := newWorld(t)
	w.pass(13 * time.Hour) // the ticket of before is worth nothing
	r := w.svc.Ready(t.Context())
	if r.OK || fmt.Sprint(r.Reasons) != "[ticket_expired]" {
		t.Errorf("Ready = %+v, want ticket_expired", r)
	}
	w.sim.Change(func(o *simulator.Options) { o.TicketsStopped = true })
	for range 5 {
		w.ok(w.svc.KeepPlatform(t.Context()))
		w.pass(10 * time.Second)
	}
	if n := w.sim.Calls(startPath); n != 1 {
		t.Errorf("the push was asked for %d times within a minute, want once", n)
	}
	if _, err := w.press(); err == nil {
		t.Error("HandOff without a ticket succeeded")
	} else if _, key := onboard.Explain(err); key != onboard.KeyBlockedTicket {
		t.Errorf("HandOff = %v, want %s", err, onboard.KeyBlockedTicket)
	}
}
