package web

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// reconcileRoutes compare the store with WeChat's list.
func (s *Server) reconcileRoutes(r *adminRouter) {
	if s.Reconcile == nil {
		return
	}
	r.get(adminviews.ReconcilePath, admin.ManagePlatform, s.reconcilePage)
	r.stream(adminviews.ReconcilePath+liveSuffix, admin.ManagePlatform, s.reconcileLive)
	r.post(adminviews.ReconcilePath, admin.ManagePlatform, s.reconcile)
	r.get(adminviews.ReconcileApplyPath, admin.ManagePlatform, s.reconcileApplyPage)
	r.post(adminviews.ReconcileApplyPath, admin.ManagePlatform, s.reconcileApply)
}

// How much of a run a page shows.
const (
	differencesFirst  = 20 // of each kind
	differencesOnPage = 100
	runsShown         = 10
	reconcilePace     = time.Second
)

// run is what the pages show of the newest run.
func (a *adminContext) run() adminviews.ReconcilePage {
	m := adminviews.ReconcilePage{Run: a.s.Reconcile.Now()}
	m.Stale = a.s.Reconcile.Stale()
	m.Accounts = a.s.console.shows(adminviews.AccountsPath, a.Admin.Role)
	return m
}

func (s *Server) reconcilePage(a *adminContext) error {
	m := a.run()
	state, err := s.Console.SweepState(a.ctx())
	if err != nil {
		return err
	}
	m.SweptAt = state.At
	if kind := onboard.DifferenceKind(a.QueryParam("kind")); slices.Contains(adminviews.DifferenceKinds(), kind) && m.Run.Counts[kind] > 0 {
		m.Alone = kind
	}
	if !m.Run.Phase.Busy() {
		if err := a.differences(&m); err != nil {
			return err
		}
	}
	if m.Past, err = s.Reconcile.Past(a.ctx(), runsShown); err != nil {
		return err
	}
	m.Frame = a.frame()
	m.Refresh = m.Run.Phase.Busy()
	return a.render(http.StatusOK, adminviews.Reconcile(m))
}

// differences reads those that the address asks for.
func (a *adminContext) differences(m *adminviews.ReconcilePage) error {
	for _, kind := range adminviews.DifferenceKinds() {
		all := m.Run.Counts[kind]
		if all == 0 || m.Alone != "" && m.Alone != kind {
			continue
		}
		offset, limit := 0, differencesFirst
		if m.Alone != "" {
			offset, _ = strconv.Atoi(a.QueryParam("from")) // nonsense begins at the first
			offset, limit = max(offset, 0), differencesOnPage
			if offset+limit < all {
				m.Next = offset + limit
			}
		}
		rows, err := a.s.Reconcile.Rows(a.ctx(), kind, offset, limit)
		if err != nil {
			return err
		}
		m.Sections = append(m.Sections, adminviews.RunSection{Kind: kind, All: all, Rows: rows})
	}
	return nil
}

// reconcile begins a comparison; the page shows how far it is.
func (s *Server) reconcile(a *adminContext) error {
	return a.begun(s.Reconcile.Begin(a.ctx()))
}

// reconcileApplyPage asks once more. Without something to apply there is nothing
// to ask.
func (s *Server) reconcileApplyPage(a *adminContext) error {
	m := a.run()
	if m.Run.Phase != admin.PhaseCompared || m.Stale {
		return a.see(adminviews.ReconcilePath)
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.ReconcileApply(m))
}

func (s *Server) reconcileApply(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	return a.begun(s.Reconcile.Apply(a.ctx(), value("run")))
}

// begun leads to the page that shows how it goes on, or says why it does not.
func (a *adminContext) begun(err error) error {
	if kind, key := onboard.Explain(err); err != nil && kind == onboard.Invalid {
		if err := a.audit("reconcile.refuse", "", "", string(key)); err != nil {
			return err
		}
		if err := a.flash("warn", i18n.Key(key)); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return a.see(adminviews.ReconcilePath)
}

// reconcileLive streams how far the run is, and sends the reader to the whole page
// at its end.
func (s *Server) reconcileLive(a *adminContext) error {
	leave, ok := s.streams.open(a.RealIP(), a.Session.ID+a.Path())
	if !ok {
		a.Response().Header().Set("Retry-After", "10")
		return onboard.Errorf(onboard.Unavailable, onboard.KeyLimited, "too many live pages")
	}
	defer leave()
	h := a.Response().Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	a.Response().WriteHeader(http.StatusOK)
	st := &stream{server: s, c: a, out: http.NewResponseController(a.Response())}
	if err := st.send(fmt.Appendf(nil, "retry: %d\n\n", 1000+rand.IntN(2000))); err != nil {
		return nil
	}
	end := time.NewTimer(streamLife)
	defer end.Stop()
	turn := time.NewTicker(reconcilePace)
	defer turn.Stop()
	for spoke := time.Now(); ; {
		sent, last, err := a.showRun(a.ctx(), st)
		if err != nil || last {
			return nil // a browser that went away is no error
		}
		if sent {
			spoke = time.Now()
		} else if time.Since(spoke) >= heartbeat {
			if st.send([]byte("event: beat\ndata: 1\n\n")) != nil {
				return nil
			}
			spoke = time.Now()
		}
		select {
		case <-a.ctx().Done():
			return nil
		case <-s.drain.done():
			return nil
		case <-end.C:
			return nil
		case <-turn.C:
			if !a.still() {
				return nil // the session ended, and the page with it
			}
		}
	}
}

// showRun sends the present state unless it is what the page shows already.
func (a *adminContext) showRun(ctx context.Context, st *stream) (sent, last bool, err error) {
	run := a.s.Reconcile.Now()
	id := fmt.Sprintf("%s-%s-%d-%d", run.ID, run.Phase, run.Read, run.Done)
	if !run.Phase.Busy() {
		return true, true, st.send(appendEvent(nil, "go", id, []byte(adminviews.ReconcilePath)))
	}
	if id == st.last {
		return false, false, nil
	}
	st.last = id
	b := a.s.buffer()
	defer a.s.buffers.Put(b)
	if err := adminviews.ReconcileLive(run).Render(ctx, b); err != nil {
		return false, false, err
	}
	return true, false, st.send(appendEvent(nil, "state", id, b.Bytes()))
}
