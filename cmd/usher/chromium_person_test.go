package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"

	"usher/internal/simulator"
)

// chromiumBack goes back from WeChat's page without an answer. WeChat tells
// nobody, so the phone page has to find out by itself that it is shown again,
// also when the browser kept the page as it was.
func chromiumBack(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	phone.open(scanned(w, desk))
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	phone.do(chromedp.NavigateBack())
	phone.sees("还没完成授权")
	if phone.restored == 0 {
		t.Log("the browser did not keep the page; the next lines stand for one that does")
	}
	// WeChat on iOS keeps the page whatever the headers say, and tells it so.
	ask[bool](phone, `window.kept = true`)
	ask[bool](phone, `window.dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))`)
	phone.until(`window.kept === undefined`)
	phone.sees("还没完成授权")

	// Going on mints another code, and the journey ends well.
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	desk.at("/done/")
	phone.quiet()
	desk.quiet()
}

// chromiumKeyboard chooses and unfolds without a mouse. TestChromium_Ways walks whole
// journeys like this.
func chromiumKeyboard(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk := newTab(t, browser, look{})
	desk.open(w.base + "/")
	desk.do(chromedp.KeyEvent(kb.Tab))
	if !ask[bool](desk, `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().top >= 0`) {
		t.Error("the first stop is not a visible link to the text")
	}
	desk.do(chromedp.KeyEvent(kb.Enter))
	desk.tabTo(`input[name=auth_type]`)
	chosen := ask[string](desk, `document.activeElement.value`)
	desk.do(chromedp.KeyEvent(kb.ArrowUp))
	if now := ask[string](desk, `document.querySelector("input[name=auth_type]:checked").value`); now == chosen {
		t.Errorf("an arrow key leaves auth_type %s chosen", chosen)
	}
	desk.do(chromedp.KeyEvent(kb.ArrowDown))
	desk.tabTo(next)
	desk.do(chromedp.KeyEvent(kb.Enter))
	desk.at("/c/")
	desk.tabTo(`summary`)
	desk.do(chromedp.KeyEvent(" "))
	desk.until(`document.activeElement.parentElement.open`)
	desk.quiet()
}

