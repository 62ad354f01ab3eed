package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"usher/internal/chromium"
	"usher/internal/hostile"
	"usher/internal/onboard"
)

// TestPolicy holds that pages are looked at in Chromium under the policy that they
// have on a site.
func TestPolicy(t *testing.T) {
	if got := policy(nil); got != chromium.Policy {
		t.Errorf("policy(nil) = %q, want %q", got, chromium.Policy)
	}
}

// elements calls each for every element of an answer that is a page. Its kind is its
// name with those of its attributes.
func elements(t *testing.T, w *httptest.ResponseRecorder, each func(n *html.Node, kind string)) {
	t.Helper()
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		return
	}
	doc, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		kind := n.Data
		for _, a := range n.Attr {
			kind += " " + a.Key
		}
		each(n, kind)
	}
}

// withoutDetector skips a test that goes through so many pages that it takes a minute
// with the race detector, and has one goroutine to watch. The gate runs it without.
func withoutDetector(t *testing.T) {
	if raced {
		t.Skip("takes a minute with the race detector; the gate runs it without")
	}
}

// TestHostileParameters puts hostile texts into every part of an address, into every
// field of the form and into the headers that pages look at. No answer has an element
// or an attribute that none has with harmless texts.
func TestHostileParameters(t *testing.T) {
	withoutDetector(t)
	found := reading(waiting(), nil)
	found.handOff = func() (string, error) { return "https://mp.weixin.qq.com/x", nil }
	missing := reading(onboard.Attempt{}, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "none"))
	type request struct{ method, target, body, header string }
	// requests are those with text in every place.
	requests := func(e *echo.Echo, text string) (all []request) {
		query := url.Values{}
		for _, name := range []string{"lang", "auth_type", "biz_appid", "permission_sets", "in", "not_admin", "theme", "auth_code", "expires_in", text} {
			query.Set(name, text)
		}
		part := url.PathEscape(text)
		for _, route := range e.Routes() {
			if route.Method != http.MethodGet || strings.HasSuffix(route.Path, "/events") || strings.HasPrefix(route.Path, "/static") {
				continue
			}
			path := strings.NewReplacer(":id", part, ":code", part, ":state", part, ":token", part, ":hash", part, ":scene", part, "*", part).Replace(route.Path)
			all = append(all, request{"GET", path, "", ""}, request{"GET", path + "?" + query.Encode(), "", text}, request{"GET", fill(route.Path) + "?" + query.Encode(), "", ""})
		}
		form := url.Values{"auth_type": {text}, "biz_appid": {text}, "permission_sets": {text}}
		all = append(all, request{"GET", "/" + part, "", ""}, request{"POST", "/connect", form.Encode(), text})
		form.Set("auth_type", "2")
		return append(all, request{"POST", "/connect?" + query.Encode(), form.Encode(), ""})
	}
	known := map[string]bool{}
	for _, service := range []oneAttempt{found, missing} {
		h, _, _ := site(t, service, func(s *Server) { s.Guide, s.Limits.PressesPerMinute = true, 1<<20 })
		e := h.(*echo.Echo)
		send := func(r request) (kinds []string) {
			header := []string{}
			if r.header != "" {
				header = []string{"User-Agent", r.header, "Accept-Language", r.header, "Referer", r.header}
			}
			elements(t, ask(h, r.method, r.target, r.body, header...), func(_ *html.Node, kind string) { kinds = append(kinds, kind) })
			return kinds
		}
		for _, text := range []string{"x", "en", "wx0123456789abcde", "7K3M9Q2X", "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0"} {
			for _, r := range requests(e, text) {
				for _, kind := range send(r) {
					known[kind] = true
				}
			}
		}
		if len(known) < 40 {
			t.Fatalf("harmless answers have %d kinds of elements, so the search proves nothing", len(known))
		}
		for _, text := range hostile.Texts {
			for _, r := range requests(e, text) {
				got := send(r)
				scripts := slices.DeleteFunc(slices.Clone(got), func(kind string) bool { return !strings.HasPrefix(kind, "script") })
				if len(scripts) > 1 {
					t.Errorf("%s %s has the scripts %q", r.method, r.target, scripts)
				}
				for _, kind := range got {
					if !known[kind] {
						t.Errorf("%s %s with %q has the element %q", r.method, r.target, r.body, kind)
					}
				}
			}
		}
	}
}
