package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

const account = onboard.AppID("wx00000000000000a1")

// Every secret of the tests contains this mark, so that one in an error text is
// found by it.
const mark = "s3cr3t"

var (
	platformToken = secret.New("token-" + mark + "+/=&?")
	ticket        = secret.New("ticket@@@" + mark)
	authCode      = secret.New("queryauthcode@@@" + mark)
	refreshToken  = secret.New("refreshtoken@@@" + mark)
)

// seen is what the server got.
type seen struct{ method, path, query, contentType, body string }

// answering returns a client of a server that gives one answer to everything.
func answering(t testing.TB, status int, answer string) (*Client, *seen) {
	t.Helper()
	var got seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), strings.TrimSuffix(string(body), "\n")}
		w.Header().Set("Content-Type", "text/plain") // as WeChat does
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return &Client{AppID: testAppID, Secret: secret.New("app-" + mark), API: server.URL, HTTP: NewHTTPClient()}, &got
}

// calls makes every call of the client, each with a result that can be compared.
var calls = map[string]func(context.Context, *Client) (any, error){
	"api_start_push_ticket": func(ctx context.Context, c *Client) (any, error) { return nil, c.StartPushTicket(ctx) },
	"api_component_token": func(ctx context.Context, c *Client) (any, error) {
		token, life, err := c.PlatformToken(ctx, ticket)
		return []any{token.Reveal(), life}, err
	},
	"api_create_preauthcode": func(ctx context.Context, c *Client) (any, error) {
		code, life, err := c.PreAuthCode(ctx, platformToken)
		return []any{code.Reveal(), life}, err
	},
	"api_query_auth": func(ctx context.Context, c *Client) (any, error) { return c.Exchange(ctx, platformToken, authCode) },
	"api_authorizer_token": func(ctx context.Context, c *Client) (any, error) {
		return c.Refresh(ctx, platformToken, account, refreshToken)
	},
	"api_get_authorizer_info": func(ctx context.Context, c *Client) (any, error) {
		p, g, r, err := c.Profile(ctx, platformToken, account)
		return []any{p, g, r.Reveal()}, err
	},
	"api_get_authorizer_list": func(ctx context.Context, c *Client) (any, error) {
		l, n, err := c.Authorizers(ctx, platformToken, 0, 100)
		return []any{l, n}, err
	},
	"openapi/quota/get": func(ctx context.Context, c *Client) (any, error) {
		return c.Quota(ctx, platformToken, "/cgi-bin/component/api_create_preauthcode")
	},
	"clear_quota/v2": func(ctx context.Context, c *Client) (any, error) { return nil, c.ClearQuota(ctx) },
	"getcallbackip":  func(ctx context.Context, c *Client) (any, error) { return c.CallbackIPs(ctx, platformToken) },
}

