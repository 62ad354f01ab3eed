package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"usher/internal/chromium"
	"usher/internal/onboard"
	"usher/internal/simulator"
)

// way is how a person goes through our pages.
type way struct {
	name     string
	noScript bool
	press    func(b *tab, selector string) // a link or a button
}

// ways are those without a script, and without a mouse.
var ways = []way{
	{"without script", true, (*tab).click},
	{"by keyboard", false, (*tab).enter},
}

// enter comes to the element with the Tab key and presses Enter. A link is followed
// as soon as the key is down; the character that comes after it, which a keyboard's
// browser drops, would go to the field that the link leads to.
func (b *tab) enter(selector string) {
	b.t.Helper()
	b.tabTo(selector)
	if !ask[bool](b, `document.activeElement.matches("a")`) {
		b.do(chromedp.KeyEvent(kb.Enter))
		return
	}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if err := chromium.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// walk is one person's journey on the way of this part of the test.
type walk struct {
	*world
	way
	clock       *clock
	desk, phone *tab
}

// TestChromium_Ways walks every journey of a merchant without script and by
// keyboard alone. On WeChat's pages, which are not ours, a mouse presses.
func TestChromium_Ways(t *testing.T) {
	browser := chromium.Start(t, chromium.Program(t), nil)
	for name, journey := range map[string]func(walk){
		"desk and phone":    walk.deskAndPhone,
		"WeChat's page":     walk.officialPage,
		"invite":            walk.invite,
		"gone away":         walk.goneAway,
		"permission left":   walk.permissionLeft,
		"wrong account":     walk.wrongAccount,
		"expired":           walk.expired,
		"WeChat is down":    walk.down,
		"cancelled":         walk.cancelled,
		"mistake in a form": walk.mistake,
	} {
		for _, how := range ways {
			t.Run(name+" "+how.name, func(t *testing.T) {
				t.Parallel() // each has a site and profiles of its own
				journey(newWalk(t, browser, how))
			})
		}
	}
}

func newWalk(t *testing.T, browser context.Context, how way) walk {
	c := &clock{}
	w := startAll(t, c.options())
	w.ticket()
	return walk{world: w, way: how, clock: c,
		desk:  newTab(t, browser, look{noScript: how.noScript}),
		phone: newTab(t, browser, look{noScript: how.noScript, agent: wechatAgent}),
	}
}

// begin fills in the form and returns what the code at the desk says.
func (k walk) begin() (code string) {
	k.t.Helper()
	k.desk.open(k.base + "/")
	k.press(k.desk, next)
	k.desk.at("/c/")
	return ask[string](k.desk, phoneURL)
}

// consent agrees on WeChat's page in a tab that is there.
func (k walk) consent(b *tab, appID string, without ...string) {
	k.t.Helper()
	b.sees("授权给第三方平台")
	b.click(`input[name=account][value="` + appID + `"]`)
	for _, set := range without {
		b.click(`input[name=permission][value="` + set + `"]`)
	}
	b.click(agree)
	b.until(`document.querySelector("button[name=agree]") === null`)
}

// look has a person look at the desk again. Its page comes to that by itself, but
// without script it takes up to five seconds.
func (k walk) look() {
	k.t.Helper()
	shown := k.desk.shown() // asking the page would fail when it just reloads itself
	if k.noScript && strings.Contains(shown[len(shown)-1], "/c/") {
		k.desk.do(chromedp.Reload())
	}
}

// account goes on from the result to the page of the account.
func (k walk) account(b *tab) {
	k.t.Helper()
	if b == k.desk {
		k.look()
	}
	b.at("/done/")
	k.profiled(simulator.TeaHouse)
	k.press(b, view)
	b.at("/m/")
	b.sees("山茶花茶舍")
	b.sees("连接正常")
	b.quiet()
}

func (k walk) deskAndPhone() {
	code := k.begin()
	k.phone.open(code)
	k.desk.sees("手机已打开，等待确认")
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.phone)
	k.account(k.desk) // which moved on by itself
	k.holds(simulator.TeaHouse)
}

func (k walk) officialPage() {
	k.begin()
	k.press(k.desk, official)
	k.desk.at("/cgi-bin/componentloginpage")
	// The phone scans the code of WeChat's page.
	k.phone.open(ask[string](k.desk, `document.getElementById("phone").href`))
	k.consent(k.phone, simulator.TeaHouse)
	k.phone.sees("请回到电脑上继续")
	k.account(k.desk)
}

// invite sends the link to an admin, who is not the first to open it.
func (k walk) invite() {
	k.begin()
	k.press(k.desk, `form[action$="/invite"] button`)
	k.desk.until(`document.getElementById("invite-link") !== null`)
	address := ask[string](k.desk, `document.getElementById("invite-link").value`)
	k.desk.quiet()
	k.phone.open(address)
	k.press(k.phone, `a[href*="not_admin"]`)
	k.phone.sees("请管理员来授权")
	k.phone.quiet()
	k.clock.advance(47 * time.Hour)
	k.ticket()
	k.phone.open(address)
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.phone)
}

