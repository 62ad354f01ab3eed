package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// fill puts something in the place of a route's parameters.
func fill(route string) string {
	return strings.NewReplacer(":id", "abcdefghijklmnopqrstuvwxyz", ":code", "7K3M9Q2X", ":state", "state", ":token", "token", "*", "none.css").Replace(route)
}

func TestHeadersOnEveryRoute(t *testing.T) {
	services := map[string]oneAttempt{
		"found":       reading(waiting(), nil),
		"not found":   reading(onboard.Attempt{}, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "none")),
		"store fails": reading(onboard.Attempt{}, errors.New("disk is full")),
		"panic":       {read: func() (onboard.Attempt, error) { panic("a bug") }},
	}
	statuses := map[int]bool{}
	for name, service := range services {
		service.handOff = func() (string, error) { return "https://mp.weixin.qq.com/x", nil }
		h, _, _ := site(t, service, func(s *Server) {
			s.Limits.PressesPerMinute = 1 << 20
			s.Close() // live pages end at once
		})
		check := func(method, path string, w *httptest.ResponseRecorder) {
			t.Helper()
			statuses[w.Code] = true
			referrer := "origin"
			if strings.HasPrefix(path, "/cb/") {
				referrer = "no-referrer"
			}
			want := map[string]string{
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
					"frame-ancestors 'none'; form-action 'self' https://mp.weixin.qq.com https://open.weixin.qq.com",
				"Referrer-Policy":            referrer,
				"X-Content-Type-Options":     "nosniff",
				"Cross-Origin-Opener-Policy": "same-origin",
				"Strict-Transport-Security":  "max-age=31536000; includeSubDomains",
				"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
			}
			if !strings.HasSuffix(path, ".png") || w.Code != http.StatusOK {
				want["Cache-Control"] = "no-store"
			}
			for header, value := range want {
				if got := w.Result().Header.Values(header); len(got) != 1 || got[0] != value {
					t.Errorf("%s: %s %s = %d with %s %q, want %q once", name, method, path, w.Code, header, got, value)
				}
			}
			if w.Result().Header.Get("X-Request-Id") == "" {
				t.Errorf("%s: %s %s has no request id", name, method, path)
			}
		}
		e, ok := h.(*echo.Echo)
		if !ok {
			t.Fatal("the handler is not Echo")
		}
		for _, route := range e.Routes() {
			path := fill(route.Path)
			if strings.HasSuffix(route.Path, "/check") || strings.HasSuffix(route.Path, "/invite") || strings.HasSuffix(route.Path, "/plugin") || strings.HasSuffix(route.Path, "/renew") {
				continue // not answered by the service of this test; the wrapping is the same
			}
			if strings.HasSuffix(route.Path, "/events") && route.Method == http.MethodGet && strings.HasPrefix(route.Path, "/c/") && name == "found" {
				continue // TestLive
			}
			check(route.Method, path, ask(h, route.Method, path, ""))
			check(http.MethodDelete, path, ask(h, http.MethodDelete, path, ""))
		}
		check("GET", "/no/such/page", ask(h, "GET", "/no/such/page", ""))
		check("POST", "/connect", ask(h, "POST", "/connect", goodForm, "Sec-Fetch-Site", "cross-site"))
		check("POST", "/connect", ask(h, "POST", "/connect", "auth_type="+strings.Repeat("a", formLimit)))
		check("POST", "/connect", ask(h, "POST", "/connect", "auth_type=9"))
	}
	for _, status := range []int{200, 303, 403, 404, 405, 413, 422, 500} {
		if !statuses[status] {
			t.Errorf("no answer had the status %d", status)
		}
	}
}

func TestNoHSTSOverHTTP(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), func(s *Server) { s.PublicURL = "http://127.0.0.1:8080" })
	if got := ask(h, "GET", "/", "", "X-Forwarded-Proto", "https").Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("over http there is Strict-Transport-Security %q", got)
	}
}

