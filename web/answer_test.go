package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"usher/internal/onboard"
)

func TestErrorsBecomeAnswers(t *testing.T) {
	const hidden = "text of the cause"
	tests := []struct {
		err    error
		status int
		wait   string // Retry-After
	}{
		{onboard.Errorf(onboard.Invalid, onboard.KeyAuthType, hidden), 422, ""},
		{onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, hidden), 404, ""},
		{onboard.Errorf(onboard.Expired, onboard.KeyExpired, hidden), 410, ""},
		{onboard.Errorf(onboard.Unavailable, onboard.KeyBlockedTicket, hidden), 503, "30"},
		{onboard.Errorf(onboard.Limited, onboard.KeyLimited, hidden), 429, ""},
		{fmt.Errorf("reading: %w", onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, hidden)), 404, ""},
		{errors.New(hidden), 500, ""},
		{fmt.Errorf("%s: %w", hidden, context.DeadlineExceeded), 503, "30"},
	}
	for _, tt := range tests {
		for _, lang := range []string{"zh-CN", "en"} {
			h, _, log := site(t, reading(onboard.Attempt{}, tt.err), nil)
			w := ask(h, "GET", "/c/abc", "", "Accept-Language", lang)
			if w.Code != tt.status || w.Header().Get("Retry-After") != tt.wait {
				t.Errorf("GET with %v = %d, Retry-After %q; want %d, %q", tt.err, w.Code, w.Header().Get("Retry-After"), tt.status, tt.wait)
			}
			if got := w.Header().Get("Content-Language"); got != lang {
				t.Errorf("GET with %v has the language %q, want %q", tt.err, got, lang)
			}
			if strings.Contains(w.Body.String(), hidden) {
				t.Errorf("GET with %v shows the cause:\n%s", tt.err, w.Body)
			}
			id := w.Header().Get("X-Request-Id")
			if !strings.Contains(log.String(), hidden) || !strings.Contains(log.String(), "request_id="+id) {
				t.Errorf("GET with %v logs %q, want the cause and the id %s", tt.err, log, id)
			}
		}
	}
}

func TestErrorsAsJSON(t *testing.T) {
	service := reading(onboard.Attempt{}, onboard.Errorf(onboard.Expired, onboard.KeyExpired, "old"))
	h, _, _ := site(t, service, nil)
	w := ask(h, "POST", "/q/7K3M9Q2X/plugin", "")
	var got problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("POST plugin = %d %q: %v", w.Code, w.Body, err)
	}
	if w.Code != http.StatusGone || got.Error != string(onboard.KeyExpired) || got.Message == "" || !regexp.MustCompile(`^R-[A-Z2-7]{4}$`).MatchString(got.Reference) {
		t.Errorf("POST plugin = %d %+v", w.Code, got)
	}
}

// A log line has the route's pattern; path and query hold codes.
func TestLogHasNoAddress(t *testing.T) {
	h, _, log := site(t, reading(waiting(), nil), nil)
	ask(h, "GET", "/cb/SECRETSTATE?auth_code=SECRETCODE&expires_in=3600", "", "Referer", "https://x/SECRETREFERER", "User-Agent", "SECRETAGENT")
	ask(h, "GET", "/m/SECRETTOKEN?x=SECRETQUERY", "")
	ask(h, "GET", "/no/SECRETPATH", "")
	ask(h, "SECRETMETHOD", "/", "")
	ask(h, "GET", "/", "", "X-Request-Id", "SECRETID")
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("the log shows an address:\n%s", log)
	}
	for _, want := range []string{"route=/cb/:state", "route=/m/:token", "method=other", "status=303", "status=404"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

func TestRedirectFromWeChat(t *testing.T) {
	const result = "/done/abcdefghijklmnopqrstuvwxyz"
	unknown := onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "unknown state")
	tests := []struct {
		name     string
		err      error
		query    string
		status   int
		location string
	}{
		{"code", nil, "?auth_code=queryauthcode%40%40%40abc&expires_in=3600", 303, result},
		{"unknown state", unknown, "?auth_code=queryauthcode%40%40%40abc", 303, "/cb/state"},
		{"unknown state, clean address", unknown, "", 404, ""},
		{"too late", onboard.Errorf(onboard.Expired, onboard.KeyExpired, "late"), "?auth_code=queryauthcode%40%40%40abc", 303, "/cb/state"},
		{"too late, clean address", onboard.Errorf(onboard.Expired, onboard.KeyExpired, "late"), "", 410, ""},
		{"two codes", nil, "?auth_code=queryauthcode1&auth_code=queryauthcode2", 303, "/cb/state"},
		{"endless code", nil, "?auth_code=queryauthcode" + strings.Repeat("a", maxAuthCode), 303, "/cb/state"},
		{"store fails", errors.New("disk is full"), "?auth_code=queryauthcode%40%40%40abc", 500, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, _, log := site(t, reading(waiting(), tt.err), nil)
			w := ask(h, "GET", "/cb/state"+tt.query, "")
			if w.Code != tt.status || w.Header().Get("Location") != tt.location {
				t.Errorf("GET /cb/state%.50s = %d to %q, want %d to %q", tt.query, w.Code, w.Header().Get("Location"), tt.status, tt.location)
			}
			if all := fmt.Sprint(w.Header(), w.Body, log); strings.Contains(all, "queryauthcode") {
				t.Errorf("GET /cb/state%.50s shows the code: %s", tt.query, all)
			}
			if tt.status == 303 && w.Body.Len() > 0 {
				t.Errorf("GET /cb/state%.50s has a page: %s", tt.query, w.Body)
			}
		})
	}
	h, _, _ := site(t, reading(waiting(), nil), nil)
	if w := ask(h, "HEAD", "/cb/state?auth_code=a", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("HEAD /cb = %d, want 405", w.Code)
	}
}