func TestRequests(t *testing.T) {
	const tokenQuery = "access_token=token-s3cr3t%2B%2F%3D%26%3F"
	tests := []struct{ api, path, query, body string }{
		{"api_start_push_ticket", "/cgi-bin/component/api_start_push_ticket", "", `{"component_appid":"wx00000000000000c1","component_secret":"app-s3cr3t"}`},
		{"api_component_token", "/cgi-bin/component/api_component_token", "", `{"component_appid":"wx00000000000000c1","component_appsecret":"app-s3cr3t","component_verify_ticket":"ticket@@@s3cr3t"}`},
		{"api_create_preauthcode", "/cgi-bin/component/api_create_preauthcode", tokenQuery, `{"component_appid":"wx00000000000000c1"}`},
		{"api_query_auth", "/cgi-bin/component/api_query_auth", tokenQuery, `{"component_appid":"wx00000000000000c1","authorization_code":"queryauthcode@@@s3cr3t"}`},
		{"api_authorizer_token", "/cgi-bin/component/api_authorizer_token", tokenQuery, `{"component_appid":"wx00000000000000c1","authorizer_appid":"wx00000000000000a1","authorizer_refresh_token":"refreshtoken@@@s3cr3t"}`},
		{"api_get_authorizer_info", "/cgi-bin/component/api_get_authorizer_info", tokenQuery, `{"component_appid":"wx00000000000000c1","authorizer_appid":"wx00000000000000a1"}`},
		{"api_get_authorizer_list", "/cgi-bin/component/api_get_authorizer_list", tokenQuery, `{"component_appid":"wx00000000000000c1","offset":0,"count":100}`},
		{"openapi/quota/get", "/cgi-bin/openapi/quota/get", tokenQuery, `{"cgi_path":"/cgi-bin/component/api_create_preauthcode"}`},
		{"clear_quota/v2", "/cgi-bin/component/clear_quota/v2", "", `{"component_appid":"wx00000000000000c1","appsecret":"app-s3cr3t"}`},
		{"getcallbackip", "/cgi-bin/getcallbackip", tokenQuery, ""},
	}
	if len(tests) != len(calls) {
		t.Errorf("%d requests are described, there are %d calls", len(tests), len(calls))
	}
	for _, tt := range tests {
		t.Run(tt.api, func(t *testing.T) {
			c, got := answering(t, 200, `{"errcode":0,"errmsg":"ok"}`)
			_, _ = calls[tt.api](t.Context(), c)
			want := seen{"POST", tt.path, tt.query, "application/json; charset=utf-8", tt.body}
			if tt.body == "" {
				want.method, want.contentType = "GET", ""
			}
			if *got != want {
				t.Errorf("%s sent %+v, want %+v", tt.api, *got, want)
			}
		})
	}
	t.Run("older name of the token parameter", func(t *testing.T) {
		c, got := answering(t, 200, `{}`)
		c.TokenParam = "component_access_token"
		_, _, _ = c.PreAuthCode(t.Context(), platformToken)
		if want := "component_" + tokenQuery; got.query != want {
			t.Errorf("query = %q, want %q", got.query, want)
		}
	})
	t.Run("raw UTF-8", func(t *testing.T) {
		c, got := answering(t, 200, `{}`)
		_, _ = c.Exchange(t.Context(), platformToken, secret.New("码<&>"))
		if want := `"authorization_code":"码<&>"`; !strings.Contains(got.body, want) {
			t.Errorf("body = %q, want %q in it", got.body, want)
		}
	})
}

