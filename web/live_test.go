package web

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
)

// listener is a browser with an open stream: what was flushed arrives on lines.
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

func TestLiveFollowsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		l, ended, _ := d.connect(t, "Accept-Encoding", "gzip")
		first := l.heard()
		if !strings.HasPrefix(first, "retry: ") || !strings.Contains(first, "event: state\nid: 1-created\ndata: ") {
			t.Errorf("first event:\n%s", first)
		}
		for header, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no", "Cache-Control": "no-store", "Content-Encoding": ""} {
			if got := l.header.Get(header); got != want {
				t.Errorf("%s = %q, want %q", header, got, want)
			}
		}

		d.set(true, func(a *onboard.Attempt) { a.OpenedAt = time.Now() })
		synctest.Wait()
		if got := l.heard(); !strings.Contains(got, "id: 2-opened\n") {
			t.Errorf("after opening:\n%s", got)
		}

		d.set(true, func(a *onboard.Attempt) {
			a.HandedOffAt, a.CodeEndsAt = time.Now(), time.Now().Add(10*time.Minute)
		})
		synctest.Wait()
		if got := l.heard(); !strings.Contains(got, "id: 3-handed_off\n") {
			t.Errorf("after the hand-off:\n%s", got)
		}
		time.Sleep(90 * time.Second) // in the bubble: the clock alone changes the state
		synctest.Wait()
		if got := l.heard(); strings.Count(got, "id: ") != 1 || !strings.Contains(got, "id: 3-no_answer\n") || strings.Count(got, ":\n\n") < 5 {
			t.Errorf("after 90 s without an answer:\n%s", got)
		}

		d.set(true, func(a *onboard.Attempt) { a.FinishedAt, a.Verdict = time.Now(), onboard.Connected })
		if !hasEnded(ended) {
			t.Fatal("the stream of a finished attempt goes on")
		}
		if got := l.heard(); !strings.Contains(got, "id: 4-done\n") || !strings.HasSuffix(got, "event: go\nid: 4-done\ndata: /done/abcdefghijklmnopqrstuvwxyz\n\n") {
			t.Errorf("after the end:\n%s", got)
		}

		again, ended, _ := d.connect(t, "Last-Event-ID", "4-done")
		if !hasEnded(ended) || again.status != http.StatusNoContent {
			t.Errorf("a browser that comes again got %d, want 204", again.status)
		}
		late, ended, _ := d.connect(t, "Last-Event-ID", "3-no_answer")
		if !hasEnded(ended) || !strings.Contains(late.heard(), "event: go\n") {
			t.Error("a browser that missed the end was not sent on")
		}
	})
}

// A page that expired is shown as such and then left alone.
func TestLiveExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.attempt.ExpiresAt = time.Now().Add(time.Minute)
		l, ended, _ := d.connect(t)
		l.heard()
		time.Sleep(time.Minute)
		if !hasEnded(ended) {
			t.Error("the stream of an expired attempt goes on")
		}
		if got := l.heard(); !strings.Contains(got, "event: state\nid: 1-expired\n") || !strings.HasSuffix(got, "event: end\nid: 1-expired\ndata: \n\n") {
			t.Errorf("after a minute:\n%s", got)
		}
		again, ended, _ := d.connect(t, "Last-Event-ID", "1-expired")
		if !hasEnded(ended) || again.status != http.StatusNoContent {
			t.Errorf("a browser that comes again got %d, want 204", again.status)
		}
	})
}

// A change that another process made has no wake-up here; the heartbeat finds it.
func TestLiveFindsSilentChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		l, _, leave := d.connect(t)
		l.heard()
		d.set(false, func(a *onboard.Attempt) { a.OpenedAt = time.Now() })
		time.Sleep(heartbeat)
		synctest.Wait()
		if got := l.heard(); !strings.Contains(got, "id: 2-opened\n") {
			t.Errorf("a heartbeat later:\n%s", got)
		}
		leave()
	})
}

func TestLiveEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(d *desk, l *listener, leave func())
	}{
		{"browser leaves", func(_ *desk, _ *listener, leave func()) { leave() }},
		{"server stops", func(d *desk, _ *listener, _ func()) { d.s.Close(); d.s.Close() }},
		{"after ten minutes", func(*desk, *listener, func()) { time.Sleep(streamLife) }},
		{"browser takes nothing", func(_ *desk, l *listener, _ func()) {
			l.mu.Lock()
			l.fail = errors.New("broken pipe")
			l.mu.Unlock()
			time.Sleep(heartbeat)
		}},
		{"attempt expires", func(*desk, *listener, func()) { time.Sleep(onboard.DeskLife) }},
		{"attempt is gone", func(d *desk, _ *listener, _ func()) {
			d.mu.Lock()
			d.err = onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "gone")
			d.mu.Unlock()
			time.Sleep(heartbeat)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, nil)
				l, ended, leave := d.connect(t)
				if hasEnded(ended) {
					t.Fatal("the stream ended at once")
				}
				tt.end(d, l, leave)
				if !hasEnded(ended) {
					t.Error("the stream goes on")
					leave()
				}
				if d.s.streams.total != 0 {
					t.Errorf("%d places are still taken", d.s.streams.total)
				}
			})
		})
	}
}

// A store that fails for a moment does not cost a page its stream.
func TestLiveOutlivesAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		l, ended, leave := d.connect(t)
		d.mu.Lock()
		d.err = errors.New("disk is busy")
		d.mu.Unlock()
		time.Sleep(heartbeat)
		if hasEnded(ended) {
			t.Fatal("the stream ended")
		}
		l.heard()
		d.mu.Lock()
		d.err = nil
		d.mu.Unlock()
		d.set(true, func(a *onboard.Attempt) { a.OpenedAt = time.Now() })
		synctest.Wait()
		if got := l.heard(); !strings.Contains(got, "id: 2-opened\n") {
			t.Errorf("after the fault:\n%s", got)
		}
		leave()
	})
}

func TestLiveCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(s *Server) { s.Limits.StreamsPerAttempt = 2 })
		_, _, leave := d.connect(t)
		_, _, leaveToo := d.connect(t)
		l, ended, _ := d.connect(t)
		if !hasEnded(ended) || l.status != http.StatusServiceUnavailable || l.header.Get("Retry-After") != "10" {
			t.Errorf("a third page got %d, Retry-After %q; want 503, 10", l.status, l.header.Get("Retry-After"))
		}
		leave()
		synctest.Wait()
		_, ended, leaveLast := d.connect(t)
		if hasEnded(ended) {
			t.Error("a place that was given back cannot be taken")
		}
		leaveToo()
		leaveLast()
	})
}

func TestAppendEvent(t *testing.T) {
	got := string(appendEvent(nil, "state", "7-done", []byte("<p>\r\na\n\n</p>")))
	if want := "event: state\nid: 7-done\ndata: <p>\ndata: a\ndata: \ndata: </p>\n\n"; got != want {
		t.Errorf("appendEvent = %q, want %q", got, want)
	}
}

// pipes is a network of one connection inside the process, so that its deadlines
// run by the clock of the bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// The stream outlives the deadline that the server sets for every answer.
func TestLiveOutlivesWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		network := make(pipes, 1)
		server := &http.Server{Handler: d.h, ReadTimeout: 3 * time.Second, WriteTimeout: 5 * time.Second}
		stopped := make(chan error)
		go func() { stopped <- server.Serve(network) }()
		here, there := net.Pipe()
		network <- there
		if _, err := here.Write([]byte("GET /c/abcdefghijklmnopqrstuvwxyz/events HTTP/1.1\r\nHost: open.example.com\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(here), nil)
		if err != nil {
			t.Fatal(err)
		}
		read := func(want string) {
			t.Helper()
			var text strings.Builder
			b := make([]byte, 4096)
			for !strings.Contains(text.String(), want) {
				n, err := res.Body.Read(b)
				text.Write(b[:n])
				if err != nil {
					t.Fatalf("reading until %q: %v after\n%s", want, err, text.String())
				}
			}
		}
		read("id: 1-created\n")
		time.Sleep(3 * server.WriteTimeout / 2)
		d.set(true, func(a *onboard.Attempt) { a.OpenedAt = time.Now() })
		read("id: 2-opened\n")
		d.s.Close()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown after Close: %v", err)
		}
		here.Close()
		<-stopped
	})
}

var _ http.Flusher = (*listener)(nil)
