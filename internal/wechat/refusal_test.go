package wechat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

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