func TestAnswers(t *testing.T) {
	tokensFor := func(life time.Duration) onboard.Tokens {
		return onboard.Tokens{Access: secret.New("access"), Life: life, Refresh: secret.New("refreshtoken@@@new")}
	}
	tests := []struct {
		name, api, answer string
		want              any
	}{
		{"pushing starts", "api_start_push_ticket", `{"errcode":0,"errmsg":"ok"}`, nil},
		{"pushing already", "api_start_push_ticket", `{"errcode":0,"errmsg":"in a normal state"}`, nil},
		{"as documented", "api_component_token", `{"component_access_token":"t","expires_in":7200}`, []any{"t", 2 * time.Hour}},
		{"errcode 0 beside it", "api_component_token", `{"errcode":"0","errmsg":"ok","component_access_token":"t","expires_in":"3600","new":[{}]}`, []any{"t", time.Hour}},
		{"life absurdly long", "api_component_token", `{"component_access_token":"t","expires_in":9223372036854775807}`, []any{"t", 2 * time.Hour}},
		{"life zero", "api_component_token", `{"component_access_token":"t","expires_in":0}`, []any{"t", time.Minute}},
		{"life negative", "api_component_token", `{"component_access_token":"t","expires_in":-5}`, []any{"t", time.Minute}},
		{"life fractional", "api_component_token", `{"component_access_token":"t","expires_in":1800.9}`, []any{"t", 30 * time.Minute}},
		{"life beyond int64", "api_component_token", `{"component_access_token":"t","expires_in":1e300}`, []any{"t", 2 * time.Hour}},
		{"life missing", "api_component_token", `{"component_access_token":"t"}`, []any{"t", 2 * time.Hour}},
		{"life no number", "api_component_token", `{"component_access_token":"t","expires_in":"soon"}`, []any{"t", 2 * time.Hour}},
		{"life null", "api_component_token", `{"component_access_token":"t","expires_in":null}`, []any{"t", 2 * time.Hour}},
		{"600 as in the sample", "api_create_preauthcode", `{"pre_auth_code":"preauthcode@@@1","expires_in":600}`, []any{"preauthcode@@@1", 10 * time.Minute}},
		{"1800 as in the text", "api_create_preauthcode", `{"pre_auth_code":"c","expires_in":1800}`, []any{"c", 30 * time.Minute}},
		{"short", "api_create_preauthcode", `{"pre_auth_code":"c","expires_in":5}`, []any{"c", 5 * time.Second}},
		{"life too long", "api_create_preauthcode", `{"pre_auth_code":"c","expires_in":9223372036854775807}`, []any{"c", 30 * time.Minute}},
		{"life missing", "api_create_preauthcode", `{"pre_auth_code":"c"}`, []any{"c", 10 * time.Minute}},
		{"as documented", "api_query_auth", `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","authorizer_access_token":"access","expires_in":7200,
			"authorizer_refresh_token":"refreshtoken@@@new","func_info":[{"funcscope_category":{"id":17},"confirm_info":{"need_confirm":1,"already_confirm":0,"can_confirm":"1"}},
			{"funcscope_category":{"id":1,"type":0,"name":"消息管理权限"}},{"funcscope_category":{"id":"17"}}]}}`,
			onboard.Authorization{AppID: account, Grants: onboard.Grants{{ID: 1}, {ID: 17, Confirm: &onboard.Confirm{Need: true, Can: true}}}, Tokens: tokensFor(2 * time.Hour)}},
		{"account without API permission", "api_query_auth", `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":[]}}`,
			onboard.Authorization{AppID: account, Grants: onboard.Grants{}}},
		{"no func_info, older id", "api_query_auth", `{"authorization_info":{"appid":"wx00000000000000a1"}}`, onboard.Authorization{AppID: account}},
		{"as documented", "api_authorizer_token", `{"authorizer_access_token":"access","expires_in":7200,"authorizer_refresh_token":"refreshtoken@@@new"}`, tokensFor(2 * time.Hour)},
		{"same refresh token not repeated", "api_authorizer_token", `{"authorizer_access_token":"access","expires_in":100,"authorizer_refresh_token":null}`,
			onboard.Tokens{Access: secret.New("access"), Life: 100 * time.Second}},
		{"as documented", "api_get_authorizer_list", `{"total_count":"33","list":[{"authorizer_appid":"wx00000000000000a1","refresh_token":"r","auth_time":1558000607},{"authorizer_appid":"wx00000000000000a2","refresh_token":""}]}`,
			[]any{[]onboard.Authorizer{{AppID: account, Refresh: secret.New("r"), AuthorizedAt: time.Unix(1558000607, 0)}, {AppID: "wx00000000000000a2"}}, 33}},
		{"nobody", "api_get_authorizer_list", `{"total_count":0,"list":[]}`, []any{[]onboard.Authorizer{}, 0}},
		{"nobody, no list", "api_get_authorizer_list", `{"total_count":0}`, []any{[]onboard.Authorizer{}, 0}},
		{"as documented", "openapi/quota/get", `{"errcode":0,"errmsg":"ok","quota":{"daily_limit":10000,"used":0,"remain":10000},"rate_limit":{"call_count":100,"refresh_second":60},"component_rate_limit":{"call_count":2000,"refresh_second":60}}`,
			Usage{DailyLimit: 10000, Remain: 10000, RateCalls: 2000, RateWindow: time.Minute}},
		{"account's limit only", "openapi/quota/get", `{"quota":{"daily_limit":1,"used":1,"remain":0},"rate_limit":{"call_count":100,"refresh_second":60}}`,
			Usage{DailyLimit: 1, Used: 1, RateCalls: 100, RateWindow: time.Minute}},
		{"reset", "clear_quota/v2", `{"errcode":0,"errmsg":"ok"}`, nil},
		{"addresses and networks", "getcallbackip", `{"ip_list":["101.226.62.77","101.226.103.0/25","::1","x"]}`,
			[]netip.Prefix{netip.MustParsePrefix("101.226.62.77/32"), netip.MustParsePrefix("101.226.103.0/25"), netip.MustParsePrefix("::1/128")}},
	}
	for _, tt := range tests {
		t.Run(tt.api+" "+tt.name, func(t *testing.T) {
			c, _ := answering(t, 200, tt.answer)
			got, err := calls[tt.api](t.Context(), c)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s answered %s = %+v, %v; want %+v", tt.api, tt.answer, got, err, tt.want)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	info := func(rest string) string {
		return `{"authorizer_info":{"nick_name":"店"` + rest + `},"authorization_info":{"authorizer_appid":"wx00000000000000a1","authorizer_refresh_token":"r","func_info":[{"funcscope_category":{"id":3}}]}}`
	}
	profile := func(kind onboard.AccountKind) onboard.Profile {
		return onboard.Profile{Kind: kind, Nickname: "店", Verification: -1}
	}
	full := `{"authorizer_info":{"nick_name":"<b>店</b>","head_img":"http://wx.qlogo.cn/0","service_type_info":{"id":2,"name":"服务号"},"verify_type_info":{"id":0},
		"user_name":"gh_c43395cb652e","alias":"","qrcode_url":"http://mmbiz.qpic.cn/q","business_info":{"open_pay":0},"idc":1,"principal_name":"个人","signature":"s",
		"MiniProgramInfo":{"network":{"RequestDomain":[]},"categories":[{"first":"生活服务","second":"丽人服务"},"odd",{"first":5}],"visit_status":0},
		"register_type":"6","account_status":14,"basic_config":{"is_phone_configured":true},"channels_info":null},
		"authorization_info":{"authorizer_appid":"wx00000000000000a1","authorizer_refresh_token":"r","func_info":[{"funcscope_category":{"id":3}}]}}`
	tests := []struct {
		name, answer string
		want         onboard.Profile
	}{
		{"every member", full, onboard.Profile{Kind: onboard.MiniProgram, Nickname: "<b>店</b>", HeadImageURL: "http://wx.qlogo.cn/0", OriginalID: "gh_c43395cb652e",
			Principal: "个人", Signature: "s", QRCodeURL: "http://mmbiz.qpic.cn/q", ServiceType: 2, Verification: 0, Status: 14, RegisterType: 6,
			Categories: []onboard.Category{{First: "生活服务", Second: "丽人服务"}, {First: "5"}}}},
		{"official account", info(""), profile(onboard.OfficialAccount)},
		{"mini program", info(`,"MiniProgramInfo":{},"channels_info":{"id":0}`), profile(onboard.MiniProgram)},
		{"mini program null", info(`,"MiniProgramInfo":null`), profile(onboard.OfficialAccount)},
		{"channels", info(`,"channels_info":{"id":0}`), profile(onboard.Channels)},
		{"shop", info(`,"store_info":{"id":0}`), profile(onboard.Shop)},
		{"sales assistant", info(`,"talent_info":{"id":0}`), profile(onboard.SalesAssistant)},
		{"supplier", info(`,"supplier_info":{"id":0}`), profile(onboard.Supplier)},
		{"odd members", info(`,"alias":7,"head_img":{},"signature":[],"service_type_info":[],"verify_type_info":"x","account_status":"?","MiniProgramInfo":{"categories":{}}`),
			onboard.Profile{Kind: onboard.MiniProgram, Nickname: "店", Alias: "7", Verification: -1}},
		{"spellings of older samples", `{"authorizer_info":{"nick_name":"店"},"qrcode_url":"u","authorization_info":{"appid":"wx00000000000000a1","authorizer_refresh_token":"r","func_info":[{"funcscope_category":{"id":3}}]}}`,
			onboard.Profile{Kind: onboard.OfficialAccount, Nickname: "店", Verification: -1, QRCodeURL: "u"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := answering(t, 200, tt.answer)
			p, g, r, err := c.Profile(t.Context(), platformToken, account)
			if err != nil || !reflect.DeepEqual(p, tt.want) || !reflect.DeepEqual(g, onboard.Grants{{ID: 3}}) || r.Reveal() != "r" {
				t.Errorf("Profile = %+v, %v, %q, %v; want %+v", p, g, r.Reveal(), err, tt.want)
			}
		})
	}
}

// TestAnswers_Unusable: nothing that cannot be used becomes a value, and the
// outcome is unknown, because WeChat may have acted.
func TestAnswers_Unusable(t *testing.T) {
	type row struct {
		api, name string
		status    int
		answer    string
	}
	var tests []row
	for api := range calls {
		tests = append(tests,
			row{api, "HTML with status 200", 200, "<html><body>busy</body></html>"},
			row{api, "HTML with status 502", 502, "<html><body>Bad Gateway</body></html>"},
			row{api, "empty", 200, ""},
			row{api, "truncated", 200, `{"authorization_info":{"authorizer_appid":"wx0000`},
			row{api, "null", 200, "null"},
			row{api, "array", 200, "[]"},
			row{api, "text", 200, `"ok"`},
			row{api, "two documents", 200, `{"errcode":0}{"errcode":0}`},
			row{api, "status 500 with errcode 0", 500, `{"errcode":0,"errmsg":"ok"}`},
			row{api, "redirect", 302, `{"errcode":0}`},
			row{api, "errcode is an object", 200, `{"errcode":{}}`},
			row{api, "errcode is no number", 200, `{"errcode":"none"}`},
			row{api, "longer than anything", 200, `{"a":"` + strings.Repeat("a", maxAnswer) + `"}`},
		)
		if api != "api_start_push_ticket" && api != "clear_quota/v2" {
			tests = append(tests, row{api, "success without content", 200, `{"errcode":0,"errmsg":"ok"}`})
		}
	}
	tests = append(tests,
		row{"api_component_token", "empty token", 200, `{"component_access_token":"","expires_in":7200}`},
		row{"api_component_token", "token null", 200, `{"component_access_token":null,"expires_in":7200}`},
		row{"api_component_token", "token object", 200, `{"component_access_token":{},"expires_in":7200}`},
		row{"api_create_preauthcode", "empty code", 200, `{"pre_auth_code":"","expires_in":600}`},
		row{"api_query_auth", "info is a list", 200, `{"authorization_info":[]}`},
		row{"api_query_auth", "no AppID", 200, `{"authorization_info":{"authorizer_access_token":"a","authorizer_refresh_token":"r"}}`},
		row{"api_query_auth", "AppID of another form", 200, `{"authorization_info":{"authorizer_appid":"../admin"}}`},
		row{"api_query_auth", "func_info is an object", 200, `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":{}}}`},
		row{"api_query_auth", "func_info without id", 200, `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":[{}]}}`},
		row{"api_query_auth", "func_info negative", 200, `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":[{"funcscope_category":{"id":-1}}]}}`},
		row{"api_authorizer_token", "no access token", 200, `{"authorizer_refresh_token":"r","expires_in":7200}`},
		row{"api_authorizer_token", "another account", 200, `{"authorizer_appid":"wx00000000000000a2","authorizer_access_token":"a","expires_in":7200}`},
		row{"api_get_authorizer_info", "another account", 200, `{"authorizer_info":{"nick_name":"n"},"authorization_info":{"authorizer_appid":"wx00000000000000a2"}}`},
		row{"api_get_authorizer_info", "another account, older spelling", 200, `{"authorizer_info":{"nick_name":"n"},"authorization_info":{"appid":"wx00000000000000a2"}}`},
		row{"api_get_authorizer_info", "no authorizer_info", 200, `{"authorization_info":{"authorizer_appid":"wx00000000000000a1"}}`},
		row{"api_get_authorizer_info", "authorizer_info is text", 200, `{"authorizer_info":"n"}`},
		row{"api_get_authorizer_info", "func_info without id", 200, `{"authorizer_info":{},"authorization_info":{"func_info":[{}]}}`},
		row{"api_get_authorizer_list", "no total", 200, `{"list":[]}`},
		row{"api_get_authorizer_list", "total without list", 200, `{"total_count":3}`},
		row{"api_get_authorizer_list", "list is an object", 200, `{"total_count":3,"list":{}}`},
		row{"api_get_authorizer_list", "entry without AppID", 200, `{"total_count":1,"list":[{"refresh_token":"r"}]}`},
		row{"getcallbackip", "no addresses", 200, `{"ip_list":[]}`},
	)
	for _, tt := range tests {
		t.Run(tt.api+" "+tt.name, func(t *testing.T) {
			c, _ := answering(t, tt.status, tt.answer)
			got, err := calls[tt.api](t.Context(), c)
			up, ok := errors.AsType[*onboard.UpstreamError](err)
			if !ok || !up.Unknown || up.Code != 0 || up.Reaction != onboard.Backoff || up.API != tt.api {
				t.Fatalf("%s answered %.80s = %+v, %#v; want an unknown outcome of %s", tt.api, tt.answer, got, up, tt.api)
			}
			if zero, err := calls[tt.api](canceled(t), c); err == nil || !reflect.DeepEqual(got, zero) {
				t.Errorf("%s answered %.80s = %+v beside an error, want what a call that never was gives: %+v", tt.api, tt.answer, got, zero)
			}
		})
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestRefusals(t *testing.T) {
	echo := ` tokens: ` + platformToken.Reveal() + ` ` + ticket.Reveal() + ` app-` + mark
	tests := []struct {
		api, answer string
		status      int
		code        int
		reaction    onboard.Reaction
		rid, ip     string
	}{
		{"api_create_preauthcode", `{"errcode":40001,"errmsg":"invalid credential, access_token is invalid or not latest rid: 65f0a1b2-1a2b3c4d-5e6f7a8b"}`, 200, 40001, onboard.RefreshPlatform, "65f0a1b2-1a2b3c4d-5e6f7a8b", ""},
		{"api_component_token", `{"errcode":40001,"errmsg":"invalid credential hint: [Ab_c0123]"}`, 200, 40001, onboard.Configure, "Ab_c0123", ""},
		{"api_component_token", `{"errcode":"61005","errmsg":"component ticket is expired"}`, 200, 61005, onboard.AwaitTicket, "", ""},
		{"api_component_token", `{"errcode":61004,"errmsg":"access clientip is not registered requestIP: 203.0.113.7 rid: 65f0a1b2-1a2b3c4d-5e6f7a8b"}`, 200, 61004, onboard.Configure, "65f0a1b2-1a2b3c4d-5e6f7a8b", "203.0.113.7"},
		{"api_component_token", `{"errcode":40164,"errmsg":"invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 65f0-1"}`, 200, 40164, onboard.Configure, "65f0-1", "203.0.113.7"},
		{"api_component_token", `{"errcode":61004,"errmsg":"access clientip is not registered requestIP:2001:db8::5, rid: 1"}`, 200, 61004, onboard.Configure, "1", "2001:db8::5"},
		{"api_component_token", `{"errcode":61004,"errmsg":"access clientip is not registered rid: fe80::1"}`, 200, 61004, onboard.Configure, "fe80", ""},
		{"api_query_auth", `{"errcode":61009,"errmsg":"code is invalid"}`, 200, 61009, onboard.CodeSpent, "", ""},
		{"api_query_auth", `{"errcode":61010,"errmsg":"code is expired"}`, 200, 61010, onboard.CodeSpent, "", ""},
		{"api_authorizer_token", `{"errcode":61023,"errmsg":"refresh_token is invalid"}`, 200, 61023, onboard.Reauthorize, "", ""},
		{"api_get_authorizer_info", `{"errcode":61003,"errmsg":"component is not authorized by this account"}`, 200, 61003, onboard.Reauthorize, "", ""},
		{"api_get_authorizer_info", `{"errcode":-1,"errmsg":"system error"}`, 200, -1, onboard.Backoff, "", ""},
		{"api_get_authorizer_list", `{"errcode":45009,"errmsg":"reach max api daily quota limit"}`, 500, 45009, onboard.Quota, "", ""},
		{"clear_quota/v2", `{"errcode":48006,"errmsg":"forbid to clear quota"}`, 200, 48006, onboard.Quota, "", ""},
		{"api_query_auth", `{"errcode":123456,"errmsg":5}`, 200, 123456, onboard.Backoff, "", ""},
		{"api_component_token", `{"errcode":47001,"errmsg":"data format error` + echo + `"}`, 200, 47001, onboard.Bug, "", ""},
		{"api_query_auth", `{"errcode":61009,"errmsg":"bad ` + authCode.Reveal() + echo + `"}`, 200, 61009, onboard.CodeSpent, "", ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d", tt.api, tt.code), func(t *testing.T) {
			// The app's secret is known to some calls only; the others cannot be echoed it.
			answer := tt.answer
			if tt.api == "api_query_auth" {
				answer = strings.Replace(answer, "app-"+mark, "", 1)
			}
			c, _ := answering(t, tt.status, answer)
			_, err := calls[tt.api](t.Context(), c)
			up, ok := errors.AsType[*onboard.UpstreamError](err)
			if !ok {
				t.Fatalf("%s = %v, want an UpstreamError", tt.api, err)
			}
			if up.Code != tt.code || up.Reaction != tt.reaction || up.RID != tt.rid || up.IP != tt.ip || up.API != tt.api || up.Unknown {
				t.Errorf("%s answered %s: %+v; want reaction %d, rid %q, ip %q", tt.api, answer, up, tt.reaction, tt.rid, tt.ip)
			}
			if tt.api != "api_component_token" && strings.Contains(err.Error(), mark) || strings.Contains(err.Error(), "@@@") || strings.Contains(err.Error(), "app-"+mark) {
				t.Errorf("the error shows a secret: %v", err)
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("the error has several lines: %q", err)
			}
		})
	}
}

func TestClean(t *testing.T) {
	r := request{token: platformToken, secrets: []secret.Secret{authCode, {}}}
	tests := []struct{ in, want string }{
		{"ok", "ok"},
		{"", ""},
		{"bad " + platformToken.Reveal() + "!", "bad [redacted]!"},
		{"bad code=" + authCode.Reveal() + " x", "bad code=[redacted] x"},
		{"someone else's ticket@@@abc", "someone else's [redacted]"},
		{"two\nlines\tand\x00more", "two lines andmore"},
		{strings.Repeat("错", 300), strings.Repeat("错", 200) + "…"},
	}
	for _, tt := range tests {
		if got := r.clean(tt.in); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzDecodeAnswer gives every call every answer: no panic, no value beside an
// error, no empty token beside success.
func FuzzDecodeAnswer(f *testing.F) {
	for _, s := range []string{
		`{"errcode":40001,"errmsg":"x rid: 1"}`, `{"component_access_token":"t","expires_in":"7200"}`, `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":[{"funcscope_category":{"id":1}}]}}`,
		`{"authorizer_info":{"MiniProgramInfo":{"categories":[{"first":"a"}]}},"authorization_info":{"authorizer_appid":"wx00000000000000a1"}}`,
		`{"total_count":1,"list":[{"authorizer_appid":"wx00000000000000a1"}]}`, `[]`, `null`, `<html>`, ``,
	} {
		f.Add(200, s)
	}
	f.Fuzz(func(t *testing.T, status int, answer string) {
		c := &Client{AppID: testAppID, Secret: secret.New("app-" + mark), API: "http://127.0.0.1", HTTP: &http.Client{Transport: constant{status, answer}}}
		ctx := t.Context()
		for api, call := range calls {
			_, err := call(ctx, c)
			if err == nil {
				if !json.Valid([]byte(answer)) || status < 200 || status > 299 {
					t.Errorf("%s took status %d and %q for success", api, status, answer)
				}
				continue
			}
			up, ok := errors.AsType[*onboard.UpstreamError](err)
			if !ok || up.API != api || (up.Code == 0) != up.Unknown {
				t.Errorf("%s with status %d and %q: %#v", api, status, answer, err)
			}
			if strings.Contains(err.Error(), mark) {
				t.Errorf("%s with %q: the error shows a secret: %v", api, answer, err)
			}
		}
		if token, life, err := c.PlatformToken(ctx, ticket); err == nil && (token.Empty() || life < time.Minute || life > 2*time.Hour) {
			t.Errorf("PlatformToken with %q = %q, %v", answer, token.Reveal(), life)
		}
		if tokens, err := c.Refresh(ctx, platformToken, account, refreshToken); err == nil && (tokens.Access.Empty() || tokens.Life < time.Minute) {
			t.Errorf("Refresh with %q = %+v", answer, tokens)
		}
		if auth, err := c.Exchange(ctx, platformToken, authCode); err == nil {
			if id, err := onboard.ParseAppID(string(auth.AppID)); err != nil || id == "" || id != auth.AppID {
				t.Errorf("Exchange with %q has the AppID %q", answer, auth.AppID)
			}
		}
	})
}

// constant is a connection that always carries the same answer.
type constant struct {
	status int
	answer string
}

func (c constant) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(strings.NewReader(c.answer)), Request: r, Header: http.Header{}}, nil
}