// TestCrossSite holds what a browser of another site may do: look, not press.
func TestCrossSite(t *testing.T) {
	const origin, fetch = "Origin", "Sec-Fetch-Site"
	tests := []struct {
		name   string
		method string
		path   string
		header []string
		refuse bool
	}{
		{"our page", "POST", "/connect", []string{fetch, "same-origin", origin, "https://open.example.com"}, false},
		{"typed or bookmarked", "POST", "/connect", []string{fetch, "none"}, false},
		{"another site", "POST", "/connect", []string{fetch, "cross-site", origin, "https://evil.example"}, true},
		{"a sister site", "POST", "/connect", []string{fetch, "same-site", origin, "https://blog.example.com"}, true},
		{"old kernel, our page", "POST", "/connect", []string{origin, "https://open.example.com"}, false},
		{"old kernel, another site", "POST", "/connect", []string{origin, "https://evil.example"}, true},
		{"old kernel, hidden origin", "POST", "/connect", []string{origin, "null"}, true},
		{"no browser", "POST", "/connect", nil, false},
		{"hand-off from another site", "POST", "/q/7K3M9Q2X/go", []string{fetch, "cross-site", origin, "https://evil.example"}, true},
		{"plug-in from another site", "POST", "/q/7K3M9Q2X/plugin", []string{fetch, "cross-site"}, true},
		{"redirect from WeChat", "GET", "/cb/state?auth_code=x", []string{fetch, "cross-site"}, false},
		{"link from a chat", "GET", "/q/7K3M9Q2X", []string{fetch, "cross-site"}, false},
	}
	service := reading(waiting(), nil)
	service.handOff = func() (string, error) { return "https://mp.weixin.qq.com/x", nil }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, _, _ := site(t, service, nil)
			var body string
			if tt.method == "POST" {
				body = goodForm
			}
			w := ask(h, tt.method, tt.path, body, tt.header...)
			if (w.Code == http.StatusForbidden) != tt.refuse {
				t.Errorf("%s %s with %q = %d, want refused %v", tt.method, tt.path, tt.header, w.Code, tt.refuse)
			}
		})
	}
	t.Run("proxy rewrites Host", func(t *testing.T) {
		h, _, _ := site(t, service, nil)
		r := httptest.NewRequest("POST", "/connect", strings.NewReader(goodForm))
		r.Host = "127.0.0.1:8080"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(origin, "https://open.example.com")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther {
			t.Errorf("POST /connect = %d, want 303", w.Code)
		}
	})
	t.Run("push from WeChat", func(t *testing.T) {
		service.push = func(onboard.Push) error { return nil }
		h, _, _ := site(t, service, func(s *Server) {
			s.Receive = func(string, []byte) (onboard.Push, error) { return onboard.Push{}, nil }
		})
		if w := ask(h, "POST", "/wechat/events?nonce=1", "<xml/>"); w.Code != http.StatusOK {
			t.Errorf("POST /wechat/events = %d, want 200", w.Code)
		}
	})
}

// TestCrossSite_EveryRoute presses every button there is, those of the console with
// an owner's cookie, as browsers tell of another site.
func TestCrossSite_EveryRoute(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	presses := 0
	for _, route := range w.Handler.(*echo.Echo).Routes() {
		if route.Method != http.MethodPost || kindOfPath(route.Path) == pushAnswer {
			continue
		}
		presses++
		for _, from := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "https://open.example.com.evil.example"},
			{"Origin", "https://open.example.com:8443"},
			{"Origin", "null"},
		} {
			_, before := w.lastAudit()
			got := ask(w, http.MethodPost, fill(route.Path), "_=", append(from, "Cookie", cookie)...)
			if _, after := w.lastAudit(); got.Code != http.StatusForbidden || after != before {
				t.Errorf("POST %s with %q = %d, %d rows in the audit, want 403 and nothing done", route.Path, from, got.Code, after-before)
			}
		}
	}
	if presses < 40 {
		t.Errorf("there are %d buttons, so this proves little", presses)
	}
}

// TestGetChangesNothing walks every address that a link checker may fetch. The
// service of this test panics on every step that changes something.
func TestGetChangesNothing(t *testing.T) {
	h, _, log := site(t, reading(waiting(), nil), nil)
	e, ok := h.(*echo.Echo)
	if !ok {
		t.Fatal("the handler is not Echo")
	}
	for _, route := range e.Routes() {
		switch {
		case route.Method != http.MethodGet && route.Method != http.MethodHead,
			strings.HasPrefix(route.Path, "/cb/"),          // WeChat's redirect is a GET by nature
			strings.HasPrefix(route.Path, "/c/:id/events"): // TestLive
			continue
		}
		if w := ask(h, route.Method, fill(route.Path), ""); w.Code >= 500 && route.Path != "/readyz" {
			t.Errorf("%s %s = %d", route.Method, route.Path, w.Code)
		}
	}
	if strings.Contains(log.String(), "panic") {
		t.Errorf("a GET changed something:\n%s", log)
	}
}
