package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
)

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
		if got := l.heard(); strings.Count(got, "id: ") != 1 || !strings.Contains(got, "id: 3-no_answer\n") || strings.Count(got, "event: beat\ndata: 1\n\n") < 5 {
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

var _ http.Flusher = (*listener)(nil)
