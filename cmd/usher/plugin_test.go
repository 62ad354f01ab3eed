package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// TestPlugin lets a Mini Program fetch what WeChat's plug-in takes. There is no
// way back for a browser: the account arrives by the push alone.
func TestPlugin(t *testing.T) { plugin(t, sqlite) }

func plugin(t *testing.T, on engine) {
	w := startAll(t, on(t))
	m := w.merchant(url.Values{"auth_type": {"2"}, "biz_appid": {simulator.TeaHouse}})
	m.desk.expect(http.StatusOK, "openAuthorizeAccount", platformAppID, "/plugin")
	address := w.phoneURL(m.desk) + "/plugin"

	var refused struct{ Error, Message, Reference string }
	if status, _ := w.callPlugin(address, "", &refused); status != http.StatusServiceUnavailable ||
		refused.Error != "blocked.ticket" || !strings.Contains(refused.Message, "没有收到微信的票据") || !strings.HasPrefix(refused.Reference, "R-") {
		t.Errorf("before the first ticket: %d %+v, want 503 and blocked.ticket", status, refused)
	}
	w.ticket()
	var link struct {
		PlatformAppID string `json:"platformAppID"`
		PreAuthCode   string `json:"preAuthCode"`
		AuthType      int    `json:"authType"`
		BizAppID      string `json:"bizAppid"`
		ExpiresIn     int    `json:"expires_in"`
	}
	status, header := w.callPlugin(address, "", &link)
	if status != http.StatusOK || link.PlatformAppID != platformAppID || !strings.HasPrefix(link.PreAuthCode, "preauthcode@@@") ||
		link.AuthType != 2 || link.BizAppID != simulator.TeaHouse || link.ExpiresIn <= 0 || link.ExpiresIn > 1800 {
		t.Fatalf("the plug-in gets %d %+v", status, link)
	}
	if got := header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control = %q on an answer with a code", got)
	}
	first := link.PreAuthCode
	if w.callPlugin(address, "", &link); link.PreAuthCode == first {
		t.Error("two calls got the same code, which is good for one use")
	}

	// The plug-in opens WeChat's page itself; only what is in the link matters.
	m.consent(w.cfg.WeChatH5+"/wxaopen/safe/bindcomponent?"+url.Values{
		"component_appid": {platformAppID}, "pre_auth_code": {link.PreAuthCode}, "auth_type": {"2"},
		"biz_appid": {simulator.TeaHouse}, "redirect_uri": {w.base + "/"},
	}.Encode(), simulator.TeaHouse)
	m.look().expect(http.StatusOK, "正在微信中确认")
	w.deliver()
	m.look().expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.exchanged(1)
	w.holds(simulator.TeaHouse)

	if status, _ := w.callPlugin(address, "", &refused); status != http.StatusGone || refused.Error != "error.used" {
		t.Errorf("after the end: %d %+v, want 410 and error.used", status, refused)
	}
	if status, _ := w.callPlugin(w.base+"/q/00000000/plugin", "", &refused); status != http.StatusNotFound {
		t.Errorf("a code of nobody: %d %+v, want 404", status, refused)
	}
}

// TestPlugin_Limited asks again and again from one address. Others are not kept
// from their codes.
func TestPlugin_Limited(t *testing.T) {
	begun := time.Now() // for the site it stays so: what was used up does not come back meanwhile
	w := startAll(t, options{quiet: true, still: true, config: manyAddresses, now: func() time.Time { return begun }})
	w.ticket()
	address := w.phoneURL(w.merchant(anyMini()).desk) + "/plugin"
	var answer struct{ Error, Message string }
	for n := 1; ; n++ {
		status, header := w.callPlugin(address, "198.51.100.7", &answer)
		if status == http.StatusOK && n < 100 {
			continue
		}
		wait, err := strconv.Atoi(header.Get("Retry-After"))
		if status != http.StatusTooManyRequests || answer.Error != "error.limited" || answer.Message == "" || err != nil || wait < 1 {
			t.Errorf("call %d = %d %+v, Retry-After %q; want 429 with a sentence and a time", n, status, answer, header.Get("Retry-After"))
		}
		if n < 10 {
			t.Errorf("the limit came at call %d already", n)
		}
		break
	}
	minted := w.sim.Calls(mintCall)
	w.callPlugin(address, "198.51.100.8", &answer) // a neighbor of the same network
	if w.sim.Calls(mintCall) != minted {
		t.Error("the next address of the same network has a limit of its own")
	}
	if status, _ := w.callPlugin(address, "203.0.113.7", &answer); status != http.StatusOK {
		t.Errorf("another network is answered %d", status)
	}
}

// callPlugin posts as wx.request does, without Origin and cookies, and decodes
// the JSON that comes back.
func (w *world) callPlugin(address, from string, answer any) (int, http.Header) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, address, strings.NewReader("{}"))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", wechatAgent+" MiniProgramEnv/Windows")
	r.Header.Set("Accept-Language", "zh-CN")
	r.Header.Set("Referer", "https://servicewechat.com/"+simulator.TeaHouse+"/1/page-frame.html")
	if from != "" {
		r.Header.Set("X-Forwarded-For", from)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		w.t.Fatalf("%s answered %d with %q, which is not JSON: %v", address, resp.StatusCode, body, err)
	}
	return resp.StatusCode, resp.Header
}
