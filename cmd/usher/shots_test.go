package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"usher/internal/admin"
	"usher/internal/chromium"
	"usher/internal/config"
	"usher/internal/simulator"
	adminviews "usher/views/admin"
)

var shots = flag.String("shots", "", "write the manual's pictures of the pages into this `directory`, with TestShots")

// TestShots takes the pictures of the manual, behind nginx so that addresses look
// as they do in production:
//
//	go test ./cmd/usher -run TestShots -shots ../../docs
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("-shots names no directory")
	}
	program := chromium.Program(t)
	for language, suffix := range map[string]string{"zh-CN": "", "en": ".en"} {
		w, front := startBehindNginx(t, func(c *config.Config) {
			c.Brand = map[string]string{"zh-CN": "青禾云", "en": "Qinghe Cloud"}[language]
		})
		browser := chromium.Start(t, program, front.flags())
		w.ticket()
		desk := newTab(t, browser, look{language: language})
		phone := newTab(t, browser, look{language: language, agent: wechatAgent})
		take := func(b *tab, name string, width, height int64) {
			t.Helper()
			b.do(chromedp.EmulateViewport(width, height))
			b.until(`Array.from(document.images).every(function (i) { return i.complete; })`)
			ask[bool](b, `(document.activeElement.blur(), scrollTo(0, 0), true)`)
			file := filepath.Join(*shots, name+suffix+".png")
			if err := os.WriteFile(file, b.picture(true), 0o644); err != nil {
				t.Fatal(err)
			}
		}

		desk.open(w.base + "/")
		desk.click(`input[name=auth_type][value="2"]`)
		desk.click(`details:has([name=permission_sets]) > summary`)
		desk.do(chromedp.SendKeys(chromedp.CSS(`[name=permission_sets]`), "17|18|19|25|30|40"))
		desk.click(next)
		desk.at("/c/")
		phone.open(ask[string](desk, phoneURL))
		phone.click(`summary`)
		take(phone, "phone", 375, 667)
		desk.until(`document.querySelectorAll(".track .done").length === 2`)
		take(desk, "desk", 1280, 800)
		take(desk, "desk-375", 375, 667)

		phone.click(goOn)
		phone.click(`input[value="` + simulator.TeaHouse + `"]`)
		phone.click(`input[name=permission][value="40"]`)
		phone.click(agree)
		phone.at("/done/")
		w.profiled(simulator.TeaHouse)
		desk.at("/done/")
		desk.click(view)
		desk.at("/m/")
		take(desk, "dashboard", 1280, 800)
		take(desk, "dashboard-375", 375, 667)

		if err := bringMerchants(t.Context(), w.svc, w.sim); err != nil {
			t.Fatal(err)
		}
		w.profiled(simulator.Takeaway)
		console := newTab(t, browser, look{language: language})
		w.adminSignsIn(console, admin.Owner)
		console.open(w.base + adminviews.AccountsPath)
		take(console, "accounts", 1280, 800)
		console.open(w.base + adminviews.AccountPath(simulator.Takeaway))
		take(console, "account", 1280, 800)
	}
}
