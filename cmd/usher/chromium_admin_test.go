package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/simulator"
)

// adminSignsIn makes somebody with this role and signs the tab in.
func (w *world) adminSignsIn(b *tab, role admin.Role) {
	w.t.Helper()
	console := admin.NewService(admin.Options{Store: w.db, Hasher: w.db.Hasher()})
	name := "陈晓 " + string(role)
	if _, err := console.CreateWithPassword(w.t.Context(), name, adminPassword, role); err != nil {
		w.t.Fatal(err)
	}
	b.open(w.base + "/admin")
	b.focused()
	b.do(chromedp.SendKeys(chromedp.CSS(`#name`), name), chromedp.SendKeys(chromedp.CSS(`#password`), adminPassword))
	b.click(`form button[type=submit]`)
	b.until(`document.readyState === "complete" && location.pathname === "/admin"`)
}

// asksFor fills in the form of an invite and sends it.
func (b *tab) asksFor(base string, fields map[string]string) (link string) {
	b.t.Helper()
	b.open(base + "/admin/invites/new")
	for name, value := range fields {
		b.do(chromedp.SendKeys(chromedp.CSS("#"+name), value))
	}
	b.click(`form[action="/admin/invites"] button[type=submit]`)
	b.until(`document.getElementById("invite-link") !== null`)
	return ask[string](b, `document.getElementById("invite-link").value`)
}

// agrees goes through WeChat on a phone with one account.
func (b *tab) agrees(link, appID string) {
	b.t.Helper()
	b.open(link)
	b.click(goOn)
	b.sees("授权给第三方平台")
	b.click(`input[value="` + appID + `"]`)
	b.click(agree)
	b.at("/done/")
}

// chromiumInvite: an admin invites a merchant and watches, without loading the page
// again, how the merchant opens the link and authorizes; then says that it is the
// right one.
func chromiumInvite(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	overview := newTab(t, browser, look{})
	w.adminSignsIn(overview, admin.Viewer)
	overview.sees("从这里开始")
	w.adminSignsIn(desk, admin.Operator)
	desk.sees("从这里开始")
	desk.click(`a[href="/admin/invites/new"]`)
	desk.at("/admin/invites/new")
	link := desk.asksFor(w.base, map[string]string{"recipient": "林小雨", "reference": "shop-7"})
	desk.sees("还没打开")
	if got := desk.read(); got != link {
		t.Errorf("the code on the page says %q, want %q", got, link)
	}
	waiting := desk.shown()

	phone.open(link)
	desk.sees("已打开")
	phone.sees("林小雨")
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	desk.sees("正在微信中确认")
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	phone.sees("已授权，等待核对")
	desk.sees("待核对")
	if got := desk.shown(); len(got) != len(waiting) {
		t.Errorf("the page of the invite loaded %q; it must change without", got[len(waiting):])
	}
	w.refuses(simulator.TeaHouse, onboard.KeyNotAuthorized)
	overview.sees("1 件事需要处理：1 个账号待核对") // on its own

	w.profiled(simulator.TeaHouse)
	desk.click(`a[href$="/decide"]`)
	desk.sees("这个账号是你邀请的商家吗？")
	desk.sees("山茶花茶舍")
	desk.click(`form:has([value=yes]) button`)
	desk.sees("已确认，开始服务。")
	w.holds(simulator.TeaHouse)
	overview.sees("没有需要处理的事")
	for _, b := range []*tab{desk, phone, overview} {
		b.quiet()
	}
}

// chromiumWrongAccount: another account comes than the one asked for. The admin says
// no, and on a second thought yes.
func chromiumWrongAccount(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	w.adminSignsIn(desk, admin.Operator)
	link := desk.asksFor(w.base, map[string]string{"recipient": "林小雨", "biz_appid": simulator.TeaHouse})
	phone.open(link)
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	// Somebody opened the link without biz_appid.
	redirect, err := w.sim.Consent(simulator.Consent{Link: strings.Replace(phone.address(), "&biz_appid="+simulator.TeaHouse, "", 1), AppID: simulator.Takeaway})
	if err != nil {
		t.Fatal(err)
	}
	phone.open(redirect)
	phone.sees("授权的不是指定账号")
	desk.sees("来了另一个账号")
	w.profiled(simulator.Takeaway)
	decide := func(answer string) {
		t.Helper()
		desk.open(w.base + "/admin/accounts/" + simulator.Takeaway + "/decide")
		desk.sees("山茶花外卖")
		desk.sees(simulator.TeaHouse)
		desk.click(fmt.Sprintf(`form:has([value=%s]) button`, answer))
	}
	decide("no")
	desk.sees("不服务它")
	w.refuses(simulator.Takeaway, onboard.KeyNotAuthorized)
	if a := w.account(simulator.Takeaway); a.Standing != onboard.Refused {
		t.Errorf("the account is %q, want it refused", a.Standing)
	}
	decide("yes")
	desk.sees("已确认，开始服务。")
	w.holds(simulator.Takeaway)

	// The merchant tries again by the button of the result, with the right account.
	phone.click(`form[action$="/again"] button`)
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	phone.sees("授权完成")
	w.holds(simulator.TeaHouse)
	desk.quiet()
	phone.quiet()
}

// chromiumConsoleWithoutScript does the same with reloads alone.
func chromiumConsoleWithoutScript(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{noScript: true}), newTab(t, browser, look{agent: wechatAgent, noScript: true})
	w.adminSignsIn(desk, admin.Operator)
	link := desk.asksFor(w.base, map[string]string{"recipient": "林小雨"})
	phone.agrees(link, simulator.TeaHouse)
	desk.click(`noscript a[href^="/admin/invites/"]`)
	desk.sees("待核对")
	desk.click(`a[href$="/decide"]`)
	desk.click(`form:has([value=yes]) button`)
	desk.sees("已确认，开始服务。")
	desk.open(w.base + "/admin")
	desk.sees("没有需要处理的事")
	if strings.Contains(ask[string](desk, `document.body.innerText`), "连接断开") {
		t.Error("the page says that a connection was lost, which it never had")
	}
	desk.quiet()
}
