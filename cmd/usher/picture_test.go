package main

import (
	"bytes"
	"context"
	"image"
	_ "image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestPicture follows the picture of an account from WeChat to the account's page:
// it is fetched by the site, drawn anew, and served from the site's own address.
func TestPicture(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.profiled(simulator.TeaHouse)
	w.eventually("the account has no picture", func(ctx context.Context) (bool, error) {
		if err := w.svc.ReadPictures(ctx); err != nil {
			return false, err
		}
		a, err := w.db.Account(ctx, simulator.TeaHouse)
		return a.Picture != "", err
	})
	page := m.look().click("/m/").expect(http.StatusOK)
	src := mustFind(t, `/picture/[0-9a-f]{32}\.png`, page.body)
	if strings.Contains(page.body, w.cfg.WeChatPC) {
		t.Errorf("the page shows an address of WeChat's: %s", page.body)
	}
	got := w.browser(desktopAgent).open(w.base + src)
	img, kind, err := image.Decode(bytes.NewReader([]byte(got.body)))
	if err != nil || kind != "png" || img.Bounds().Dx() != pictureSide || got.header.Get("Content-Type") != "image/png" {
		t.Errorf("GET %s = a %s of %v as %q, %v; want a PNG of %d pixels", src, kind, img, got.header.Get("Content-Type"), err, pictureSide)
	}
}

// TestKnown checks who is told the name of an account: its own merchant, not a
// stranger who typed its AppID.
func TestKnown(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse, "17")
	w.profiled(simulator.TeaHouse)

	stranger := w.merchant(url.Values{"auth_type": {"2"}, "biz_appid": {simulator.TeaHouse}})
	phone := w.browser(wechatAgent).open(w.phoneURL(stranger.desk)).expect(http.StatusOK, simulator.TeaHouse)
	for _, b := range []*browser{stranger.desk, phone} {
		if strings.Contains(b.body, "山茶花茶舍") {
			t.Errorf("%s tells a stranger whose AppID it is", b.at.Path)
		}
	}

	m.look().click("/m/").submit("/again", nil).expect(http.StatusOK, "山茶花茶舍", simulator.TeaHouse)
	w.browser(wechatAgent).open(w.phoneURL(m.desk)).expect(http.StatusOK, "山茶花茶舍")
	// The same wish again, and another account in its place.
	link := strings.Replace(m.began().press(), "&biz_appid="+simulator.TeaHouse, "", 1)
	m.phone.load(http.MethodGet, m.consent(link, simulator.Takeaway), nil).
		expect(http.StatusOK, "你授权了“山茶花外卖”，但这次需要“山茶花茶舍”")
}

// TestDashboard_Others connects two accounts with one browser: each page leads to
// the other. A browser that connected neither sees none.
func TestDashboard_Others(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.profiled(simulator.TeaHouse)
	first := m.look().click("/m/").at.String()
	m.desk.expect(http.StatusOK)
	if strings.Contains(m.desk.body, "你的其他账号") {
		t.Error("the page of a single account speaks of others")
	}
	m.desk.open(w.base+"/").submit("/connect", anyMini()).expect(http.StatusOK)
	m.began().agree(simulator.Takeaway)
	w.profiled(simulator.Takeaway)
	m.look().click("/m/").expect(http.StatusOK, "山茶花外卖", "你的其他账号", "山茶花茶舍")
	m.desk.click(strings.TrimPrefix(first, w.base)).expect(http.StatusOK, "你的其他账号", "山茶花外卖")
	if body := w.browser(desktopAgent).open(first).expect(http.StatusOK, "山茶花茶舍").body; strings.Contains(body, "山茶花外卖") {
		t.Error("a browser that took no part is told of the other account")
	}
	if a := w.account(simulator.Takeaway); a.Standing != onboard.Active {
		t.Errorf("the second account is %q", a.Standing)
	}
}
