package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"usher/internal/onboard"
)

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
