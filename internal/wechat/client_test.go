package wechat

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