// goneAway leaves WeChat's page without an answer and comes back.
func (k walk) goneAway() {
	code := k.begin()
	k.phone.open(code)
	k.press(k.phone, goOn)
	k.phone.sees("授权给第三方平台")
	k.phone.open(code)
	k.phone.sees("还没完成授权")
	k.press(k.phone, `form[action$="/check"] button`)
	k.phone.sees("还没有查到")
	k.clock.advance(2 * time.Minute)
	k.desk.do(chromedp.Reload())
	k.desk.sees("还没完成授权")
	k.press(k.desk, `form[action$="/check"] button`)
	k.desk.sees("还没有查到")
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.phone)
}

// permissionLeft leaves a permission out and adds it afterwards.
func (k walk) permissionLeft() {
	k.desk.open(k.base + "/")
	k.press(k.desk, `details:has([name=permission_sets]) > summary`)
	k.desk.do(chromedp.SendKeys(chromedp.CSS(`[name=permission_sets]`), "17|18|40"))
	k.press(k.desk, next)
	k.desk.at("/c/")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse, "40")
	k.phone.sees("还缺 1 项权限")
	k.phone.quiet()
	k.profiled(simulator.TeaHouse)
	k.look()
	k.desk.at("/done/")
	k.press(k.desk, `form[action$="/again"] button`)
	k.desk.at("/c/")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.phone.sees("权限已更新")
	k.account(k.desk)
}

// wrongAccount agrees for another account than the one that was asked for, which
// WeChat offers to somebody who changes the link.
func (k walk) wrongAccount() {
	k.sim.Change(func(o *simulator.Options) { o.H5RefererUnchecked = true })
	k.desk.open(k.base + "/")
	k.press(k.desk, `details:has([name=biz_appid]) > summary`)
	k.desk.do(chromedp.SendKeys(chromedp.CSS(`[name=biz_appid]`), simulator.TeaHouse))
	k.press(k.desk, next)
	k.desk.at("/c/")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.phone.sees("授权给第三方平台")
	k.phone.open(strings.Replace(k.phone.address(), "&biz_appid="+simulator.TeaHouse, "", 1))
	k.consent(k.phone, simulator.Takeaway)
	k.phone.sees("授权的不是指定账号")
	k.look()
	k.desk.sees("授权的不是指定账号")
	k.desk.quiet()
	k.press(k.desk, `form[action$="/again"] button`)
	k.desk.at("/c/")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.desk)
}

// expired comes back to a desk whose code is over.
func (k walk) expired() {
	code := k.begin()
	k.clock.advance(onboard.DeskLife + time.Minute)
	k.ticket()
	k.desk.do(chromedp.Reload())
	k.desk.sees("二维码已过期")
	k.phone.open(code)
	k.phone.sees("请在电脑上换一个二维码再扫")
	k.phone.quiet()
	k.press(k.desk, `form[action$="/again"] button`)
	k.desk.sees("等待扫码")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.desk)
}

// down presses while WeChat does not answer, and again when it does.
func (k walk) down() {
	code := k.begin()
	k.faults(simulator.Faults{API: []simulator.Fault{{Path: mintCall, Kind: simulator.BadGateway}}})
	k.phone.open(code)
	k.press(k.phone, goOn)
	k.phone.sees("微信暂时没有响应")
	k.faults(simulator.Faults{})
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.phone.said() // the page that could not go on has a status of its own
	k.account(k.phone)
}

// cancelled connects again after the merchant cancelled at WeChat.
func (k walk) cancelled() {
	code := k.begin()
	k.phone.open(code)
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.desk)
	if err := k.sim.Revoke(k.t.Context(), simulator.TeaHouse); err != nil {
		k.t.Fatal(err)
	}
	k.deliver()
	k.desk.do(chromedp.Reload())
	k.desk.sees("已取消")
	k.press(k.desk, `form[action$="/again"] button`)
	k.desk.at("/c/")
	k.phone.open(ask[string](k.desk, phoneURL))
	k.press(k.phone, goOn)
	k.consent(k.phone, simulator.TeaHouse)
	k.account(k.desk)
}

// mistake types an AppID that is none, and mends it.
func (k walk) mistake() {
	k.desk.open(k.base + "/")
	k.press(k.desk, `details:has([name=biz_appid]) > summary`)
	k.desk.do(chromedp.SendKeys(chromedp.CSS(`[name=biz_appid]`), "wx1"))
	k.press(k.desk, next)
	k.desk.sees("AppID 以 wx 开头，共 18 位")
	k.desk.until(`document.activeElement.matches(".errors")`) // where a person begins who hears the page
	k.press(k.desk, `.errors a`)
	k.desk.until(`location.hash !== ""`)
	k.desk.do(chromedp.Clear(chromedp.CSS(`[name=biz_appid]`)))
	k.press(k.desk, next)
	k.desk.sees("等待扫码")
	k.press(k.desk, `a[href^="/help/"]`)
	k.desk.sees("微信")
}
