package simulator_test

import (
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

func info(answer map[string]any) map[string]any {
	m, _ := answer["authorization_info"].(map[string]any)
	return m
}

func TestExchange(t *testing.T) {
	c := start(t).ready()
	code := c.authorize(simulator.TeaHouse, 30, 18)
	got := info(c.exchange(code))
	truth, _ := c.sim.Account(simulator.TeaHouse)
	want := map[string]any{
		"authorizer_appid":         simulator.TeaHouse,
		"authorizer_access_token":  truth.AccessToken,
		"authorizer_refresh_token": truth.RefreshToken,
		"expires_in":               7200.0,
		"func_info":                got["func_info"],
	}
	if !reflect.DeepEqual(got, want) || sets(t, got) != "[18 30]" {
		t.Errorf("api_query_auth = %v\nwant %v with sets 18 and 30", got, want)
	}
	if !c.sim.Works(truth.AccessToken) || truth.RefreshToken == "" {
		t.Errorf("the tokens do not work: %+v", truth)
	}
	if got := errcode(c.exchange(code)); got != 61009 {
		t.Errorf("exchanging again: errcode %d, want 61009", got)
	}
	c.sim.Change(func(o *simulator.Options) { o.AuthCodeReusable = true })
	if got := info(c.exchange(code)); got["authorizer_refresh_token"] != truth.RefreshToken {
		t.Errorf("exchanging again where allowed = %v", got)
	}
}

func TestExchangeExpiredOrRevoked(t *testing.T) {
	c := start(t).ready()
	code := c.authorize(simulator.TeaHouse)
	c.sim.AdvanceClock(time.Hour)
	if got := errcode(c.exchange(code)); got != 61010 {
		t.Errorf("after an hour: errcode %d, want 61010", got)
	}
	code = c.authorize(simulator.Takeaway)
	if err := c.sim.Revoke(t.Context(), simulator.Takeaway); err != nil {
		t.Fatal(err)
	}
	if got := errcode(c.exchange(code)); got != 61009 {
		t.Errorf("after the account left: errcode %d, want 61009", got)
	}
	c.authorize(simulator.Takeaway)
	if got := errcode(c.exchange(code)); got != 61009 {
		t.Errorf("after the account left and came back: errcode %d, want 61009", got)
	}
}

func TestExchangeWithoutAPIPermission(t *testing.T) {
	c := start(t).ready()
	got := info(c.exchange(c.authorize(simulator.NoAPI, 1, 3)))
	if len(got) != 2 || got["authorizer_appid"] != simulator.NoAPI || sets(t, got) != "[1 3]" {
		t.Errorf("authorization_info = %v, want appid and func_info alone", got)
	}
}

func TestDifferentCodes(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.DifferentCodes = true })
	fromRedirect := c.authorize(simulator.TeaHouse)
	fromPush := c.pushed()[0].Code
	if fromRedirect == fromPush {
		t.Fatal("both codes are the same")
	}
	a, b := info(c.exchange(fromRedirect)), info(c.exchange(fromPush))
	if a["authorizer_refresh_token"] != b["authorizer_refresh_token"] || b["authorizer_refresh_token"] == nil {
		t.Errorf("the two codes gave %v and %v, want the same refresh token", a, b)
	}
}

