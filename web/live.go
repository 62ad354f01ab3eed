package web

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
	"usher/views"
)

// The times of a live page.
const (
	heartbeat  = 15 * time.Second // keeps proxies from closing a quiet stream
	streamLife = 10 * time.Minute // then the browser connects again, perhaps to a newer process
	writeTime  = 10 * time.Second // a browser that takes nothing for so long is gone
)

// events streams the changing part of an attempt's page. The first event is the
// present state, so a browser that missed something is right again at once. After
// a final state the browser is sent on, and told to stay away if it comes again.
func (s *Server) events(c echo.Context) error {
	id := c.Param("id")
	changes, stop := s.Service.Watch(id) // before the first read, or a change between would be lost
	defer stop()
	a, err := s.Service.Attempt(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if state := a.State(s.Now()); state.Final() && c.Request().Header.Get("Last-Event-ID") == eventID(a, state) {
		return c.NoContent(http.StatusNoContent)
	}
	return s.openStream(c, id, func(st *stream) { st.follow(a, changes) })
}

// eventID names what a page shows. The state is part of it because time alone
// changes it, without a new version of the attempt.
func eventID(a onboard.Attempt, state onboard.State) string {
	return fmt.Sprintf("%d-%s", a.Version, state)
}

// stream is one live page.
type stream struct {
	server *Server
	c      echo.Context
	out    *http.ResponseController
	last   string // id of the newest event
}

// openStream begins a live page and runs follow, which sends what the page shows. Of
// the same name and address only a few can be open.
func (s *Server) openStream(c echo.Context, name string, follow func(*stream)) error {
	h := c.Response().Header()
	leave, ok := s.streams.open(c.RealIP(), name)
	if !ok {
		h.Set("Retry-After", "10")
		return onboard.Errorf(onboard.Unavailable, onboard.KeyLimited, "too many live pages")
	}
	defer leave()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.Response().WriteHeader(http.StatusOK)
	st := stream{server: s, c: c, out: http.NewResponseController(c.Response())}
	// After a restart all pages come back: not all at the same moment.
	if st.send(fmt.Appendf(nil, "retry: %d\n\n", 1000+rand.IntN(2000))) == nil {
		follow(&st)
	}
	return nil // a browser that went away is no error
}

// follow sends a and every later state until the page is final, the stream is old,
// the browser leaves or the server stops.
func (st *stream) follow(a onboard.Attempt, changes <-chan struct{}) {
	s, ctx := st.server, st.c.Request().Context()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	wake := time.NewTimer(heartbeat)
	defer wake.Stop()
	for {
		now := s.Now()
		state := a.State(now)
		final, err := st.show(a, state)
		if err != nil || final {
			return
		}
		pause := heartbeat
		if next := a.NextChange(now); !next.IsZero() {
			pause = min(pause, max(next.Sub(now), time.Millisecond))
		}
		wake.Reset(pause)
		select {
		case <-ctx.Done():
			return
		case <-s.drain.done():
			return
		case <-end.C:
			return
		case <-changes:
		case <-wake.C:
			if st.beat() != nil {
				return
			}
		}
		// Read after a heartbeat too: the wake-up of a change that another process
		// made does not reach this one.
		if a, err = st.read(ctx, a); err != nil {
			return
		}
	}
}

// read reads the attempt again. A read that fails keeps the page as it is; the
// next heartbeat tries again.
func (st *stream) read(ctx context.Context, a onboard.Attempt) (onboard.Attempt, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	next, err := st.server.Service.Attempt(ctx, a.ID)
	if err == nil {
		return next, nil
	}
	if kind, _ := onboard.Explain(err); kind == onboard.NotFound {
		return a, err
	}
	st.server.Log.WarnContext(ctx, "reading for a live page failed", "request_id", requestID(st.c), "route", st.c.Path(), "err", err)
	return a, nil
}

// show sends the state when it is not what the page shows already, and reports
// whether it was the last one.
func (st *stream) show(a onboard.Attempt, state onboard.State) (final bool, err error) {
	id := eventID(a, state)
	if id == st.last {
		return state.Final(), nil
	}
	b := st.server.buffer()
	defer st.server.buffers.Put(b)
	if err := views.AttemptLive(st.server.deskPage(st.c, a)).Render(st.c.Request().Context(), b); err != nil {
		return false, fmt.Errorf("draw the live part: %w", err)
	}
	event := appendEvent(nil, "state", id, b.Bytes())
	switch {
	case ended(state):
		event = appendEvent(event, "go", id, []byte(views.ResultPath(a.ID)))
	case state.Final(): // the page stays as it is and has nothing more to wait for
		event = appendEvent(event, "end", id, nil)
	}
	st.last = id
	return state.Final(), st.send(event)
}

// beat tells the page that the stream lives: by an event, because a page does not
// hear a comment.
func (st *stream) beat() error { return st.send([]byte("event: beat\ndata: 1\n\n")) }

// send writes and flushes. The deadline replaces the one of the whole server,
// which would end the stream after some seconds.
func (st *stream) send(b []byte) error {
	_ = st.out.SetWriteDeadline(time.Now().Add(writeTime)) // not every writer of a test has deadlines
	if _, err := st.c.Response().Write(b); err != nil {
		return err
	}
	return st.out.Flush()
}

// appendEvent writes one event (HTML Standard, Server-sent events). Data of several
// lines becomes several fields, which the browser joins again.
func appendEvent(out []byte, name, id string, data []byte) []byte {
	out = fmt.Appendf(out, "event: %s\nid: %s\n", name, id)
	data = bytes.ReplaceAll(data, []byte("\r"), nil)
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		out = append(append(append(out, "data: "...), line...), '\n')
	}
	return append(out, '\n')
}
