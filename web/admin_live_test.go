package web

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
)

// firstEvent is the recorder of a browser that leaves a live page after its first
// drawing.
type firstEvent struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (f firstEvent) Write(b []byte) (int, error) {
	n, err := f.ResponseRecorder.Write(b)
	if bytes.Contains(f.Body.Bytes(), []byte("event: state")) {
		f.leave()
	}
	return n, err
}

// glimpse asks for a live page and leaves.
func (w *consoleWorld) glimpse(path, cookie string) *httptest.ResponseRecorder {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Host = "open.example.com"
	r.Header.Set("Cookie", cookie)
	answer := httptest.NewRecorder()
	w.ServeHTTP(firstEvent{answer, cancel}, r)
	return answer
}