// When the attempt tells why a press failed, its page is the answer.
func TestBlockedHandOff(t *testing.T) {
	blocked := waiting()
	blocked.Blocked, blocked.BlockedAt = onboard.KeyBlockedTicket, noon
	for _, path := range []string{"/q/7K3M9Q2X/go", "/i/7K3M9Q2XAB/go", "/c/abcdefghijklmnopqrstuvwxyz/pc"} {
		service := reading(blocked, nil)
		service.handOff = func() (string, error) {
			return "", onboard.Errorf(onboard.Unavailable, onboard.KeyBlockedTicket, "no ticket")
		}
		h, _, log := site(t, service, nil)
		w := ask(h, "POST", path, "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(log.String(), "no ticket") {
			t.Errorf("POST %s = %d, Retry-After %q, log %s", path, w.Code, w.Header().Get("Retry-After"), log)
		}
	}
}

func TestHandOffSendsOn(t *testing.T) {
	const link = "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent#wechat_redirect"
	service := reading(waiting(), nil)
	service.handOff = func() (string, error) { return link, nil }
	h, _, _ := site(t, service, nil)
	w := ask(h, "POST", "/q/7K3M9Q2X/go", "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != link || w.Body.Len() != 0 {
		t.Errorf("POST /q/…/go = %d to %q with %q, want 303 to %q without a page", w.Code, w.Header().Get("Location"), w.Body, link)
	}
}

func TestBodyLimits(t *testing.T) {
	service := reading(waiting(), nil)
	service.push = func(onboard.Push) error { return nil }
	var took int
	h, _, _ := site(t, service, func(s *Server) {
		s.Receive = func(_ string, body []byte) (onboard.Push, error) { took = len(body); return onboard.Push{}, nil }
	})
	send := func(path string, size int64, declared bool) int {
		r := httptest.NewRequest("POST", path, io.LimitReader(endless{}, size))
		r.ContentLength = -1
		if declared {
			r.ContentLength = size
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	tests := []struct {
		path   string
		size   int64
		status int
	}{
		{"/connect", formLimit, 422},
		{"/connect", formLimit + 1, 413},
		{"/wechat/events", pushLimit, 200},
		{"/wechat/events", pushLimit + 1, 403},
		{"/wechat/events", 10 << 20, 403},
	}
	for _, tt := range tests {
		for _, declared := range []bool{true, false} {
			took = 0
			if got := send(tt.path, tt.size, declared); got != tt.status {
				t.Errorf("POST %s of %d bytes, length declared %v = %d, want %d", tt.path, tt.size, declared, got, tt.status)
			}
			if tt.status == 200 && took != int(tt.size) {
				t.Errorf("POST %s of %d bytes handed on %d", tt.path, tt.size, took)
			}
		}
	}
}

func TestPushAnswers(t *testing.T) {
	tests := []struct {
		name    string
		receive error
		store   error
		status  int
		body    string
	}{
		{"stored", nil, nil, 200, "success"},
		{"not stored", nil, errors.New("disk is full"), 503, ""},
		{"signature", errors.New("signature"), nil, 403, ""},
		{"decrypt", errors.New("decrypt"), nil, 403, ""},
	}
	var refusals []string
	for _, tt := range tests {
		service := reading(waiting(), nil)
		service.push = func(onboard.Push) error { return tt.store }
		h, _, log := site(t, service, func(s *Server) {
			s.Receive = func(string, []byte) (onboard.Push, error) { return onboard.Push{}, tt.receive }
		})
		w := ask(h, "POST", "/wechat/events?timestamp=1", "<xml/>")
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("%s: push = %d %q, want %d %q", tt.name, w.Code, w.Body, tt.status, tt.body)
		}
		if tt.status == 200 && w.Header().Get("Content-Type") != "text/plain; charset=UTF-8" {
			t.Errorf("%s: push has Content-Type %q", tt.name, w.Header().Get("Content-Type"))
		}
		if cause := errors.Join(tt.receive, tt.store); cause != nil && !strings.Contains(log.String(), cause.Error()) {
			t.Errorf("%s: the log lacks the cause: %s", tt.name, log)
		}
		if tt.status == 403 {
			w.Header().Del("X-Request-Id")
			refusals = append(refusals, fmt.Sprint(w.Code, w.Header(), w.Body))
		}
	}
	h, _, _ := site(t, reading(waiting(), nil), nil)
	w := ask(h, "POST", "/wechat/events", strings.Repeat("a", pushLimit+1))
	w.Header().Del("X-Request-Id")
	refusals = append(refusals, fmt.Sprint(w.Code, w.Header(), w.Body))
	for _, r := range refusals[1:] {
		if r != refusals[0] {
			t.Errorf("refusals differ:\n%s\n%s", refusals[0], r)
		}
	}
}

func TestPushCheck(t *testing.T) {
	service := reading(waiting(), nil)
	h, _, _ := site(t, service, func(s *Server) {
		s.Echo = func(query string) (string, error) {
			if !strings.Contains(query, "signature=good") {
				return "", errors.New("signature")
			}
			return "<b>text</b>", nil
		}
	})
	without, _, _ := site(t, service, nil)
	tests := []struct {
		h      http.Handler
		query  string
		status int
		body   string
	}{
		{h, "?echostr=a&signature=good", 200, "<b>text</b>"},
		{h, "?echostr=a&signature=bad", 403, ""},
		{h, "?signature=good", 405, ""},
		{h, "", 405, ""},
		{without, "?echostr=a&signature=good", 405, ""},
	}
	for _, tt := range tests {
		w := ask(tt.h, "GET", "/wechat/events"+tt.query, "")
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("GET /wechat/events%s = %d %q, want %d %q", tt.query, w.Code, w.Body, tt.status, tt.body)
		}
		if w.Code == 200 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("GET /wechat/events%s is %s", tt.query, w.Header().Get("Content-Type"))
		}
	}
}

