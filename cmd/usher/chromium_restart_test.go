package main

import (
	"testing"

	"usher/internal/chromium"
	"usher/internal/simulator"
)

// TestChromium_Restart stops the site under an open page at the desk and starts it
// again. The page says that the connection is lost, finds the site again by itself,
// and goes on without being loaded anew; its title, all that a tab in the background
// shows, tells every step.
func TestChromium_Restart(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	browser := chromium.Start(t, chromium.Program(t), nil)
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	code := scanned(w, desk)
	desk.until(`document.title.startsWith("用微信扫码，授权")`)
	shown := len(desk.shown())
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	desk.until(`document.querySelector("[data-lost]").checkVisibility()`)
	desk.sees("连接断开，正在重连…")
	w.restart()
	w.ticket()
	phone.open(code)
	desk.sees("手机已打开，等待确认")
	desk.until(`!document.querySelector("[data-lost]").checkVisibility() && document.title.startsWith("手机已打开，等待确认")`)
	phone.click(goOn)
	phone.sees("授权给第三方平台")
	desk.until(`document.title.startsWith("正在微信中确认")`)
	if loaded := desk.shown()[shown:]; len(loaded) > 0 {
		t.Errorf("the desk loaded %q; its page must change without", loaded)
	}
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	desk.at("/done/")
	desk.until(`document.title.startsWith("✓ 已授权")`)
}
