package web

import (
	"net/http"
	"testing"
)

// TestPicture checks how the picture of an account is served: as pixels, even when
// somebody opens it as a page.
func TestPicture(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	w := ask(h, "GET", "/picture/aaaa.png", "")
	if w.Code != http.StatusOK || w.Body.String() != "\x89PNG" {
		t.Errorf("GET /picture/aaaa.png = %d with %q", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=31536000, immutable",
	} {
		if got := w.Header().Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("GET /picture/aaaa.png with %s %q, want %q once", name, got, want)
		}
	}
	for _, path := range []string{"/picture/bbbb.png", "/picture/aaaa", "/picture/.png", "/picture/"} {
		if w := ask(h, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
}
