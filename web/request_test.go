package web

import (
	"strings"
	"testing"
)

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
