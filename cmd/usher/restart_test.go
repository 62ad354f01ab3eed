package main

import (
	"net/http"
	"testing"

	"usher/internal/simulator"
)

// TestRestart stops the site between the redirect, which is stored, and the
// exchange, and starts it again with the same database. What the merchant
// granted is not lost, whatever WeChat made of the call in between.
func TestRestart(t *testing.T) { restart(t, sqlite) }

func restart(t *testing.T, on engine) {
	tests := []struct {
		name  string
		fault simulator.Fault
		page  string // what the browser reads that came back
		push  bool   // whether only the push can tell whose code it was
	}{
		{"WeChat is down", simulator.Fault{Kind: simulator.BadGateway}, "微信暂时没有响应", false},
		{"the call never reaches WeChat", simulator.Fault{Kind: simulator.ResetBefore}, "微信暂时没有响应", false},
		{"the answer is lost", simulator.Fault{Kind: simulator.ResetAfter, Next: 1}, "微信暂时没有响应", true},
		{"WeChat hangs", simulator.Fault{Kind: simulator.Hang, Next: 1}, "正在读取权限", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := startAll(t, on(t))
			w.ticket()
			tt.fault.Path = exchangePath
			w.faults(simulator.Faults{API: []simulator.Fault{tt.fault}})
			m := w.merchant(anyMini())
			back := m.consent(m.press(), simulator.TeaHouse)
			m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, tt.page)
			if err := w.stopSite(); err != nil {
				t.Fatal(err)
			}
			if _, err := http.Get(w.base); err == nil {
				t.Fatal("the site still answers")
			}
			w.faults(simulator.Faults{})
			w.restart()
			if tt.push {
				w.deliver()
			}
			w.shows(m.desk, m.attempt, "已授权 ") // the sentence of the result, with the number of sets
			w.holds(simulator.TeaHouse)
			m.phone.refresh().expect(http.StatusOK, "授权完成") // with the cookie of before
			m.phone.click("/m/").expect(http.StatusOK, "连接正常", simulator.TeaHouse)
			w.deliver()
			w.holds(simulator.TeaHouse)
		})
	}
}

// TestRestart_BetweenPages stops the site at every other step of an attempt. No
// page is lost, and nobody has to begin again.
func TestRestart_BetweenPages(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini())
	w.again()
	m.look().expect(http.StatusOK, "等待扫码")
	link := m.press()
	w.again()
	m.look().expect(http.StatusOK, "正在微信中确认")
	back := m.consent(link, simulator.TeaHouse)
	m.phone.load(http.MethodGet, back, nil).expect(http.StatusOK, "授权完成")
	w.again()
	m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍").click("/m/").expect(http.StatusOK, "连接正常")
	dashboard := m.desk.at.String()
	w.again()
	m.desk.open(dashboard).expect(http.StatusOK, "连接正常")
	w.deliver()
	w.exchanged(1)
	w.holds(simulator.TeaHouse)
}
