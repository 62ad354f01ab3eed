package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// TestCallback_Foreign opens the address to which WeChat sends browsers back in
// ways in which WeChat does not.
func TestCallback_Foreign(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini())
	back := m.consent(m.press(), simulator.TeaHouse)
	address, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	code := address.Query().Get("auth_code")
	cb := w.base + address.Path
	stranger := w.browser(desktopAgent)
	tests := []struct {
		name, address string
		status        int
		text          string
	}{
		{"no state", w.base + "/cb/?auth_code=" + url.QueryEscape(code), http.StatusNotFound, "找不到这个页面"},
		{"a state of nobody", w.base + "/cb/" + strings.Repeat("A", 43) + "?auth_code=" + url.QueryEscape(code), http.StatusNotFound, "找不到这个页面"},
		{"a state cut short", strings.TrimSuffix(cb, cb[len(cb)-1:]) + "?auth_code=" + url.QueryEscape(code), http.StatusNotFound, "找不到这个页面"},
		{"no code", cb, http.StatusUnprocessableEntity, ""},
		{"an empty code", cb + "?auth_code=", http.StatusUnprocessableEntity, ""},
		{"two codes", cb + "?auth_code=a&auth_code=b", http.StatusUnprocessableEntity, ""},
		{"an endless code", cb + "?auth_code=" + strings.Repeat("a", 5000), http.StatusUnprocessableEntity, ""},
	}
	for _, tt := range tests {
		stranger.open(tt.address).expect(tt.status, tt.text)
		if strings.Contains(stranger.at.String(), "auth_code=q") || strings.Contains(stranger.at.RawQuery, "aaaa") {
			t.Errorf("%s: the code stays in the address bar: %s", tt.name, stranger.at)
		}
	}
	w.exchanged(0)
	m.look().expect(http.StatusOK, "正在微信中确认") // nothing of this reached the attempt

	// A code that is none is asked about once; the real one still works.
	stranger.open(cb+"?auth_code=queryauthcode%40%40%40nonsense").expect(http.StatusOK, "需要再授权一次")
	w.exchanged(1)
	m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "授权完成")
	w.exchanged(2)
	// Loaded again, by "back" or by another browser that got hold of it.
	m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "授权完成", "山茶花茶舍")
	stranger.open(back).expect(http.StatusOK)
	if strings.Contains(stranger.body, "山茶花") || len(stranger.links("/m/")) > 0 {
		t.Errorf("a stranger with the address reads:\n%s", stranger.body)
	}
	w.exchanged(2)
	w.deliver()
	w.holds(simulator.TeaHouse)
}

// TestCallback_CodeOfAnother presents the code of one attempt at the redirect of
// another. The push, which comes from WeChat itself, decides whose it is.
func TestCallback_CodeOfAnother(t *testing.T) { codeOfAnother(t, sqlite) }

func codeOfAnother(t *testing.T, on engine) {
	for name, pushFirst := range map[string]bool{"redirect first": false, "push first": true} {
		t.Run(name, func(t *testing.T) {
			w := startAll(t, on(t))
			w.ticket()
			a, b := w.merchant(anyMini()), w.merchant(anyMini())
			stateOfA, err := url.Parse(a.press())
			if err != nil {
				t.Fatal(err)
			}
			back, err := url.Parse(b.consent(b.press(), simulator.TeaHouse))
			if err != nil {
				t.Fatal(err)
			}
			swapped := stateOfA.Query().Get("redirect_uri") + "?" + back.RawQuery
			if pushFirst {
				w.deliver()
			}
			a.phone.load(http.MethodGet, swapped, nil).expect(http.StatusOK)
			if !pushFirst {
				w.deliver()
			}
			w.exchanged(1)
			b.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
			a.look().expect(http.StatusOK)
			a.phone.refresh().expect(http.StatusOK)
			for _, wrong := range []*browser{a.desk, a.phone} {
				if strings.Contains(wrong.body, "山茶花") || len(wrong.links("/m/")) > 0 {
					t.Errorf("attempt A is shown the account of B:\n%s", wrong.body)
				}
				if strings.Contains(wrong.body, "正在读取权限") {
					t.Errorf("attempt A waits for ever:\n%s", wrong.body)
				}
			}
			// And A can still come to an end of its own.
			if strings.Contains(a.desk.body, "/again") {
				a.desk.submit("/again", nil)
				a.began()
			}
			a.agree(simulator.Takeaway)
			a.look().expect(http.StatusOK, "授权完成", "山茶花外卖")
			w.holds(simulator.TeaHouse)
		})
	}
}

// TestCallback_ExpiredCode comes back after the code's hour. The page says what
// to do; the push, which names the account, brings it all the same.
func TestCallback_ExpiredCode(t *testing.T) {
	for name, pushComes := range map[string]bool{"no push": false, "late push": true} {
		t.Run(name, func(t *testing.T) {
			c := &clock{}
			w := startAll(t, c.options())
			w.ticket()
			m := w.merchant(anyMini())
			w.faults(simulator.Faults{Push: simulator.PushFaults{Delay: 70 * time.Minute}})
			back := m.consent(m.press(), simulator.TeaHouse)
			w.faults(simulator.Faults{})
			c.advance(65 * time.Minute)
			m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "需要再授权一次", "授权码已经失效")
			if pushComes {
				c.advance(10 * time.Minute)
				w.deliver()
				m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
				w.holds(simulator.TeaHouse)
				return
			}
			m.look().expect(http.StatusOK, "需要再授权一次").submit("/again", nil).expect(http.StatusOK)
			m.began().agree(simulator.TeaHouse)
			m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
			w.holds(simulator.TeaHouse)
		})
	}
}
