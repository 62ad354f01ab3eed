package main

import (
	"net/http"
	"strings"
	"testing"

	"usher/internal/simulator"
)

// TestWitnesses brings the redirect and the push of one authorization in either
// order, or one of them alone. Every way ends with one exchange, the newest
// tokens and the account on the page at the desk.
func TestWitnesses(t *testing.T) { witnesses(t, sqlite) }

func witnesses(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	tests := []struct {
		name    string
		order   string // who comes, in order: r is the redirect, p the push
		account string
		change  func(*simulator.Options)
	}{
		{"redirect, then push", "rp", simulator.TeaHouse, nil},
		{"push, then redirect", "pr", simulator.Takeaway, nil},
		{"push alone", "p", simulator.Personal, nil},
		{"redirect alone", "r", simulator.MiniShop, nil},
		{"both again and again", "rrpprp", simulator.TakenElsewhere, nil},
		{"redirect, then push with another code", "rp", simulator.ServiceAccount, differentCodes},
		{"push, then redirect with another code", "pr", simulator.Subscription, differentCodes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := w.in(t)
			defer w.sim.Change(func(o *simulator.Options) { o.DifferentCodes = false })
			if tt.change != nil {
				w.sim.Change(tt.change)
			}
			w.faults(simulator.Faults{Push: simulator.PushFaults{
				Drop: 1 - min(1, strings.Count(tt.order, "p")), Duplicate: max(0, strings.Count(tt.order, "p")-1),
			}})
			defer w.faults(simulator.Faults{})
			before := w.sim.Calls(exchangePath)
			m := w.merchant(map[string][]string{"auth_type": {"3"}})
			redirect := m.consent(m.press(), tt.account)
			for _, who := range tt.order {
				if who == 'p' {
					w.deliver() // all copies
					continue
				}
				m.phone.load(http.MethodGet, redirect, nil).expect(http.StatusOK, "已授权")
				if !strings.HasPrefix(m.phone.at.Path, "/done/") {
					t.Errorf("the phone ended at %s, want /done/…", m.phone.at)
				}
			}
			w.profiled(tt.account)
			truth, _ := w.sim.Account(tt.account)
			m.look().expect(http.StatusOK, "授权完成", truth.Nickname).click("/m/").expect(http.StatusOK, "连接正常", tt.account)
			if n := w.sim.Calls(exchangePath) - before; n != 1 {
				t.Errorf("%s was called %d times, want 1", exchangePath, n)
			}
			w.holds(tt.account)
		})
	}
	w.calm()
}

func differentCodes(o *simulator.Options) { o.DifferentCodes = true }
