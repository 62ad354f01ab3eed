package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// TestDashboard_Renewed gives a merchant's page another address. The old one
// leads nowhere, and the pages of the attempt lead to the new one.
func TestDashboard_Renewed(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse)
	m.look().click("/m/")
	old := m.desk.at.String()
	m.desk.submit("/renew", nil).expect(http.StatusOK, "链接已更换，旧链接已失效", "山茶花茶舍")
	renewed := strings.Split(m.desk.at.String(), "?")[0]
	if renewed == old {
		t.Fatalf("the address is still %s", old)
	}
	holder := w.browser(desktopAgent) // the address is all it takes
	holder.open(renewed).expect(http.StatusOK, "连接正常", "山茶花茶舍")
	for _, address := range []string{old, old + "?renewed=1", old[:len(old)-1], w.base + "/m/x"} {
		holder.open(address).expect(http.StatusNotFound, "找不到这个页面")
		if strings.Contains(holder.body, "山茶花") {
			t.Errorf("%s still tells whose it was:\n%s", address, holder.body)
		}
	}
	m.look().click("/m/")
	if m.desk.at.String() != renewed {
		t.Errorf("the result leads to %s, want %s", m.desk.at, renewed)
	}
}

// TestLanguages walks through the states of an attempt in both languages at once.
// A language that was chosen stays.
func TestLanguages(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	zh, en := w.browser(desktopAgent), w.browser(desktopAgent)
	en.language = "en-GB,en;q=0.9,zh;q=0.5"
	chosen := w.browser(desktopAgent) // its system speaks Chinese
	chosen.open(w.base+"/").expect(http.StatusOK, "连接你的公众号或小程序").click("lang=en").expect(http.StatusOK)
	m := w.merchant(map[string][]string{"auth_type": {"2"}, "permission_sets": {"17|18|19"}})
	step := func(textZH, textEN string) {
		t.Helper()
		for b, want := range map[*browser][2]string{zh: {"zh-CN", textZH}, en: {"en", textEN}, chosen: {"en", textEN}} {
			b.open(m.attempt).expect(http.StatusOK, want[1])
			if lang, _ := attr(b.find("html")[0], "lang"); lang != want[0] || b.header.Get("Content-Language") != want[0] {
				t.Errorf("%s is in %q, Content-Language %q; want %s", b.at, lang, b.header.Get("Content-Language"), want[0])
			}
		}
	}
	step("等待扫码", "Waiting for a scan")
	m.phone.open(w.phoneURL(m.desk))
	step("手机已打开，等待确认", "Open on the phone")
	m.press()
	step("正在微信中确认", "Being confirmed in WeChat")
	c.advance(2 * time.Minute)
	step("还没完成授权", "Not finished yet")
	m.phone.submit("", map[string][]string{"account": {simulator.TeaHouse}, "permission": {"17", "18", "19"}})
	step("授权完成", "Connected")
	if err := w.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	w.settle()
	step("授权已取消", "Access cancelled")
	m = w.merchant(anyMini())
	c.advance(40 * time.Minute)
	step("二维码已过期", "This code has expired")
	zh.open(w.base+"/c/nobody").expect(http.StatusNotFound, "找不到这个页面")
	en.open(w.base+"/c/nobody").expect(http.StatusNotFound, "Page not found")
}
