package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
)

// elsewhere are ways in which redirects have been led to another site.
var elsewhere = func() []string {
	hosts := []string{"evil.example", "evil.example/", "evil.example/%2f..", "open.example.com@evil.example", "evil.example#open.example.com", "evil.example?open.example.com"}
	prefixes := []string{"//", "///", "////", "http://", "https://", "https:", "https:/", "http:///", `\\`, `/\`, `\/`, `/\/`, "//\t", "/\t/", "\t//", " //", "/ /",
		"%2f%2f", "/%2f/", "/%5c", "%5c%5c", "//%0d%0a", "/%09/", "https:%0a//", "ftp://", "//;@", "/.//", "/..//", "./../..//", "//www.", "https://%00"}
	all := []string{"javascript:alert(1)", "data:text/html,x", "vbscript:x", "about:blank", "file:///etc/passwd", "//1.1", "//[::1]/", "https://[::ffff:1.1.1.1]",
		"//0x01010101", "/\u2044evil.example", "//evil。example", "https://evil.example\r\nSet-Cookie: a=b"}
	for _, p := range prefixes {
		for _, h := range hosts {
			all = append(all, p+h)
		}
	}
	return all
}()

// TestRedirect_OpenRedirectCorpus puts addresses of other sites wherever a request
// can carry something. Whatever is answered, no browser is sent there.
func TestRedirect_OpenRedirectCorpus(t *testing.T) {
	service := reading(waiting(), nil)
	service.handOff = func() (string, error) { return "https://mp.weixin.qq.com/x", nil }
	h, _, _ := site(t, service, func(s *Server) {
		s.Limits.PressesPerMinute = 1 << 30
		s.Close() // live pages end at once
	})
	e, ok := h.(*echo.Echo)
	if !ok {
		t.Fatal("the handler is not Echo")
	}
	names := []string{"next", "url", "return", "redirect", "redirect_uri", "to", "r", "u", "lang", "auth_type", "biz_appid", "permission_sets", "auth_code", "expires_in"}
	checked := 0
	check := func(method, target, body string, header ...string) {
		t.Helper()
		defer func() {
			if v := recover(); v != nil { // a method that the service of this test lacks
				checked--
			}
		}()
		checked++
		w := ask(h, method, target, body, header...)
		for _, to := range append(w.Result().Header.Values("Location"), w.Result().Header.Values("Refresh")...) {
			u, err := url.Parse(to)
			own := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\r\n\t")
			if !own && to != "https://mp.weixin.qq.com/x" {
				t.Errorf("%s %q with %q %q leads to %q", method, target, body, header, to)
			}
		}
	}
	for _, bad := range elsewhere {
		form := url.Values{}
		for _, name := range names {
			form.Set(name, bad)
		}
		for _, route := range e.Routes() {
			if route.Method != http.MethodGet && route.Method != http.MethodPost || !strings.Contains(route.Path, "/") {
				continue
			}
			if slices.ContainsFunc([]string{"/check", "/invite", "/plugin", "/renew", "/again"}, func(end string) bool { return strings.HasSuffix(route.Path, end) }) {
				continue // not answered by the service of this test
			}
			if route.Method == http.MethodPost {
				check(route.Method, fill(route.Path), form.Encode())
			} else {
				check(route.Method, fill(route.Path)+"?"+form.Encode(), "", "Referer", "https://open.example.com"+strings.NewReplacer("\r", "", "\n", "").Replace(bad), "X-Forwarded-Host", "evil.example")
			}
		}
		if target := "/" + strings.TrimLeft(bad, "/"); !strings.ContainsAny(target, " \t\r\n#?%") {
			check("GET", target, "")
			check("GET", "/"+target, "")
		}
		if got := ownPath(bad); got != "/admin" {
			t.Errorf("ownPath(%q) = %q, want /admin", bad, got)
		}
	}
	if checked < 2000 {
		t.Errorf("only %d requests were made", checked)
	}
}

// TestPublicListener_NoInternalRoutes: what is for the operator's eyes is not on
// the site's address.
func TestPublicListener_NoInternalRoutes(t *testing.T) {
	bare, _, _ := site(t, reading(onboard.Attempt{}, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "none")), nil)
	for name, h := range map[string]http.Handler{"bare": bare, "with the console": newConsole(t, nil)} {
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/truth", "/simulator", "/.env", "/.git/config", "/usher.db", "/data/usher.db", "/config", "/styleguide"} {
			if w := ask(h, "GET", path, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s: GET %s = %d, want 404", name, path, w.Code)
			}
		}
	}
}
