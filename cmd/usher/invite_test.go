package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestInvite sends an invite to an admin who opens it two days later inside
// WeChat, with the Referer checked and no browser but WeChat's let in.
func TestInvite(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	w.sim.Change(func(o *simulator.Options) { o.WeChatBrowserOnly = true })
	m := w.merchant(url.Values{"auth_type": {"2"}, "permission_sets": {"17|18"}})
	m.desk.submit("/invite", url.Values{"recipient": {"陈晓"}}).expect(http.StatusOK, "邀请链接", "陈晓")
	address := w.base + mustFind(t, `/i/[0-9A-Z]{10}`, m.desk.body)

	c.advance(48 * time.Hour)
	w.ticket()
	computer := w.browser(desktopAgent)
	computer.open(address).expect(http.StatusOK, "用手机微信扫一扫")
	m.phone.open(address).expect(http.StatusOK, "授权小程序给 Usher", "陈晓", "申请 2 项权限")
	m.phone.click("not_admin").expect(http.StatusOK, "请管理员来授权")
	admin := w.browser(wechatAgent)
	admin.open(address).submit("/go", nil).expect(http.StatusOK, "授权确认").
		submit("", url.Values{"account": {simulator.TeaHouse}}).expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.deliver()
	m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")

	m.phone.open(address).expect(http.StatusOK, "这个邀请已经用过了")
	for _, b := range []*browser{m.phone, computer} {
		if b.open(address); strings.Contains(b.body, "山茶花") || len(b.links("/m/")) > 0 {
			t.Errorf("somebody who took no part is shown the account:\n%s", b.body)
		}
	}
	admin.open(address).expect(http.StatusOK, "这个邀请已经用过了").click("/done/").expect(http.StatusOK, "山茶花茶舍")
	w.holds(simulator.TeaHouse)
}

// TestInvite_Expired opens an invite after its seven days.
func TestInvite_Expired(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	m := w.merchant(anyMini())
	m.desk.submit("/invite", nil)
	address := w.base + mustFind(t, `/i/[0-9A-Z]{10}`, m.desk.body)
	c.advance(onboard.InviteLife - time.Minute)
	w.ticket()
	m.phone.open(address).expect(http.StatusOK, "授权小程序给 Usher")
	c.advance(2 * time.Minute)
	m.phone.submit("/go", nil).expect(http.StatusGone, "邀请已过期", "请让发给你的人重新发一个")
	m.phone.open(address).expect(http.StatusOK, "邀请已过期")
	m.look().expect(http.StatusOK, "邀请已过期", "重新发起")
	if n := w.sim.Calls(mintCall); n != 0 {
		t.Errorf("%d codes were minted for an invite that is over", n)
	}
}

// TestExpired lets the half hour of an attempt pass, takes a new code and comes
// to the end with it.
func TestExpired(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"2"}, "permission_sets": {"17|18"}})
	phoneURL := w.phoneURL(m.desk)
	m.phone.open(phoneURL).expect(http.StatusOK, "去授权")
	c.advance(onboard.DeskLife + time.Second)
	m.phone.submit("/go", nil).expect(http.StatusGone, "链接已过期", "请在电脑上换一个二维码再扫")
	m.look().expect(http.StatusOK, "二维码已过期", "换一个二维码").submit("/again", nil).expect(http.StatusOK, "等待扫码", "2 项")
	if w.phoneURL(m.desk) == phoneURL {
		t.Error("the new code is the old one")
	}
	m.began().agree(simulator.TeaHouse)
	m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
}

// TestExpired_TooLateToMatter agrees at WeChat after the attempt has ended: what
// the merchant granted counts all the same.
func TestExpired_TooLateToMatter(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	m := w.merchant(anyMini())
	c.advance(25 * time.Minute)
	link := m.press()
	c.advance(10 * time.Minute)
	m.look().expect(http.StatusOK, "二维码已过期")
	m.phone.load(http.MethodGet, m.consent(link, simulator.TeaHouse), nil).expect(http.StatusOK, "授权完成")
	w.deliver()
	m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.holds(simulator.TeaHouse)
}

// TestNoAnswer presses the button and closes WeChat's page: the desk says so
// after a while, and both ways on work.
func TestNoAnswer(t *testing.T) {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"2"}, "biz_appid": {simulator.TeaHouse}})
	link := m.press()
	m.look().expect(http.StatusOK, "正在微信中确认")
	m.phone.open(w.phoneURL(m.desk)).expect(http.StatusOK, "还没完成授权", "继续授权", "我已完成，检查一下")
	c.advance(2 * time.Minute)
	m.look().expect(http.StatusOK, "还没完成授权").submit("/check", nil).expect(http.StatusOK, "还没有查到")

	// The redirect is lost, and the push with it: the check finds the account.
	w.faults(simulator.Faults{Push: simulator.PushFaults{Drop: 1}})
	m.consent(link, simulator.TeaHouse)
	c.advance(time.Minute)
	m.look().submit("/check", nil).expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.exchanged(0) // the code never came
	w.holds(simulator.TeaHouse)
}
