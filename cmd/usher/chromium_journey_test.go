package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"usher/internal/chromium"
	"usher/internal/simulator"
)

// What the pages are pressed and read by in these journeys.
const (
	next     = `form[action="/connect"] button[type=submit]`
	official = `form[action$="/pc"] button` // to WeChat's own page
	goOn     = `form[action$="/go"] button` // from the phone page to WeChat
	agree    = `button[name=agree]`         // on WeChat's page
	view     = `a[href^="/m/"]`             // from the result to the dashboard
	phoneURL = `document.querySelector('a[href*="/q/"]').href`
)

// TestChromium walks the journeys in a real browser, with the policies that the
// site sends in production and WeChat's check of where a browser comes from.
func TestChromium(t *testing.T) {
	browser := chromium.Start(t, chromium.Program(t), nil)
	for name, test := range map[string]func(*testing.T, context.Context){
		"desk and phone":       chromiumDeskAndPhone,
		"desktop page":         chromiumDesktopPage,
		"without script":       chromiumWithoutScript,
		"back from WeChat":     chromiumBack,
		"keyboard":             chromiumKeyboard,
		"code in the picture":  chromiumCode,
		"pages on the way":     chromiumPages,
		"what the policy does": chromiumPolicy,
		"invite":               chromiumInvite,
		"wrong account":        chromiumWrongAccount,
		"console by reloads":   chromiumConsoleWithoutScript,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has a site and profiles of its own
			test(t, browser)
		})
	}
}

// scanned begins an attempt in the tab at the desk and returns what its code says.
func scanned(w *world, desk *tab) (phone string) {
	w.t.Helper()
	desk.open(w.base + "/")
	desk.click(next)
	desk.at("/c/")
	return ask[string](desk, phoneURL)
}

func chromiumDeskAndPhone(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	walkDeskAndPhone(w, desk, phone)
}

// walkDeskAndPhone follows the page at the desk while a phone goes through.
func walkDeskAndPhone(w *world, desk, phone *tab) {
	w.t.Helper()
	code := scanned(w, desk)
	desk.sees("等待扫码")
	waiting := desk.shown()

	phone.open(code)
	desk.sees("手机已打开，等待确认")
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	w.origin("/wxaopen/safe/bindcomponent")
	desk.sees("正在微信中确认")
	if got := desk.shown(); !slices.Equal(got, waiting) {
		w.t.Errorf("the desk loaded %q; its page must change without", got[len(waiting):])
	}
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	desk.at("/done/") // on its own
	w.profiled(simulator.TeaHouse)
	for _, b := range []*tab{desk, phone} {
		b.click(view)
		b.at("/m/")
		b.sees("山茶花茶舍")
		b.sees("小程序开发与数据分析")
		ask[bool](b, `(document.querySelectorAll("details").forEach(function (d) { d.open = true; }), true)`) // a long list is folded
		b.sees("获取小程序码")
		b.quiet()
		for _, address := range b.shown() {
			if strings.HasPrefix(address, w.base+"/cb/") {
				w.t.Errorf("%s is a page of its own, which keeps the code in the history", address)
			}
		}
	}
	w.holds(simulator.TeaHouse)
}

func chromiumDesktopPage(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	scanned(w, desk)
	desk.click(official)
	desk.at("/cgi-bin/componentloginpage")
	w.origin("/cgi-bin/componentloginpage")
	phone.open(ask[string](desk, `document.getElementById("phone").href`))
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.sees("请回到电脑上继续")
	desk.at("/done/")
	// Only a browser that took part is shown the account. What tells us is the
	// cookie, which has to come along although WeChat's page sent the browser.
	desk.click(view)
	desk.at("/m/")
	desk.sees(simulator.TeaHouse)
	desk.quiet()
	w.cookies(desk, "usher-session", false)

	stranger := newTab(t, browser, look{})
	stranger.open(desk.shown()[slices.IndexFunc(desk.shown(), func(a string) bool { return strings.Contains(a, "/done/") })])
	if ask[bool](stranger, `document.querySelector('`+view+`') !== null`) {
		t.Error("a browser without the cookie is shown the way to the account")
	}
}

// cookies checks how the browser keeps the cookie that recognizes it.
func (w *world) cookies(b *tab, name string, secure bool) {
	w.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{w.base}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range got.Cookies {
		if c.Name != name {
			w.t.Errorf("there is a cookie %q, want %q alone", c.Name, name)
		}
		if !c.HTTPOnly || c.Secure != secure || c.SameSite != network.CookieSameSiteLax || c.Path != "/" {
			w.t.Errorf("cookie %s: HttpOnly %t, Secure %t, SameSite %s, Path %s; want true, %t, Lax, /",
				c.Name, c.HTTPOnly, c.Secure, c.SameSite, c.Path, secure)
		}
	}
	if len(got.Cookies) == 0 {
		w.t.Errorf("the browser keeps no cookie, want %q", name)
	}
}

func chromiumWithoutScript(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{noScript: true}), newTab(t, browser, look{agent: wechatAgent, noScript: true})
	code := scanned(w, desk)
	desk.sees("本页每 5 秒刷新一次。")
	phone.open(code)
	desk.sees("手机已打开，等待确认")
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	w.profiled(simulator.TeaHouse)
	desk.at("/done/")
	for _, b := range []*tab{desk, phone} {
		if hidden := ask[int](b, `document.querySelectorAll(".js-only").length - Array.from(document.querySelectorAll(".js-only")).filter(function (e) { return e.offsetParent === null; }).length`); hidden != 0 {
			t.Errorf("%s shows %d buttons that do nothing without script", b.address(), hidden)
		}
		b.click(view)
		b.at("/m/")
		b.sees("山茶花茶舍")
		b.quiet()
	}
}
