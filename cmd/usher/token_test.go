package main

import (
	"net/http"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestToken_Upkeep lets a working day pass. Every token that is served works.
func TestToken_Upkeep(t *testing.T) { upkeep(t, sqlite) }

func upkeep(t *testing.T, on engine) {
	c := &clock{}
	o := c.options()
	o.database = on(t).database
	w := startAll(t, o)
	w.ticket()
	w.sim.Change(func(o *simulator.Options) { o.RotateRefreshToken = true })
	w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	seen := map[string]bool{}
	for minute := 0; minute < 12*60; minute += 10 {
		c.advance(10 * time.Minute)
		if minute%60 == 0 {
			w.ticket()
		}
		if err := w.svc.KeepPlatform(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.svc.KeepFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		token := w.token(simulator.TeaHouse)
		if seen[token] = true; !w.sim.Works(token) {
			t.Fatalf("after %d minutes a token is served that WeChat refuses", minute+10)
		}
	}
	w.holds(simulator.TeaHouse)
	if n := len(seen); n < 6 || n > 12 {
		t.Errorf("%d tokens in 12 hours, want 7 to 9: each lives for two hours and is replaced 25 to 60 minutes before its end", n)
	}
	w.calm()
}

// TestToken_Refused lets WeChat refuse a refresh token with 61023. Such answers
// are often false, so WeChat's list is asked before a merchant is.
func TestToken_Refused(t *testing.T) {
	tests := []struct {
		name     string
		happen   func(*world) error
		standing onboard.Standing // after the next refresh
		served   bool
		later    onboard.Standing // after four days
		unread   bool             // the list cannot be read
	}{
		{"the list has another token", func(w *world) error { return w.sim.ReplaceRefreshToken(simulator.TeaHouse) },
			onboard.Active, true, onboard.Active, false},
		{"the list still has the account", func(w *world) error { return w.sim.KillRefreshToken(simulator.TeaHouse) },
			onboard.Active, false, onboard.NeedsRescan, false},
		{"the list does not have the account", func(w *world) error {
			w.faults(simulator.Faults{Push: simulator.PushFaults{Drop: 1}}) // nobody tells us
			return w.sim.Revoke(w.t.Context(), simulator.TeaHouse)
		}, onboard.NeedsRescan, false, onboard.Revoked, false},
		{"the list cannot be read", func(w *world) error {
			w.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.BadGateway, Path: listCall}}})
			return w.sim.KillRefreshToken(simulator.TeaHouse)
		}, onboard.Active, false, onboard.Active, true},
	}
	words := map[onboard.Standing]string{onboard.NeedsRescan: "需要重新授权", onboard.Revoked: "已取消"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			w := startAll(t, c.options())
			w.ticket()
			m := w.merchant(anyMini()).agree(simulator.TeaHouse)
			w.deliver()
			m.look().click("/m/")
			dashboard := m.desk.at.String()
			if err := tt.happen(w); err != nil {
				t.Fatal(err)
			}
			c.advance(101 * time.Minute)
			before := w.sim.Calls(listCall)
			if err := w.svc.KeepFresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if w.sim.Calls(listCall) == before {
				t.Error("WeChat's list was not asked")
			}
			if a := w.account(simulator.TeaHouse); a.Standing != tt.standing {
				t.Errorf("the account is %q, want %q", a.Standing, tt.standing)
			}
			if tt.served {
				w.holds(simulator.TeaHouse)
			}
			if tt.standing == onboard.NeedsRescan {
				m.desk.open(dashboard).expect(http.StatusOK, "需要重新授权", "请管理员重新扫码")
				w.refuses(simulator.TeaHouse, onboard.KeyNotAuthorized)
			} else {
				m.desk.open(dashboard).expect(http.StatusOK, "山茶花茶舍")
			}

			for range 4 * 24 {
				c.advance(time.Hour)
				w.ticket()
				if err := w.svc.KeepFresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := w.svc.KeepSwept(t.Context()); err != nil && !tt.unread {
					t.Fatal(err)
				}
			}
			if a := w.account(simulator.TeaHouse); a.Standing != tt.later {
				t.Errorf("four days later the account is %q, want %q", a.Standing, tt.later)
			}
			if tt.later == onboard.Active {
				return
			}
			m.desk.open(dashboard).expect(http.StatusOK, words[tt.later]).submit("/again", nil).expect(http.StatusOK, simulator.TeaHouse)
			m.began().agree(simulator.TeaHouse)
			m.phone.expect(http.StatusOK, "授权完成")
			m.desk.open(dashboard).expect(http.StatusOK, "连接正常")
			w.holds(simulator.TeaHouse)
		})
	}
}

// TestToken_RefusedAfterAList reads WeChat's list; then an account authorizes and
// its refresh token is refused. The list of before does not prove that the
// merchant has left.
func TestToken_RefusedAfterAList(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	w.merchant(anyMini()).agree(simulator.Takeaway)
	w.deliver()
	if err := w.sim.KillRefreshToken(simulator.Takeaway); err != nil {
		t.Fatal(err)
	}
	c.advance(101 * time.Minute)
	w.ticket()
	if err := w.svc.KeepFresh(t.Context()); err != nil { // asks for the list
		t.Fatal(err)
	}
	if w.sim.Calls(listCall) == 0 {
		t.Fatal("the list was not read, so this proves nothing")
	}

	// A token that is as good as over is refreshed by who reads it.
	w.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.ExpiresIn, Path: exchangePath, Value: "60"}}})
	w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	if err := w.sim.KillRefreshToken(simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	w.refuses(simulator.TeaHouse, onboard.KeyBlockedWeChat)
	if a := w.account(simulator.TeaHouse); a.Standing != onboard.Active {
		t.Errorf("the account is %q, want active: WeChat lists it", a.Standing)
	}
}
