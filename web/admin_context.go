package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// adminContext is one request to the console: the request itself, who asks, and
// what a page needs.
type adminContext struct {
	echo.Context
	s       *Server
	Admin   admin.Admin   // zero on routes for anyone when nobody is signed in
	Session admin.Session // zero likewise
}

// ctx is the context of the request. It carries the actor, so that every service
// can write the audit with [admin.Service.Audit].
func (a *adminContext) ctx() context.Context { return a.Request().Context() }

// may reports whether the admin's role allows something.
func (a *adminContext) may(p admin.Permission) bool { return a.Admin.Role.May(p) }

// frame is what the layout needs for this page.
func (a *adminContext) frame() adminviews.Frame {
	r := a.Request()
	path := r.URL.EscapedPath()
	if r.URL.RawQuery != "" && r.Method == http.MethodGet {
		query := r.URL.Query()
		query.Del("lang")
		query.Del("token") // of the setup page
		if q := query.Encode(); q != "" {
			path += "?" + q
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		path = adminRoot // the answer to a form has no address of its own
	}
	f := adminviews.Frame{Page: a.s.page(a, path), Admin: a.Admin}
	if a.Admin.ID == "" {
		return f
	}
	f.Nav = a.nav()
	f.Flash = a.takeFlash()
	f.NoTicket = a.noTicket(r.URL.Path)
	return f
}

// nav is the navigation as the reader of the page sees it now.
func (a *adminContext) nav() []adminviews.NavItem {
	console := a.s.console
	return adminviews.Nav(a.Request().URL.Path, func(path string) bool { return console.open(path, a.Admin.Role) }, a.count)
}

// bare is frame for a part of a page: without navigation, and without the sentence
// that waits for the next page.
func (a *adminContext) bare() adminviews.Frame {
	return adminviews.Frame{Page: a.s.page(a, a.Request().URL.EscapedPath()), Admin: a.Admin}
}

// noTicket reports whether a page has to say that there is no ticket. Those that
// say why need not.
func (a *adminContext) noTicket(path string) bool {
	if path == adminviews.HomePath || strings.HasPrefix(path, adminviews.HealthPath) || strings.HasPrefix(path, adminviews.WizardPath) {
		return false
	}
	state, err := a.s.Console.TicketNow(a.ctx())
	if err != nil {
		a.s.Log.WarnContext(a.ctx(), "the state of the ticket is not known", "err", err)
		return false
	}
	return state != admin.TicketFresh && state != admin.TicketAging
}

// count asks for the number beside one entry of the navigation. A page without
// numbers is better than none.
func (a *adminContext) count(path string) (text string, ok bool) {
	ask := a.s.console.counts[path]
	if ask == nil {
		return "", false
	}
	text, err := ask(a.ctx())
	if err != nil {
		a.s.Log.WarnContext(a.ctx(), "a number of the navigation is missing", "route", path, "err", err)
		return "", true
	}
	return text, true
}

// render draws a page and answers with it.
func (a *adminContext) render(status int, page templ.Component) error {
	return a.s.render(a, status, page)
}

// see sends the browser to a path of ours after a button was pressed.
func (a *adminContext) see(path string) error { return see(a, path) }

// audit writes what was done: action is noun.verb, target what it was done to,
// before and after what changed. None of them may hold a secret.
func (a *adminContext) audit(action, target, before, after string) error {
	return a.s.Console.Audit(a.ctx(), admin.Entry{Action: action, Target: target, Before: before, After: after})
}

// savedFlash is a flash in the session: the sentence is chosen when it is shown.
type savedFlash struct {
	Class string   `json:"class"`
	Key   i18n.Key `json:"key"`
	Args  []string `json:"args,omitempty"`
}

// flash keeps a sentence for the next page: class is ok, warn or bad, args are
// pairs of a placeholder's name and its value.
func (a *adminContext) flash(class string, key i18n.Key, args ...string) error {
	text, err := json.Marshal(savedFlash{class, key, args})
	if err != nil {
		return err
	}
	a.Session.Flash = "" // of the page before
	return a.s.Console.SaveFlash(a.ctx(), a.Session, string(text))
}

// done is a flash and then a redirect: the usual end of a form.
func (a *adminContext) done(path string, key i18n.Key, args ...string) error {
	if err := a.flash("ok", key, args...); err != nil {
		return err
	}
	return a.see(path)
}

// takeFlash returns the sentence that waits, once. A reader who misses one loses
// nothing else.
func (a *adminContext) takeFlash() *adminviews.Flash {
	if a.Session.Flash == "" || a.Request().Method == http.MethodHead {
		return nil
	}
	a.Session.Flash = ""
	text, err := a.s.Console.TakeFlash(a.ctx(), a.Session)
	var saved savedFlash
	if err != nil || json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&saved) != nil {
		return nil
	}
	args := make([]any, len(saved.Args))
	for i, v := range saved.Args {
		args[i] = v
	}
	return &adminviews.Flash{Class: saved.Class, Text: i18n.T(a.ctx(), saved.Key, args...)}
}

