package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
)

// listener is a browser with an open stream: heard returns what arrived.
type listener struct {
	header http.Header
	status int

	mu   sync.Mutex
	text strings.Builder
	fail error
}

func (l *listener) Header() http.Header { return l.header }

func (l *listener) WriteHeader(status int) {
	l.status = status
}

func (l *listener) Flush() {}

func (l *listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return 0, l.fail
	}
	return l.text.Write(b)
}

// heard takes what arrived since it was last called.
func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

// desk is a desk page under test: an attempt that can be changed while a
// listener is connected. Time is that of the bubble.
type desk struct {
	mu      sync.Mutex
	attempt onboard.Attempt
	err     error
	changes chan struct{}
	h       http.Handler
	s       *Server
}

func newDesk(t *testing.T, change func(*Server)) *desk {
	d := &desk{attempt: waiting(), changes: make(chan struct{}, 1)}
	now := time.Now()
	d.attempt.CreatedAt, d.attempt.ExpiresAt = now, now.Add(onboard.DeskLife)
	service := oneAttempt{changes: d.changes, read: func() (onboard.Attempt, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.attempt, d.err
	}}
	d.h, d.s, _ = site(t, service, func(s *Server) {
		s.Now = time.Now
		if change != nil {
			change(s)
		}
	})
	return d
}

// set changes the attempt; wake also tells the pages of this process.
func (d *desk) set(wake bool, change func(*onboard.Attempt)) {
	d.mu.Lock()
	change(&d.attempt)
	d.attempt.Version++
	d.mu.Unlock()
	if wake {
		d.changes <- struct{}{}
	}
}

// connect opens a stream in the background. ended is closed when it ends, and
// leave is the browser going away.
func (d *desk) connect(t *testing.T, header ...string) (l *listener, ended chan struct{}, leave func()) {
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "/c/abcdefghijklmnopqrstuvwxyz/events", nil).WithContext(ctx)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	l, ended = &listener{header: http.Header{}}, make(chan struct{})
	go func() {
		defer close(ended)
		d.h.ServeHTTP(l, r)
	}()
	synctest.Wait()
	return l, ended, cancel
}

// hasEnded reports without waiting.
func hasEnded(ended chan struct{}) bool {
	synctest.Wait()
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
