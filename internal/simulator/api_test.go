package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

// TestErrors sends one wrong request after the other. %s in a path is the
// platform token, %s in a body the newest ticket.
func TestErrors(t *testing.T) {
	const (
		platform = "/cgi-bin/component/api_component_token"
		preAuth  = "/cgi-bin/component/api_create_preauthcode?access_token=%s"
		exchange = "/cgi-bin/component/api_query_auth?component_access_token=%s"
		refresh  = "/cgi-bin/component/api_authorizer_token?access_token=%s"
		info     = "/cgi-bin/component/api_get_authorizer_info?access_token=%s"
		list     = "/cgi-bin/component/api_get_authorizer_list?access_token=%s"
		quota    = "/cgi-bin/openapi/quota/get?access_token=%s"
		begin    = "/cgi-bin/component/api_start_push_ticket"
		us       = `"component_appid":"` + appID + `"`
	)
	tests := []struct {
		name, path, body string
		want             int
	}{
		{"start, wrong secret", begin, `{` + us + `,"component_secret":"x"}`, 40125},
		{"start, wrong name of the secret", begin, `{` + us + `,"component_appsecret":"` + secret + `"}`, 41004},
		{"start, wrong appid", begin, `{"component_appid":"wx1","component_secret":"` + secret + `"}`, 40013},
		{"start, no appid", begin, `{"component_secret":"` + secret + `"}`, 41018},
		{"token, wrong secret", platform, `{` + us + `,"component_appsecret":"x","component_verify_ticket":"%s"}`, 40125},
		{"token, no secret", platform, `{` + us + `,"component_verify_ticket":"%s"}`, 41004},
		{"token, wrong ticket", platform, `{` + us + `,"component_appsecret":"` + secret + `","component_verify_ticket":"ticket@@@x"}`, 61006},
		{"empty body", platform, "", 44002},
		{"not JSON", platform, `{`, 47001},
		{"not an object", platform, `[]`, 47001},
		{"null", platform, `null`, 47001},
		{"two values", platform, `{}{}`, 47001},
		{"escaped characters", preAuth, `{"component_appid":"\u0077x"}`, 47001},
		{"escaped backslash before u", preAuth, `{"component_appid":"\\u0077x"}`, 40013},
		{"number for text", preAuth, `{"component_appid":1}`, 47001},
		{"no token", "/cgi-bin/component/api_create_preauthcode", `{` + us + `}`, 41001},
		{"unknown token", "/cgi-bin/component/api_create_preauthcode?access_token=x", `{` + us + `}`, 40001},
		{"wrong appid", preAuth, `{"component_appid":"wx1"}`, 40013},
		{"exchange, unknown code", exchange, `{` + us + `,"authorization_code":"queryauthcode@@@x"}`, 61009},
		{"refresh, unknown account", refresh, `{` + us + `,"authorizer_appid":"wx1","authorizer_refresh_token":"x"}`, 40013},
		{"refresh, not authorized", refresh, `{` + us + `,"authorizer_appid":"` + simulator.TeaHouse + `","authorizer_refresh_token":"x"}`, 61003},
		{"info, not authorized", info, `{` + us + `,"authorizer_appid":"` + simulator.TeaHouse + `"}`, 61003},
		{"list, too many", list, `{` + us + `,"offset":0,"count":501}`, 40170},
		{"list, no count", list, `{` + us + `,"offset":0}`, 47001},
		{"list, text for number", list, `{` + us + `,"offset":0,"count":"100"}`, 47001},
		{"list, negative", list, `{` + us + `,"offset":-1,"count":1}`, 40097},
		{"quota of nothing", quota, `{"cgi_path":"cgi-bin/getcallbackip"}`, 76003},
		{"clear quota of another", "/cgi-bin/clear_quota?access_token=%s", `{"appid":"` + simulator.TeaHouse + `"}`, 40013},
		{"clear quota v2, wrong secret", "/cgi-bin/component/clear_quota/v2", `{` + us + `,"appsecret":"x"}`, 40125},
		{"clear quota v2, not authorized", "/cgi-bin/component/clear_quota/v2", `{` + us + `,"appsecret":"` + secret + `","appid":"` + simulator.TeaHouse + `"}`, 61003},
	}
	c := start(t).ready()
	ticket := c.sim.Truth().Platform.Ticket
	rid := regexp.MustCompile(` rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := strings.ReplaceAll(tt.path, "%s", url.QueryEscape(c.token))
			status, body := c.do(http.MethodPost, path, strings.ReplaceAll(tt.body, "%s", ticket))
			want := fmt.Sprintf(`"errcode":%d,`, tt.want)
			if status != http.StatusOK || !strings.Contains(body, want) || !rid.MatchString(body) {
				t.Errorf("POST %s %s = %d %s; want %s and a rid", tt.path, tt.body, status, body, want)
			}
		})
	}
}

func TestMethodsAndUnknownPaths(t *testing.T) {
	c := start(t).ready()
	tests := []struct {
		method, path, want string
		status             int
	}{
		{http.MethodGet, "/cgi-bin/component/api_component_token", `"errcode":43002`, 200},
		{http.MethodPost, "/cgi-bin/getcallbackip?access_token=" + url.QueryEscape(c.token), `"errcode":43001`, 200},
		{http.MethodGet, "/cgi-bin/getcallbackip?access_token=" + url.QueryEscape(c.token), `"ip_list":["127.0.0.1"`, 200},
		{http.MethodPost, "/cgi-bin/component/api_get_authorizer_option", "<h1>404 Not Found</h1>", 404},
	}
	for _, tt := range tests {
		if status, body := c.do(tt.method, tt.path, "{}"); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s = %d %s; want %d %s", tt.method, tt.path, status, body, tt.status, tt.want)
		}
	}
}

func TestTicketLife(t *testing.T) {
	c := start(t).ready()
	old := c.sim.Truth().Platform.Ticket
	body := map[string]any{"component_appid": appID, "component_appsecret": secret, "component_verify_ticket": old}
	c.sim.AdvanceClock(12*time.Hour - time.Second)
	if got := errcode(c.call("/cgi-bin/component/api_component_token", body)); got != 0 {
		t.Errorf("a ticket just under 12 hours old: errcode %d", got)
	}
	c.sim.AdvanceClock(time.Second)
	if got := errcode(c.call("/cgi-bin/component/api_component_token", body)); got != 61005 {
		t.Errorf("a ticket 12 hours old: errcode %d, want 61005", got)
	}
}

func TestPlatformTokenLife(t *testing.T) {
	c := start(t).ready()
	first, ticket := c.token, c.sim.Truth().Platform.Ticket
	check := func(when, token string, want int) {
		t.Helper()
		c.token = token
		if got := errcode(c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID})); got != want {
			t.Errorf("%s: errcode %d, want %d", when, got, want)
		}
	}
	c.fetchToken(ticket)
	second := c.token
	check("replaced, within the overlap", first, 0)
	c.sim.AdvanceClock(5 * time.Minute)
	check("replaced, after the overlap", first, 40001)
	check("the newest", second, 0)
	c.sim.AdvanceClock(2 * time.Hour)
	check("expired", second, 42001)
	c.fetchToken(ticket)
	third := c.token
	c.sim.InvalidatePlatformToken()
	check("invalidated", third, 40001)
}

func TestStartPushTicket(t *testing.T) {
	c := start(t)
	body := map[string]any{"component_appid": appID, "component_secret": secret}
	c.sim.Change(func(o *simulator.Options) { o.TicketsStopped = true })
	if got := c.call("/cgi-bin/component/api_start_push_ticket", body); errcode(got) != 0 || got["errmsg"] != "ok" {
		t.Errorf("starting = %v, want ok", got)
	}
	if c.sim.Options().TicketsStopped {
		t.Error("the push service is still stopped")
	}
	c.ready()
	if got := c.call("/cgi-bin/component/api_start_push_ticket", body); !strings.Contains(fmt.Sprint(got["errmsg"]), "in a normal state") {
		t.Errorf("starting again = %v, want in a normal state", got)
	}
}

func TestSecretRotation(t *testing.T) {
	c := start(t).ready()
	fresh := c.sim.RotateSecret()
	body := map[string]any{"component_appid": appID, "component_appsecret": secret, "component_verify_ticket": c.sim.Truth().Platform.Ticket}
	if got := errcode(c.call("/cgi-bin/component/api_component_token", body)); got != 40125 {
		t.Errorf("with the old secret: errcode %d, want 40125", got)
	}
	body["component_appsecret"] = fresh
	if got := errcode(c.call("/cgi-bin/component/api_component_token", body)); got != 0 {
		t.Errorf("with the new secret: errcode %d", got)
	}
}

func TestAllowedIPs(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9"} })
	got := c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID})
	if errcode(got) != 61004 || !strings.Contains(fmt.Sprint(got["errmsg"]), "127.0.0.1") {
		t.Errorf("from an address that is not listed = %v, want 61004 with the address", got)
	}
	c.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9", "127.0.0.1"} })
	c.preAuthCode()
}

func TestQuota(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.DailyQuota = 3 })
	for range 3 {
		c.preAuthCode()
	}
	body := map[string]any{"component_appid": appID}
	if got := errcode(c.call("/cgi-bin/component/api_create_preauthcode", body)); got != 45009 {
		t.Errorf("the fourth call: errcode %d, want 45009", got)
	}
	ask := map[string]any{"cgi_path": "/cgi-bin/component/api_create_preauthcode"}
	if got := fmt.Sprint(c.call("/cgi-bin/openapi/quota/get", ask)["quota"]); got != "map[daily_limit:3 remain:0 used:3]" {
		t.Errorf("quota/get = %s", got)
	}
	for i := range 10 {
		path, body := "/cgi-bin/clear_quota", map[string]any{"appid": appID}
		if i%2 == 1 {
			path, body = "/cgi-bin/component/clear_quota/v2", map[string]any{"component_appid": appID, "appsecret": secret}
		}
		if got := c.call(path, body); errcode(got) != 0 {
			t.Errorf("reset %d = %v", i+1, got)
		}
	}
	if got := errcode(c.call("/cgi-bin/clear_quota", map[string]any{"appid": appID})); got != 48006 {
		t.Errorf("the eleventh reset: errcode %d, want 48006", got)
	}
	c.preAuthCode()
	if got := c.sim.Calls("/cgi-bin/component/api_create_preauthcode"); got != 5 {
		t.Errorf("Calls = %d, want 5", got)
	}
}
