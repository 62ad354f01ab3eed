package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