func TestHealth(t *testing.T) {
	service := reading(waiting(), nil)
	service.ready = onboard.Readiness{Reasons: []string{"no_ticket"}}
	h, _, _ := site(t, service, func(s *Server) { s.Version = "v1.2.3" })
	if w := ask(h, "GET", "/healthz", ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok","version":"v1.2.3"}` {
		t.Errorf("GET /healthz = %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/readyz", ""); w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"status":"unavailable","version":"v1.2.3","reasons":["no_ticket"]}` {
		t.Errorf("GET /readyz = %d %s", w.Code, w.Body)
	}
	service.ready = onboard.Readiness{OK: true}
	h, _, _ = site(t, service, nil)
	if w := ask(h, "GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("GET /readyz = %d %s", w.Code, w.Body)
	}
}

func TestLanguage(t *testing.T) {
	const cookie = "__Host-usher-lang=en"
	tests := []struct {
		target string
		header []string
		want   string
		kept   bool // a cookie is set
	}{
		{"/", nil, "zh-CN", false},
		{"/", []string{"Accept-Language", "en-US,en;q=0.9"}, "en", false},
		{"/", []string{"Accept-Language", "zh-CN", "Cookie", cookie}, "en", false},
		{"/?lang=zh-CN", []string{"Cookie", cookie}, "zh-CN", true},
		{"/?lang=en", []string{"Cookie", cookie}, "en", false},
		{"/?lang=en", nil, "en", true},
		{"/?lang=fr", nil, "zh-CN", false},
		{"/no/such/page?lang=en", nil, "en", true},
	}
	h, _, _ := site(t, reading(waiting(), nil), nil)
	for _, tt := range tests {
		w := ask(h, "GET", tt.target, "", tt.header...)
		if got := w.Header().Get("Content-Language"); got != tt.want || (w.Header().Get("Set-Cookie") != "") != tt.kept {
			t.Errorf("GET %s with %q is in %q, cookie %q; want %q, kept %v", tt.target, tt.header, got, w.Header().Get("Set-Cookie"), tt.want, tt.kept)
		}
	}
}

func TestVaryOfPhonePages(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	for _, path := range []string{"/q/7K3M9Q2X", "/i/7K3M9Q2XAB"} {
		vary := strings.Join(ask(h, "GET", path, "").Header().Values("Vary"), ", ")
		for _, want := range []string{"User-Agent", "Accept-Language", "Accept-Encoding"} {
			if !strings.Contains(vary, want) {
				t.Errorf("GET %s varies by %q, want %s too", path, vary, want)
			}
		}
	}
}
