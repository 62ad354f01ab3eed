package simulator_test

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// press posts a form of the control page as a script does; fields are name and
// value in turn.
func (c *client) press(action string, fields ...string) (int, string) {
	c.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	resp, err := http.PostForm(c.wx.URL+"/control/"+action, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestControlActions(t *testing.T) {
	c := start(t).ready()
	c.authorize(simulator.TeaHouse, 18)
	c.exchange(c.pushed()[0].Code)
	steps := []struct {
		action string
		fields []string
		ok     bool
		check  func() bool // after the action
	}{
		{"ticket", nil, true, func() bool { return kinds(c.pushed()) == "component_verify_ticket" }},
		{"permissions", []string{"appid", simulator.TeaHouse, "ids", "30, 17"}, true, func() bool { return kinds(c.pushed()) == "updateauthorized" }},
		{"permissions", []string{"appid", simulator.TeaHouse, "ids", "x"}, false, nil},
		{"expire", []string{"appid", simulator.TeaHouse}, true, func() bool { a, _ := c.sim.Account(simulator.TeaHouse); return !c.sim.Works(a.AccessToken) }},
		{"kill-refresh", []string{"appid", simulator.TeaHouse}, true, func() bool { a, _ := c.sim.Account(simulator.TeaHouse); return a.RefreshTokenDead }},
		{"replace-refresh", []string{"appid", simulator.TeaHouse}, true, func() bool { a, _ := c.sim.Account(simulator.TeaHouse); return !a.RefreshTokenDead }},
		{"revoke", []string{"appid", simulator.TeaHouse}, true, func() bool { return kinds(c.pushed()) == "unauthorized" }},
		{"revoke", []string{"appid", simulator.TeaHouse}, false, nil},
		{"silent", []string{"appid", simulator.WeChatShop}, true, func() bool { return kinds(c.pushed()) == "authorized" }},
		{"invalidate", nil, true, func() bool { return !c.sim.Works(c.token) }},
		{"clock", []string{"by", "2h"}, true, func() bool { return c.sim.Truth().Now.Unix() == 1_800_007_200 }},
		{"clock", []string{"by", "tomorrow"}, false, nil},
		{"fault", []string{"kind", "latency", "path", refreshPath, "delay", "3s", "next", "2", "percent", "50"}, true, func() bool {
			want := []simulator.Fault{{Kind: simulator.Latency, Path: refreshPath, Delay: 3 * time.Second, Next: 2, Percent: 50}}
			return reflect.DeepEqual(c.sim.Faults().API, want)
		}},
		{"fault", []string{"kind", "explode"}, false, nil},
		{"push", []string{"duplicate", "1", "delay", "2s"}, true, func() bool {
			f := c.sim.Faults()
			return f.Push == simulator.PushFaults{Duplicate: 1, Delay: 2 * time.Second} && len(f.API) == 1
		}},
		{"fault", []string{"kind", "none"}, true, func() bool { f := c.sim.Faults(); return len(f.API) == 0 && f.Push.Duplicate == 1 }},
		{"options", []string{"rotate_refresh_token", "1", "pre_auth_code_life", "10m", "allowed_ips", "127.0.0.1;10.0.0.1", "extra_sets", "999"}, true, func() bool {
			o := c.sim.Options()
			return o.RotateRefreshToken && o.PreAuthCodeLife == 10*time.Minute && len(o.AllowedIPs) == 2 && o.ExtraSets[0] == 999 && o.DailyQuota == 10000
		}},
		{"options", nil, true, func() bool { o := c.sim.Options(); return !o.RotateRefreshToken && o.AllowedIPs == nil }},
		{"secret", nil, true, nil},
	}
	for _, step := range steps {
		status, body := c.press(step.action, step.fields...)
		if step.ok && (status != 200 || body != `{"ok":true}`) || !step.ok && (status != 400 || !strings.Contains(body, `"ok":false`)) {
			t.Errorf("%s %q = %d %s, want ok %v", step.action, step.fields, status, body, step.ok)
		}
		if step.check != nil && !step.check() {
			t.Errorf("%s %q had no effect: %+v", step.action, step.fields, c.sim.Truth())
		}
	}
}

func TestControlFaultsAsJSON(t *testing.T) {
	c := start(t)
	post := func(body string) int {
		resp, err := http.Post(c.wx.URL+"/control/faults", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := post(`{"api":[{"kind":"hang"}],"push":{"drop":2}}`); got != 200 || len(c.sim.Faults().API) != 1 || c.sim.Faults().Push.Drop != 2 {
		t.Errorf("status %d, faults %+v", got, c.sim.Faults())
	}
	if got := post(`{"apis":[]}`); got != 400 || len(c.sim.Faults().API) != 1 {
		t.Errorf("a misspelled field: status %d, faults %+v", got, c.sim.Faults())
	}
}

// TestControlPage presses a button as a browser does and reads the page it is
// sent to; a button pressed by another site does nothing.
func TestControlPage(t *testing.T) {
	c := start(t).ready()
	c.authorize(simulator.TeaHouse)
	request := func(site string) (*http.Response, string) {
		req, _ := http.NewRequest(http.MethodPost, c.wx.URL+"/control/revoke", strings.NewReader("appid="+simulator.TeaHouse))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Sec-Fetch-Site", site)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp, string(b)
	}
	if resp, _ := request("cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %s, want 403", resp.Status)
	}
	if a, _ := c.sim.Account(simulator.TeaHouse); !a.Authorized {
		t.Fatal("another site revoked the authorization")
	}
	_, page := request("same-origin")
	for _, want := range []string{`role="status">完成`, "山茶花茶舍", "小游戏，不能授权", "unauthorized", "/cgi-bin/component/api_create_preauthcode", "静默授权", "种子 1"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("a nickname reached the page as markup")
	}
}
