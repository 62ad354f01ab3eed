package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
	"usher/views"
)

// discard is a ResponseWriter that keeps nothing, so that the benchmark does not
// measure a recorder.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkWaitingPage compares the page at the desk, with everything the site
// does for a request but without a store, with the floor: Echo and templ drawing
// the same bytes.
func BenchmarkWaitingPage(b *testing.B) {
	h, s, _ := site(b, reading(waiting(), nil), func(s *Server) { s.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	floor := echo.New()
	floor.GET("/c/:id", func(c echo.Context) error {
		ctx := i18n.With(c.Request().Context(), i18n.Chinese)
		b := s.buffer()
		defer s.buffers.Put(b)
		if err := views.Attempt(s.deskPage(c, waiting())).Render(ctx, b); err != nil {
			return err
		}
		return c.HTMLBlob(http.StatusOK, b.Bytes())
	})
	r := httptest.NewRequest("GET", "/c/abcdefghijklmnopqrstuvwxyz", nil)
	for _, of := range []struct {
		name    string
		handler http.Handler
	}{{"site", h}, {"floor", floor}} {
		handler := of.handler
		b.Run(of.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
	r = r.Clone(b.Context())
	r.Header.Set("Accept-Encoding", "gzip")
	b.Run("site gzipped", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.ServeHTTP(discard{http.Header{}}, r)
		}
	})
}