func TestInfo(t *testing.T) {
	tests := []struct {
		account, has string // has is the field that tells the kind; empty for Official Accounts
	}{
		{simulator.TeaHouse, "MiniProgramInfo"},
		{simulator.MiniShop, "MiniProgramInfo"},
		{simulator.ServiceAccount, ""},
		{simulator.ChannelsLive, "channels_info"},
		{simulator.WeChatShop, "store_info"},
		{simulator.TalentHelper, "talent_info"},
		{simulator.Hostile, "MiniProgramInfo"},
	}
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.ExtraSets = []int{99901} })
	for _, tt := range tests {
		if err := c.sim.AuthorizeSilently(t.Context(), tt.account, nil); err != nil {
			t.Fatal(err)
		}
		answer := c.call("/cgi-bin/component/api_get_authorizer_info", map[string]any{"component_appid": appID, "authorizer_appid": tt.account})
		profile, _ := answer["authorizer_info"].(map[string]any)
		truth, _ := c.sim.Account(tt.account)
		for _, kind := range []string{"MiniProgramInfo", "channels_info", "store_info", "talent_info"} {
			if _, ok := profile[kind]; ok != (kind == tt.has) {
				t.Errorf("%s: %s present: %v", tt.account, kind, ok)
			}
		}
		if profile["nick_name"] != truth.Nickname || profile["user_name"] != truth.UserName || info(answer)["authorizer_refresh_token"] != truth.RefreshToken {
			t.Errorf("%s: answer %v does not fit %+v", tt.account, answer, truth)
		}
		if want := fmt.Sprint(append(slices.Clone(truth.Permissions), 99901)); sets(t, info(answer)) != want {
			t.Errorf("%s: sets %s, want %s", tt.account, sets(t, info(answer)), want)
		}
		resp, err := http.Get(fmt.Sprint(profile["head_img"]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(resp.Body); err != nil {
			t.Errorf("%s: head_img %v: %v", tt.account, profile["head_img"], err)
		}
		resp.Body.Close()
	}
}

func TestList(t *testing.T) {
	c := start(t).ready()
	for _, account := range []string{simulator.Takeaway, simulator.TeaHouse, simulator.ServiceAccount} {
		c.authorize(account)
		c.sim.AdvanceClock(time.Second)
	}
	list := func(offset, count int) string {
		answer := c.call("/cgi-bin/component/api_get_authorizer_list", map[string]any{"component_appid": appID, "offset": offset, "count": count})
		text := fmt.Sprint(answer["total_count"])
		entries, _ := answer["list"].([]any)
		for _, e := range entries {
			m, _ := e.(map[string]any)
			truth, _ := c.sim.Account(fmt.Sprint(m["authorizer_appid"]))
			if m["refresh_token"] != truth.RefreshToken || m["auth_time"] != float64(truth.AuthorizedAt.Unix()) {
				t.Errorf("entry %v does not fit %+v", m, truth)
			}
			text += " " + truth.Nickname
		}
		return text
	}
	if got, want := list(0, 500), "3 山茶花外卖 山茶花茶舍 青禾生活"; got != want {
		t.Errorf("list(0, 500) = %s, want %s", got, want)
	}
	if got, want := list(1, 1), "3 山茶花茶舍"; got != want {
		t.Errorf("list(1, 1) = %s, want %s", got, want)
	}
	if got, want := list(3, 10), "3"; got != want {
		t.Errorf("list(3, 10) = %s, want %s", got, want)
	}
	if err := c.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	if got, want := list(0, 500), "2 山茶花外卖 青禾生活"; got != want {
		t.Errorf("after leaving = %s, want %s", got, want)
	}
}

// TestTruthIsJSON reads /truth as a stranger would.
func TestTruthIsJSON(t *testing.T) {
	c := start(t).ready()
	c.authorize(simulator.Hostile)
	_, body := c.do(http.MethodGet, "/truth", "")
	var truth struct {
		Platform struct{ Ticket, PlatformToken string }
		Accounts []struct{ Nickname, RefreshToken string }
		Calls    map[string]struct{ Total, OK int }
	}
	if err := json.Unmarshal([]byte(body), &truth); err != nil {
		t.Fatal(err)
	}
	if truth.Platform.PlatformToken != c.token || len(truth.Accounts) != 1 || !strings.HasPrefix(truth.Accounts[0].Nickname, "<script>") || truth.Calls["/cgi-bin/component/api_component_token"].OK != 1 {
		t.Errorf("truth = %s", body)
	}
}
