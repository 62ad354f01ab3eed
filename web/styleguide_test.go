package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestGuide checks that the style guide is there when it is asked for, and only
// then, and that what its sample pages load is there too.
func TestGuide(t *testing.T) {
	with, _, _ := site(t, reading(waiting(), nil), func(s *Server) { s.Guide = true })
	without, _, _ := site(t, reading(waiting(), nil), nil)
	for path, want := range map[string]string{
		"/styleguide":                          "phone-parts",
		"/styleguide?theme=dark&lang=en":       "Components and states",
		"/styleguide/attempt-created":          "data-live",
		"/styleguide/phone-parts":              "h5",
		"/c/06DNB3V8ZKQ2M7XH4T1C9RWAFS/qr.png": "PNG",
		"/q/7K3M9Q2X/qr.png":                   "PNG",
	} {
		if w := ask(with, "GET", path, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s = %d, want 200 with %q", path, w.Code, want)
		}
		if !strings.HasPrefix(path, "/styleguide") {
			continue
		}
		if w := ask(without, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s of a site without the guide = %d, want 404", path, w.Code)
		}
	}
	for _, path := range []string{"/styleguide/none", "/styleguide/live-created"} {
		if w := ask(with, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
	w := ask(with, "GET", "/styleguide/attempt-created?theme=dark", "")
	if !strings.Contains(w.Body.String(), "/static/app-dark-") {
		t.Errorf("a dark scene loads another sheet:\n%s", w.Body)
	}
}