// serve finds out who asks, whether they may, and then lets the handler answer.
func (r *adminRouter) serve(c echo.Context, route adminRoute, h adminHandler) error {
	s := r.s
	a := &adminContext{Context: c, s: s}
	recognize := s.Console.Session
	if strings.HasSuffix(route.path, liveSuffix) {
		recognize = s.Console.Glance // a page that is left open does not keep anybody signed in
	}
	session, who, err := recognize(c.Request().Context(), s.adminSessions.id(c))
	if err != nil && !errors.Is(err, admin.ErrSignedOut) {
		return err
	}
	signedIn := err == nil
	if signedIn {
		a.Session, a.Admin = session, who
	}
	req := c.Request()
	c.SetRequest(req.WithContext(admin.With(req.Context(), admin.Actor{
		Admin: a.Admin, SessionID: a.Session.ID, Address: c.RealIP(), Network: neighborhood(c.RealIP()),
		Browser: req.UserAgent(), RequestID: requestID(c),
	})))
	switch {
	case route.permission == admin.Anyone:
	case !signedIn:
		return a.askToSignIn()
	case !a.may(route.permission):
		if err := a.audit("access.refuse", route.method+" "+route.path, "", string(route.permission)); err != nil {
			return err
		}
		return a.explain(errForbidden)
	}
	if err := h(a); err != nil {
		if !signedIn || kindOf(c) != htmlAnswer {
			return err
		}
		return a.explain(err)
	}
	if route.method == http.MethodPost && c.Response().Status < 400 && !admin.Audited(a.ctx()) {
		// Nothing is done without a trace, even where a handler forgot.
		return a.audit("route.post", req.URL.Path, "", "")
	}
	return nil
}

// errForbidden is what somebody without the permission gets.
var errForbidden = echo.NewHTTPError(http.StatusForbidden)

// explain answers an error inside the console's frame.
func (a *adminContext) explain(err error) error {
	a.s.note(a, err)
	if a.Response().Committed || errors.Is(err, context.Canceled) {
		return err
	}
	status, key := explain(err)
	ctx := a.ctx()
	m := adminviews.ProblemPage{Title: i18n.T(ctx, i18n.AdminFailedTitle)}
	switch {
	case status == http.StatusForbidden:
		m.Title = i18n.T(ctx, i18n.AdminForbiddenTitle)
		m.Text = i18n.T(ctx, i18n.AdminForbidden, "role", i18n.T(ctx, adminviews.RoleKey(a.Admin.Role)))
	case status == http.StatusNotFound:
		m.Title, m.Text = i18n.T(ctx, i18n.AdminNotFoundTitle), i18n.T(ctx, i18n.AdminNotFound)
	case key == "" || !i18n.Has(i18n.Key(key)):
		m.Text = i18n.T(ctx, i18n.Key(onboard.KeyInternal))
	default:
		m.Text = i18n.T(ctx, i18n.Key(key))
	}
	m.Frame = a.frame()
	if failed := a.render(status, adminviews.Problem(m)); failed != nil {
		return fmt.Errorf("%w (and the page that says so: %w)", err, failed)
	}
	return nil
}

// values reads the posted form, with or without files.
func (a *adminContext) values() (func(string) string, error) { return form(a) }
