package web

import (
	"net/http"
	"testing"

	"usher/internal/onboard"
)

// TestPlainAddress: bytes that a database would choke on do not reach one.
func TestPlainAddress(t *testing.T) {
	read := false
	h, _, _ := site(t, oneAttempt{read: func() (onboard.Attempt, error) { read = true; return waiting(), nil }}, nil)
	for _, path := range []string{"/c/a%00b", "/q/%ff%fe", "/c/x?lang=%00", "/m/%c3%28", "/?biz_appid=%ff", "/done/%00"} {
		if w := ask(h, "GET", path, ""); w.Code != http.StatusNotFound || read {
			t.Errorf("GET %s = %d, asked the service %t; want 404 without asking", path, w.Code, read)
		}
	}
	if w := ask(h, "GET", "/c/"+waiting().ID+"?x=%E8%8C%B6", ""); w.Code != http.StatusOK {
		t.Errorf("an address in Chinese = %d, want 200", w.Code)
	}
}
