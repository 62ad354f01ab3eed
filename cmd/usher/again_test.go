package main

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestAgain authorizes an account once more while programs read its token.
// WeChat's new authorization kills both old tokens at once; from the moment the
// new ones are stored, nobody is served an old one.
func TestAgain(t *testing.T) { again(t, sqlite) }

func again(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	w.merchant(anyMini()).agree(simulator.TeaHouse, "17", "18")
	w.deliver()
	w.holds(simulator.TeaHouse)
	old := w.token(simulator.TeaHouse)

	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			seenNew := false
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond): // those who do the work want the processors too
				}
				token, _, err := w.svc.AccessToken(t.Context(), simulator.TeaHouse)
				if err != nil {
					t.Errorf("AccessToken during a new authorization: %v", err)
					return
				}
				if token.Reveal() != old {
					seenNew = true
				} else if seenNew {
					t.Error("the old token was served after the new one")
					return
				}
			}
		})
	}
	m := w.merchant(anyMini()).agree(simulator.TeaHouse, "17", "18")
	m.phone.expect(http.StatusOK, "已经授权过了", "权限没有变化")
	if w.token(simulator.TeaHouse) == old { // as the cache of a moment ago has it
		t.Error("the old token is served although the new one is stored")
	}
	w.holds(simulator.TeaHouse)
	close(stop)
	readers.Wait()
	if w.token(simulator.TeaHouse) == old || w.sim.Works(old) {
		t.Error("the old token is still in use")
	}
	m.look().expect(http.StatusOK, "这个小程序已经授权过了").click("/m/").expect(http.StatusOK, "连接正常")
	w.exchanged(2)
}

// TestAgain_OvertakenPush brings the push of an authorization only after the
// merchant has authorized again. Its code is worth nothing any more; the attempt
// that waits for it ends all the same.
func TestAgain_OvertakenPush(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	w.faults(simulator.Faults{Push: simulator.PushFaults{Delay: 30 * time.Minute}})
	first := w.merchant(anyMini())
	first.consent(first.press(), simulator.TeaHouse, 17)
	w.faults(simulator.Faults{})
	c.advance(15 * time.Minute)
	second := w.merchant(anyMini()).agree(simulator.TeaHouse, "17", "18")
	w.deliver()
	second.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.holds(simulator.TeaHouse)

	c.advance(20 * time.Minute) // the late push is due
	w.deliver()
	w.exchanged(1)
	w.holds(simulator.TeaHouse)
	first.look().expect(http.StatusOK, "这个小程序已经授权过了")
}

// TestAgain_OvertakenRedirect opens the way back of an authorization only after
// the merchant has authorized again, as a browser does that restores its tabs.
// The tokens of its code are dead; the live ones stay.
func TestAgain_OvertakenRedirect(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	w.faults(simulator.Faults{Push: simulator.PushFaults{Drop: 1}})
	first := w.merchant(anyMini())
	back := first.consent(first.press(), simulator.TeaHouse, 17)
	c.advance(15 * time.Minute)
	w.merchant(anyMini()).agree(simulator.TeaHouse, "17", "18")
	w.deliver()
	w.holds(simulator.TeaHouse)

	first.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "这个小程序已经授权过了")
	w.holds(simulator.TeaHouse)
	if a := w.account(simulator.TeaHouse); !a.Grants.Has(18) {
		t.Errorf("the account has %v, the sets of the older authorization", a.Grants.IDs())
	}
}

// TestWithdrawal cancels an authorization in WeChat's console: the pages say so
// and the tokens are not served. Then the merchant comes back.
func TestWithdrawal(t *testing.T) { withdrawal(t, sqlite) }

func withdrawal(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	m.look().click("/m/")
	dashboard := m.desk.at.String()
	w.holds(simulator.TeaHouse)

	if err := w.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.refuses(simulator.TeaHouse, onboard.KeyNotAuthorized)
	m.look().expect(http.StatusOK, "授权已取消", "“山茶花茶舍”在", "我们已停用它的令牌", "重新授权")
	m.phone.refresh().expect(http.StatusOK, "授权已取消")
	m.desk.open(dashboard).expect(http.StatusOK, "已取消", "山茶花茶舍")

	m.desk.submit("/again", nil).expect(http.StatusOK, simulator.TeaHouse)
	m.began().agree(simulator.TeaHouse)
	m.phone.expect(http.StatusOK, "授权完成")
	w.holds(simulator.TeaHouse)
	m.desk.open(dashboard).expect(http.StatusOK, "连接正常")
	w.calm()
}

// TestWithdrawal_Late brings pushes in another order than that in which things
// happened. What happened last counts.
func TestWithdrawal_Late(t *testing.T) {
	tests := []struct {
		name string
		gap  time.Duration // between the withdrawal and the new authorization
		by   string        // who brings the new authorization: r is the redirect, p the push
	}{
		{"an hour, by the push", time.Hour, "p"},
		{"an hour, by the redirect", time.Hour, "r"},
		{"the same moment, by the push", 0, "p"},
		{"the same moment, by the redirect", 0, "r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{}
			w := startAll(t, c.options())
			w.ticket()
			w.merchant(anyMini()).agree(simulator.TeaHouse, "17")
			w.deliver()
			w.faults(simulator.Faults{Push: simulator.PushFaults{Delay: 2 * time.Hour}})
			if err := w.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
				t.Fatal(err)
			}
			w.faults(simulator.Faults{})
			c.advance(tt.gap)
			m := w.merchant(anyMini())
			back := m.consent(m.press(), simulator.TeaHouse, 17, 18)
			if tt.by == "p" {
				w.deliver()
			} else {
				m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "权限已更新")
			}
			w.holds(simulator.TeaHouse)

			c.advance(2 * time.Hour) // the withdrawal comes
			w.deliver()
			if a := w.account(simulator.TeaHouse); a.Standing != onboard.Active {
				t.Errorf("an old withdrawal made the account %q", a.Standing)
			}
			// Nobody knew of the withdrawal when the merchant came back.
			m.look().expect(http.StatusOK, "权限已更新", "新增 1 项", "山茶花茶舍")
		})
	}
}

// TestWithdrawal_First brings the withdrawal before the push of the
// authorization that it ended.
func TestWithdrawal_First(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	w.faults(simulator.Faults{Push: simulator.PushFaults{Delay: time.Hour}})
	m := w.merchant(anyMini())
	m.consent(m.press(), simulator.TeaHouse)
	w.faults(simulator.Faults{})
	c.advance(10 * time.Minute)
	if err := w.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.refuses(simulator.TeaHouse, onboard.KeyNotAuthorized)

	c.advance(time.Hour) // the authorization comes
	w.deliver()
	w.exchanged(0)
	w.refuses(simulator.TeaHouse, onboard.KeyNotAuthorized)
	m.look().expect(http.StatusOK, "授权已取消", "重新授权")
}
