package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"usher/internal/config"
	"usher/internal/simulator"
)

// TestHandOff_Refused presses the button while WeChat does not let us. Each cause
// has its own page, the same at the desk and on the phone, in both languages; no
// page tells a code of WeChat. Once the cause is gone, the button works.
func TestHandOff_Refused(t *testing.T) {
	fault := func(f simulator.Fault) func(*world) {
		return func(w *world) {
			f.Path = mintCall
			w.faults(simulator.Faults{API: []simulator.Fault{f}})
		}
	}
	calm := func(w *world) { w.faults(simulator.Faults{}) }
	wechat := [2][2]string{{"微信暂时没有响应", "请过一分钟再试。你填的内容已经保存。"}, {"WeChat is not answering", "Try again in a minute."}}
	provider := [2]string{"暂时不能发起授权", "Cannot start right now"}
	tests := []struct {
		name        string
		begin, end  func(*world)
		zh, en      [2]string // title and sentence
		withoutWord string    // what no page may say
	}{
		{"502", fault(simulator.Fault{Kind: simulator.BadGateway}), calm, wechat[0], wechat[1], "502"},
		{"a page instead of JSON", fault(simulator.Fault{Kind: simulator.HTML}), calm, wechat[0], wechat[1], "系统繁忙"},
		{"cut off", fault(simulator.Fault{Kind: simulator.ResetAfter}), calm, wechat[0], wechat[1], "reset"},
		{"no code in the answer", fault(simulator.Fault{Kind: simulator.EmptyToken}), calm, wechat[0], wechat[1], "pre_auth"},
		{"busy", fault(simulator.Fault{Kind: simulator.ErrCode, Code: -1}), calm, wechat[0], wechat[1], "-1 "},
		{"hang", fault(simulator.Fault{Kind: simulator.Hang}), calm, wechat[0], wechat[1], "deadline"},
		{"address not allowed",
			func(w *world) { w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.7"} }) },
			func(w *world) { w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil }) },
			[2]string{provider[0], "服务商的服务器还没有加入微信的白名单。请联系服务商。"}, [2]string{provider[1], ""}, "61004"},
		{"quota", func(w *world) { w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 0 }) },
			func(w *world) { w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 10000 }) },
			[2]string{"今天的次数用完了", "请明天再试，或联系服务商。"}, [2]string{"limit", ""}, "45009"},
		{"not released", fault(simulator.Fault{Kind: simulator.ErrCode, Code: 61028}), calm,
			[2]string{"这个平台还没有全网发布", "只有测试名单里的账号可以授权。请联系服务商。"}, [2]string{"not released", ""}, "61028"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := startAll(t, options{quiet: true})
			w.ticket()
			m := w.merchant(anyMini())
			english := w.browser(desktopAgent)
			english.language = "en"
			tt.begin(w)
			m.desk.submit("/pc", nil).expect(http.StatusServiceUnavailable, tt.zh[0], tt.zh[1])
			m.phone.open(w.phoneURL(m.look())).expect(http.StatusOK, tt.zh[0], tt.zh[1])
			english.open(m.attempt).expect(http.StatusOK, tt.en[0], tt.en[1])
			m.look().expect(http.StatusOK, tt.zh[0], tt.zh[1])
			for _, b := range []*browser{m.desk, m.phone, english} {
				for _, page := range b.shown {
					if strings.HasPrefix(page.at.String(), w.base) && strings.Contains(page.body, tt.withoutWord) {
						t.Errorf("%s says %q:\n%s", page.at, tt.withoutWord, page.body)
					}
				}
			}
			tt.end(w)
			w.svc.TryAgain() // WeChat is left alone after some answers
			m.phone.submit("/go", nil).expect(http.StatusOK, "授权确认").
				submit("", url.Values{"account": {simulator.TeaHouse}}).expect(http.StatusOK, "授权完成")
			m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
		})
	}
}

// TestHandOff_Recovers waits on the page of an attempt that cannot go on for a
// cause that is nobody's at the desk. When the cause is gone, the page goes on by
// itself.
func TestHandOff_Recovers(t *testing.T) {
	tests := []struct {
		name       string
		begin, end func(*world)
		blocked    string
	}{
		{"no ticket yet", func(*world) {}, func(w *world) { w.ticket() }, "没有收到微信的票据"},
		{"WeChat was down",
			func(w *world) {
				w.ticket()
				w.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.BadGateway}}})
			},
			func(w *world) { w.faults(simulator.Faults{}) }, "微信暂时没有响应"},
		{"address not allowed",
			func(w *world) {
				w.ticket()
				w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.7"} })
			},
			func(w *world) { w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil }) }, "白名单"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := startAll(t, options{quiet: true})
			m := w.merchant(anyMini())
			tt.begin(w)
			m.desk.submit("/pc", nil).expect(http.StatusServiceUnavailable, tt.blocked, "恢复后本页会自动更新")
			m.look().expect(http.StatusOK, tt.blocked)
			live := w.follow(m.desk, m.attempt)
			live.expect(tt.blocked)
			_ = w.svc.KeepPlatform(t.Context()) // fails for the same cause
			m.look().expect(http.StatusOK, tt.blocked)

			tt.end(w)
			if err := w.svc.KeepPlatform(t.Context()); err != nil { // every minute
				t.Fatal(err)
			}
			live.expect("等待扫码")
			m.look().expect(http.StatusOK, "等待扫码")
			m.agree(simulator.TeaHouse)
			live.expect("/done/") // where the page goes
			w.deliver()
			w.holds(simulator.TeaHouse)
		})
	}
}

// TestHandOff_WrongSecret starts with a secret that WeChat refuses.
func TestHandOff_WrongSecret(t *testing.T) {
	w := startAll(t, options{quiet: true})
	secret := w.sim.RotateSecret()
	w.ticket()
	m := w.merchant(anyMini())
	m.desk.submit("/pc", nil).expect(http.StatusServiceUnavailable, "暂时不能发起授权", "服务商的接入设置有误，微信没有接受。请联系服务商。")
	m.phone.open(w.phoneURL(m.look())).expect(http.StatusOK, "服务商的接入设置有误")
	m.desk.open(m.attempt+"?lang=en").expect(http.StatusOK, "Cannot start right now")
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Secret = config.Hide(secret)
	w.restart()
	w.ticket()
	m.phone.refresh()
	m.look().expect(http.StatusOK) // and goes on
	m.agree(simulator.TeaHouse)
	w.holds(simulator.TeaHouse)
}
