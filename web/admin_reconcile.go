package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

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
	return a.follow(livePart{name: "reconcile", turn: reconcilePace, onward: adminviews.ReconcilePath, draw: func(context.Context) (templ.Component, error) {
		run := s.Reconcile.Now()
		if !run.Phase.Busy() {
			return nil, errLeft
		}
		return adminviews.ReconcileLive(run), nil
	}})
}
