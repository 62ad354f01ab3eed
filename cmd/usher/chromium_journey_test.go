package main

import (
	"testing"

	"usher/internal/simulator"
)

// TestChromium walks the journeys in a real browser, with the policies that the
// site sends in production and WeChat's check of where a browser comes from.
func TestChromium(t *testing.T) {
	browser := newChromium(t, chromiumProgram(t), nil)
	t.Run("desk and phone", func(t *testing.T) {
		w := startAll(t, options{quiet: true})
		w.ticket()
		desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
		desk.open(w.base + "/")
		desk.click(`button[type=submit]`)
		desk.at("/c/")
		desk.sees("等待扫码")
		before := desk.shown()
		ask[bool](desk, `window.sameDocument = true`)

		phone.open(ask[string](desk, `document.querySelector("a.mono").href`))
		phone.at("/q/")
		desk.sees("手机已打开")
		phone.click(`form[action$="/go"] button`)
		phone.sees("授权确认")
		phone.until(`document.title === "授权确认"`)
		desk.sees("正在微信中确认")
		t.Log(before, desk.shown())
		phone.click(`input[value="` + simulator.TeaHouse + `"]`)
		phone.click(`button[name=agree]`)
		phone.at("/done/")
		desk.at("/done/")
		desk.sees("山茶花茶舍")
		t.Log(desk.shown(), phone.shown())
		desk.quiet()
		phone.quiet()
	})
}
