package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"usher/internal/onboard"
)

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
