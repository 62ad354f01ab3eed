package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"usher/internal/chromium"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/views"
	adminviews "usher/views/admin"
)

// TestChromium_MendAccount: an admin finds the account that lacks a set through the
// filter, sends the one link, the merchant agrees in WeChat, and the account is well;
// then the merchant cancels, and the console says that too.
func TestChromium_MendAccount(t *testing.T) {
	browser := chromium.Start(t, chromium.Program(t), nil)
	w := startAll(t, options{quiet: true})
	w.ticket()
	if err := bringMerchants(t.Context(), w.svc, w.sim); err != nil {
		t.Fatal(err)
	}
	w.profiled(simulator.Takeaway)
	w.profiled(simulator.MiniShop)

	desk := newTab(t, browser, look{})
	w.enroll(desk, "陈晓")
	desk.open(w.base + adminviews.AccountsPath)
	desk.sees("禾木良品")
	desk.do(chromedp.SetValue(chromedp.CSS(`select[name=missing]`), "40"))
	desk.click(`.finder > button[type=submit]`)
	desk.until(`document.readyState === "complete" && location.search.includes("missing=40")`)
	desk.sees("山茶花外卖")
	desk.sees("共 1 个")
	desk.sees("缺 2 项权限")
	desk.click(`a.name`)
	desk.at(adminviews.AccountPath(simulator.Takeaway))
	desk.sees("还缺 2 项权限")
	desk.sees("“小程序插件管理”")
	desk.quiet()

	desk.click(`.note form[action$="/invite"] button`)
	desk.at(adminviews.InvitesPath + "/")
	desk.said() // whatever the page of the invite has to say is not this test's concern
	desk.open(w.base + adminviews.AccountPath(simulator.Takeaway))
	link := ask[string](desk, `document.getElementById("link").value`)
	if !strings.HasPrefix(link, w.base+views.InvitePath("")) {
		t.Fatalf("the link is %q", link)
	}

	phone := newTab(t, browser, look{agent: wechatAgent})
	phone.open(link)
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	phone.click(`input[value="` + simulator.Takeaway + `"]`)
	phone.click(agree)
	phone.at("/done/")
	w.deliver()

	desk.sees("正常") // by itself: the page is live
	desk.sees("权限增加“小程序客服管理”、“小程序插件管理”")
	if ask[bool](desk, `document.querySelector(".note.warn, .note.bad") !== null`) {
		t.Error("the account is still said to be unhappy")
	}
	desk.quiet()
	desk.open(w.base + adminviews.AccountsPath + "?missing=40")
	desk.sees("没有符合条件的账号")
	a, err := w.db.Account(t.Context(), simulator.Takeaway)
	if err != nil || len(a.Missing()) != 0 || a.Standing != onboard.Active {
		t.Errorf("the account is %+v, %v", a, err)
	}

	// The merchant leaves, which the open page says by itself, and the list keeps.
	desk.open(w.base + adminviews.AccountPath(simulator.Takeaway))
	if err := w.sim.Revoke(t.Context(), simulator.Takeaway); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	desk.sees("商家取消了授权")
	desk.sees("令牌已停用，历史保留")
	desk.quiet()
	desk.open(w.base + adminviews.AccountsPath + "?status=revoked")
	desk.sees("山茶花外卖")
	desk.sees("已取消授权")
}

// enroll makes an owner from the shell, who signs in for the first time in the tab.
func (w *world) enroll(b *tab, name string) {
	w.t.Helper()
	status, out := w.shell("admin", "create", name)
	if status != 0 {
		w.t.Fatalf("admin create = %d:\n%s", status, out)
	}
	b.open(setupAddress.FindString(out))
	b.do(chromedp.SendKeys(chromedp.CSS(`#password`), adminPassword), chromedp.SendKeys(chromedp.CSS(`#repeat`), adminPassword))
	b.click(`main form button[type=submit]`)
	b.until(`document.readyState === "complete" && location.pathname !== "/admin/setup"`)
	b.said() // the page that comes next is not this test's concern
}

// TestAccounts_WithoutScript does the same with forms alone, in a browser without
// scripts.
func TestAccounts_WithoutScript(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	if err := bringMerchants(t.Context(), w.svc, w.sim); err != nil {
		t.Fatal(err)
	}
	w.profiled(simulator.Takeaway)
	b := w.browser(desktopAgent)
	_, out := w.shell("admin", "create", "陈晓")
	b.open(setupAddress.FindString(out)).submit("/admin/setup", map[string][]string{"password": {adminPassword}, "repeat": {adminPassword}})
	b.open(w.base+adminviews.AccountsPath).submit(adminviews.AccountsPath, map[string][]string{"status": {adminviews.Acting}})
	b.expect(http.StatusOK, "山茶花外卖", "缺 2 项权限", "待你核对").click(simulator.Takeaway).expect(http.StatusOK, "还缺 2 项权限")
	b.submit("/refresh", nil).expect(http.StatusOK, "资料已更新")
	b.submit("/notes", map[string][]string{"note": {"电话打过了"}}).expect(http.StatusOK, "备注已添加", "电话打过了")
	b.click("/stop").expect(http.StatusOK, "停止服务“山茶花外卖”？").submit("/stop", nil).expect(http.StatusOK, "不再刷新令牌和转发")
	b.submit("/resume", nil).expect(http.StatusOK, "还缺 2 项权限")
}
