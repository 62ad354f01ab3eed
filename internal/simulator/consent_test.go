package simulator_test

import (
	"net/url"
	"strings"
	"testing"

	"usher/internal/simulator"
)

func TestPhoneConsent(t *testing.T) {
	c := start(t).ready()
	link := c.link(h5, "redirect_uri", "https://merchant.example.com/cb/state123?keep=1&b=%20", "auth_type", "2")
	page, _ := c.open(link, ours, wechat)
	action := find(t, page, `<form method="post" action="([^"]*)"`)

	if body, to := c.open(action, "", wechat, "person", "nobody", "account", simulator.TeaHouse, "permission", "18"); to != "" || !strings.Contains(body, "该授权仅支持小程序账号") {
		t.Errorf("somebody who is no admin was sent to %q:\n%s", to, body)
	}
	if body, to := c.open(action, "", wechat, "person", "admin", "account", simulator.TeaHouse); to != "" || !strings.Contains(body, "请至少选择一项权限") {
		t.Errorf("without permissions sent to %q:\n%s", to, body)
	}
	if body, to := c.open(action, "", wechat, "person", "admin", "account", simulator.ServiceAccount, "permission", "1"); to != "" || !strings.Contains(body, "请选择要授权的账号") {
		t.Errorf("with an account that is not offered sent to %q:\n%s", to, body)
	}
	if body, _ := c.open(action+"/cancel", "", wechat); !strings.Contains(body, "已取消授权") {
		t.Errorf("cancel:\n%s", body)
	}
	if err := c.sim.Deliver(t.Context()); err != nil || len(c.pushed()) != 0 {
		t.Fatalf("something was pushed before consent, or %v", err)
	}

	// 1 does not fit a Mini Program and is left out.
	_, to := c.open(action, "", wechat, "person", "admin", "account", simulator.TeaHouse, "permission", "18", "permission", "30", "permission", "1", "agree", "1")
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, "https://merchant.example.com/cb/state123?keep=1&b=%20&auth_code=queryauthcode%40%40%40") || u.Query().Get("expires_in") != "3600" {
		t.Fatalf("redirect = %q, want redirect_uri with auth_code and expires_in appended", to)
	}
	if err := c.sim.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent, _ := url.Parse(link)
	want := event{AppID: appID, Created: 1_800_000_000, InfoType: "authorized", Account: simulator.TeaHouse,
		Code: u.Query().Get("auth_code"), CodeUntil: 1_800_003_600, PreAuth: sent.Query().Get("pre_auth_code")}
	if got := c.pushed(); len(got) != 1 || got[0] != want {
		t.Errorf("pushed %+v, want %+v", got, want)
	}
	if got := sets(t, info(c.exchange(want.Code))); got != "[18 30]" {
		t.Errorf("granted %s, want [18 30]", got)
	}
	if body, to := c.open(action, "", wechat, "account", simulator.TeaHouse, "permission", "18"); to != "" || !strings.Contains(body, "PreAuthCode 失效") {
		t.Errorf("agreeing twice: sent to %q:\n%s", to, body)
	}
	if body, _ := c.open(link, ours, wechat); !strings.Contains(body, "PreAuthCode 失效") {
		t.Errorf("opening the link again:\n%s", body)
	}
}

// TestDesktopConsent checks that after the phone agreed it is the desktop's
// browser that is sent back.
func TestDesktopConsent(t *testing.T) {
	c := start(t).ready()
	page, _ := c.open(c.link(pc), ours, "Mozilla/5.0 (X11)")
	phone := find(t, page, `id="phone" href="([^"]*)"`)
	wait := find(t, page, `http-equiv="refresh" content="2;url=([^"]*)"`)
	if body, _ := c.open(find(t, page, `<img class="qr" src="([^"]*)"`), "", "x"); !strings.HasPrefix(body, "\x89PNG") {
		t.Error("the QR code is not a PNG")
	}
	if body, to := c.open(wait, "", "x"); to != "" || !strings.Contains(body, "使用微信扫描二维码") {
		t.Errorf("waiting: sent to %q:\n%s", to, body)
	}
	if body, _ := c.open(phone+"/state", "", "x"); body != `{"go":false}` {
		t.Errorf("state = %s", body)
	}
	if body, to := c.open(phone, "", wechat, "person", "admin", "account", simulator.ServiceAccount, "permission", "1"); to != "" || !strings.Contains(body, "请回到电脑上继续") {
		t.Errorf("the phone was sent to %q:\n%s", to, body)
	}
	if body, _ := c.open(phone+"/state", "", "x"); body != `{"go":true}` {
		t.Errorf("state = %s", body)
	}
	if _, to := c.open(wait, "", "x"); !strings.HasPrefix(to, "https://merchant.example.com/cb/state123?auth_code=queryauthcode") {
		t.Errorf("the desktop was sent to %q", to)
	}
}

func TestRedirectLost(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.RedirectLost = true })
	page, _ := c.open(c.link(h5), ours, wechat)
	body, to := c.open(find(t, page, `action="([^"]*)"`), "", wechat, "account", simulator.TeaHouse, "permission", "18")
	if to != "" || !strings.Contains(body, "授权成功") {
		t.Errorf("sent to %q:\n%s", to, body)
	}
	if err := c.sim.Deliver(t.Context()); err != nil || len(c.pushed()) != 1 {
		t.Errorf("the push is missing, or %v", err)
	}
}
