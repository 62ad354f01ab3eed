package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
)

// adminHandler answers one route of the console.
type adminHandler func(a *adminContext) error

// adminRoute is one route and the permission it demands.
type adminRoute struct {
	method, path string
	permission   admin.Permission
}

// adminRouter registers the console's routes. Each names the permission it
// demands; a route without a valid one makes [Server.Handler] fail.
type adminRouter struct {
	s      *Server
	e      *echo.Echo
	routes []adminRoute
	counts map[string]func(context.Context) (string, error)
	faults []error
}

// get registers a page. It must not change anything.
func (r *adminRouter) get(path string, p admin.Permission, h adminHandler) {
	handler := r.register(http.MethodGet, path, p, h)
	r.e.GET(path, handler, within(pageTime))
	r.e.HEAD(path, handler, within(pageTime))
}

// stream registers a page of live updates, which may last; its path ends in /live.
func (r *adminRouter) stream(path string, p admin.Permission, h adminHandler) {
	if !strings.HasSuffix(path, liveSuffix) {
		r.faults = append(r.faults, fmt.Errorf("the live page %s does not end in %s", path, liveSuffix))
	}
	r.e.GET(path, r.register(http.MethodGet, path, p, h))
}

// post registers something that changes the world. What it does is written to the
// audit: by the handler or the service it calls, and failing that by the router.
func (r *adminRouter) post(path string, p admin.Permission, h adminHandler) {
	r.e.POST(path, r.register(http.MethodPost, path, p, h), within(pageTime))
}

func (r *adminRouter) register(method, path string, p admin.Permission, h adminHandler) echo.HandlerFunc {
	switch {
	case !p.Valid():
		r.faults = append(r.faults, fmt.Errorf("%s %s demands no valid permission: %q", method, path, p))
	case path != adminRoot && !strings.HasPrefix(path, adminRoot+"/"):
		r.faults = append(r.faults, fmt.Errorf("%s %s is not below %s", method, path, adminRoot))
	}
	route := adminRoute{method, path, p}
	r.routes = append(r.routes, route)
	return func(c echo.Context) error { return r.serve(c, route, h) }
}

// count shows a number beside an entry of the navigation, the one that leads to
// path; empty for none. It is asked for every page, so it has to be cheap.
func (r *adminRouter) count(path string, f func(context.Context) (string, error)) { r.counts[path] = f }

// open reports whether a page exists and role may see it.
func (r *adminRouter) open(path string, role admin.Role) bool {
	for _, route := range r.routes {
		if route.method == http.MethodGet && route.path == path {
			return role.May(route.permission)
		}
	}
	return false
}

// shows reports whether there are pages of single things below path that role may
// see, so that others can link to them.
func (r *adminRouter) shows(path string, role admin.Role) bool {
	return slices.ContainsFunc(r.routes, func(route adminRoute) bool {
		name, single := strings.CutPrefix(route.path, path+"/:")
		return single && !strings.Contains(name, "/") && route.method == http.MethodGet && role.May(route.permission)
	})
}

const (
	adminRoot  = "/admin"
	liveSuffix = "/live"
)

// adminRoutes is the whole console. Each part registers its pages in its own file.
func (s *Server) adminRoutes(e *echo.Echo) error {
	return s.registerAdmin(e,
		s.signInRoutes,
		s.overviewRoutes,
		s.inviteRoutes,
		s.decideRoutes,
		s.profileRoutes,
		s.peopleRoutes,
		s.eventRoutes,
		s.reconcileRoutes,
		s.accountsRoutes,
		s.auditRoutes,
		s.settingsRoutes,
		s.healthRoutes,
		s.wizardRoutes,
	)
}

// registerAdmin lets every part register its routes. The error says which of them
// demand no permission, or were registered beside the router.
func (s *Server) registerAdmin(e *echo.Echo, parts ...func(*adminRouter)) error {
	r := &adminRouter{s: s, e: e, counts: map[string]func(context.Context) (string, error){}}
	for _, register := range parts {
		register(r)
	}
	known := map[string]bool{}
	for _, route := range r.routes {
		known[route.method+route.path] = true
		if route.method == http.MethodGet {
			known[http.MethodHead+route.path] = true
		}
	}
	for _, route := range e.Routes() {
		if (route.Path == adminRoot || strings.HasPrefix(route.Path, adminRoot+"/")) && !known[route.Method+route.Path] {
			r.faults = append(r.faults, fmt.Errorf("%s %s was registered without a permission", route.Method, route.Path))
		}
	}
	s.console = r
	return errors.Join(r.faults...)
}
