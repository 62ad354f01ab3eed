package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"usher/internal/admin"
	adminviews "usher/views/admin"
)

// overviewRoutes are what an admin sees first.
func (s *Server) overviewRoutes(r *adminRouter) {
	r.get(adminRoot, admin.View, s.overview)
	r.stream(adminRoot+liveSuffix, admin.View, s.overviewLive)
}

func (a *adminContext) overviewModel(ctx context.Context) (m adminviews.OverviewPage, err error) {
	m.Has = func(path string) bool { return a.s.console.open(path, a.Admin.Role) }
	m.Overview, err = a.s.Console.Overview(ctx)
	return m, err
}

func (s *Server) overview(a *adminContext) error {
	m, err := a.overviewModel(a.ctx())
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Overview(m))
}

// overviewLive streams what needs attention.
func (s *Server) overviewLive(a *adminContext) error {
	return a.follow(livePart{name: "overview", draw: func(ctx context.Context) (templ.Component, error) {
		m, err := a.overviewModel(ctx)
		m.Frame = a.bare()
		return adminviews.OverviewLive(m), err
	}})
}
