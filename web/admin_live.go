package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// liveTurn is how often a live part is drawn in any case.
const liveTurn = 5 * time.Second

// errLeft is how a draw says that the page has nothing more to show: the browser
// goes to livePart.onward.
var errLeft = errors.New("the page is left")

// livePart is a part of a page of the console that keeps itself up to date.
type livePart struct {
	name    string          // of what it shows; a few browsers may look at the same
	changes <-chan struct{} // tells of changes in this process; may be nil
	turn    time.Duration   // how often it is drawn in any case; 0 means liveTurn
	onward  string          // where a draw that fails with errLeft leads
	// draw reads what there is to show now.
	draw func(context.Context) (templ.Component, error)
}

// follow streams a part: as it is now, and again whenever it differs, until the
// browser leaves, the session ends, the stream is old or the server stops.
func (a *adminContext) follow(p livePart) error {
	first, err := a.liveEvent(p)
	if err != nil && !errors.Is(err, errLeft) {
		return err
	}
	return a.s.openStream(a, "admin "+a.Admin.ID+" "+p.name, func(st *stream) { a.keepUp(st, p, first) })
}

// event is one drawing of a part; the id tells whether another is the same.
type event struct {
	id   string
	data []byte
}

func (a *adminContext) keepUp(st *stream, p livePart, e event) {
	end := time.NewTimer(streamLife)
	defer end.Stop()
	turn := time.NewTicker(cmp.Or(p.turn, liveTurn)) // time passes, and another process may have changed something
	defer turn.Stop()
	sent := time.Now()
	for {
		switch {
		case e.id != "" && e.id != st.last:
			if st.send(appendEvent(nil, "state", e.id, e.data)) != nil {
				return
			}
			st.last, sent = e.id, time.Now()
		case time.Since(sent) >= heartbeat-time.Second:
			if st.beat() != nil {
				return
			}
			sent = time.Now()
		}
		select {
		case <-a.ctx().Done():
			return
		case <-a.s.drain.done():
			return
		case <-end.C:
			return
		case <-p.changes:
		case <-turn.C:
		}
		if !a.still() {
			a.sendOn(st, adminviews.SignInPath+"?next="+url.QueryEscape(strings.TrimSuffix(a.Request().URL.Path, liveSuffix)))
			return
		}
		next, err := a.liveEvent(p)
		if errors.Is(err, errLeft) {
			a.sendOn(st, p.onward)
			return
		}
		if kind, _ := onboard.Explain(err); err != nil && kind == onboard.NotFound {
			return
		}
		if err != nil { // the page stays as it is; the next turn tries again
			a.s.Log.WarnContext(a.ctx(), "reading for a live page failed", "request_id", requestID(a), "route", a.Path(), "err", err)
			continue
		}
		e = next
	}
}

// sendOn sends the browser to another page. One that is gone already needs nothing.
func (a *adminContext) sendOn(st *stream, path string) {
	_ = st.send(appendEvent(nil, "go", "onward", []byte(path)))
}

// still reports whether the session counts and the role is what it was.
func (a *adminContext) still() bool {
	ctx, cancel := context.WithTimeout(a.ctx(), pageTime)
	defer cancel()
	_, who, err := a.s.Console.Glance(ctx, a.s.adminSessions.id(a))
	if err != nil && !errors.Is(err, admin.ErrSignedOut) {
		return true // nobody can tell now; the next turn does
	}
	return err == nil && who.Role == a.Admin.Role
}

// liveEvent draws a part.
func (a *adminContext) liveEvent(p livePart) (event, error) {
	ctx, cancel := context.WithTimeout(a.ctx(), pageTime)
	defer cancel()
	page, err := p.draw(ctx)
	if err != nil {
		return event{}, err
	}
	b := a.s.buffer()
	defer a.s.buffers.Put(b)
	for _, part := range []templ.Component{page, adminviews.NavLive(a.nav())} {
		if err := part.Render(ctx, b); err != nil {
			return event{}, fmt.Errorf("draw the live part: %w", err)
		}
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b.Bytes()) // never fails
	return event{fmt.Sprintf("%x", sum.Sum64()), append([]byte(nil), b.Bytes()...)}, nil
}
