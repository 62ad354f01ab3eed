package wechat

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

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
			onboard.Usage{DailyLimit: 10000, Remain: 10000, RateCalls: 2000, RateWindow: time.Minute}},
		{"account's limit only", "openapi/quota/get", `{"quota":{"daily_limit":1,"used":1,"remain":0},"rate_limit":{"call_count":100,"refresh_second":60}}`,
			onboard.Usage{DailyLimit: 1, Used: 1, RateCalls: 100, RateWindow: time.Minute}},
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
		{"zero bytes", info(`,"alias":"\u0000a\u0000","head_img":"\u0000","signature":"\ud800"`),
			onboard.Profile{Kind: onboard.OfficialAccount, Nickname: "店", Alias: "a", Signature: "\ufffd", Verification: -1}},
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