// tabTo presses the Tab key until the element has the focus, and checks that a
// person sees where the focus is at every stop.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		stop := ask[string](b, `(function () {
			var e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
			if (e === document.body) return "";
			var seen = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none";
			return seen && r.width > 0 && r.top > -1 && r.bottom < innerHeight + 1 ? "" : e.outerHTML.slice(0, 200) + " " + s.outline;
		})()`)
		if stop != "" && strings.HasPrefix(b.address(), "http://127") {
			b.t.Errorf("%s: the focus cannot be seen on %s", b.address(), stop)
		}
		if ask[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	b.t.Fatalf("the Tab key never comes to %s at %s", selector, b.address())
}

// chromiumCode reads the code off the screen as a phone would, at the widths of a
// desktop and of a phone, in light and in dark.
func chromiumCode(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk := newTab(t, browser, look{})
	want := scanned(w, desk)
	address := desk.address()
	for _, size := range []int64{1280, 375} {
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d dark=%t", size, dark), func(t *testing.T) {
				b := newTab(t, browser, look{width: size, height: 812, dark: dark})
				b.open(address)
				b.until(`document.querySelector(".qr img").complete`)
				if got := ask[bool](b, `matchMedia("(prefers-color-scheme: dark)").matches`); got != dark {
					t.Fatalf("the page is dark: %t", got)
				}
				if got := b.read(); got != want {
					t.Errorf("the code on the screen says %q, want %q", got, want)
				}
				b.quiet()
			})
		}
	}
}

// read decodes the only code that the whole page shows.
func (b *tab) read() string {
	b.t.Helper()
	img, err := png.Decode(bytes.NewReader(b.picture(true)))
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := readCode(img, gozxing.DecodeHintType_TRY_HARDER)
	if err != nil {
		b.t.Fatalf("no code can be read at %s: %v", b.address(), err)
	}
	return text
}

// readCode is what the only code in a picture says. The hint tells whether to look
// for it, or that the picture is nothing but the code.
func readCode(picture image.Image, hint gozxing.DecodeHintType) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	result, err := zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// chromiumPages opens what the journeys pass by: the form with errors, help, an
// invite, and the phone page wherever else it is opened.
func chromiumPages(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	for _, language := range []string{"zh-CN", "en"} {
		desk := newTab(t, browser, look{language: language})
		desk.open(w.base + "/help/wechat-errors")
		desk.open(w.base + "/")
		desk.click(`details:has([name=biz_appid]) > summary`)
		desk.do(chromedp.SendKeys(chromedp.CSS(`[name=biz_appid]`), "wx1"))
		desk.click(next)
		desk.until(`document.activeElement.matches(".errors")`) // where a reader with a screen reader begins
		desk.click(`.errors a`)
		desk.until(`document.activeElement.name === "biz_appid"`)
		desk.do(chromedp.Clear(chromedp.CSS(`[name=biz_appid]`)))
		desk.click(next)
		desk.at("/c/")
		code := ask[string](desk, phoneURL)
		desk.do(chromedp.SendKeys(chromedp.CSS(`#recipient`), "林小雨"))
		desk.click(`form[action$="/invite"] button`)
		desk.until(`document.getElementById("invite-link") !== null`)
		invite := ask[string](desk, `document.getElementById("invite-link").value`)
		for agent, addresses := range map[string][]string{
			desktopAgent: {code, invite},
			wechatAgent:  {code, invite, code + "?not_admin=1"},
			strings.ReplaceAll(wechatAgent, "MicroMessenger/8", "Safari/6"): {code, code + "?in=wechat"},
			wechatAgent + " wxwork/4.1.30":                                  {invite},
		} {
			if language == "en" && agent != wechatAgent {
				continue // the parts of these pages are on the page in WeChat too
			}
			phone := newTab(t, browser, look{language: language, agent: agent})
			for _, address := range addresses {
				phone.open(address)
				phone.until(`document.readyState === "complete" && Array.from(document.images).every(function (i) { return i.complete && i.naturalWidth > 0; })`)
				if wide := ask[int](phone, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("%s is %d pixels wider than the window", address, wide)
				}
			}
			phone.quiet()
		}
		for _, complaint := range desk.said() { // the form with errors has a status of its own
			if !strings.Contains(complaint, "status of 422") {
				t.Errorf("the browser complains: %s", complaint)
			}
		}
	}
}

// chromiumPolicy breaks the rules on purpose: what the other journeys take for
// silence must be heard here.
func chromiumPolicy(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	b := newTab(t, browser, look{})
	said := map[string]string{
		"inline style": "issue: ContentSecurityPolicyIssue: style-src", "inline script": "issue: ContentSecurityPolicyIssue: script-src",
		"other picture": "issue: ContentSecurityPolicyIssue: img-src", "other form": "issue: ContentSecurityPolicyIssue: form-action",
		"exception": "exception: ",
	}
	for what, breach := range map[string]string{
		"inline style":  `(function () { var e = document.createElement("style"); e.textContent = "p{}"; document.head.append(e); return true; })()`,
		"inline script": `(function () { var e = document.createElement("script"); e.textContent = "1"; document.head.append(e); return true; })()`,
		"other picture": `(function () { var e = new Image(); e.src = "` + w.cfg.WeChatPC + `/sim/head/x.png"; document.body.append(e); return true; })()`,
		"other form":    `(function () { var f = document.forms[0]; f.action = "http://127.0.0.2/"; f.submit(); return true; })()`,
		"exception":     `(setTimeout(function () { throw new Error("x"); }), true)`,
	} {
		b.open(w.base + "/")
		b.quiet()
		ask[bool](b, breach)
		var heard []string
		w.eventually(what+" goes unnoticed", func(context.Context) (bool, error) {
			heard = append(heard, b.said()...)
			return strings.Contains(strings.Join(heard, "\n"), said[what]), nil
		})
		b.open("about:blank") // what follows of it belongs to this turn
		b.said()
	}
}
