package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// signInRoutes is the way in and out.
func (s *Server) signInRoutes(r *adminRouter) {
	r.get(adminviews.SignInPath, admin.Anyone, s.signInPage)
	r.post(adminviews.SignInPath, admin.Anyone, s.signIn)
	r.post(adminviews.CodePath, admin.Anyone, s.signInCode)
	r.post(adminviews.SignOutPath, admin.Self, s.signOut)
	r.get(adminviews.SetupPath, admin.Anyone, s.setupPage)
	r.post(adminviews.SetupPath, admin.Anyone, s.setup)
}

// ownPath returns where to go after signing in: a path of the console, never of
// another site.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || len(next) > 1000 || strings.ContainsAny(next, "\\\r\n\t") ||
		u.Path != adminRoot && !strings.HasPrefix(u.Path, adminRoot+"/") || strings.HasPrefix(u.Path, adminviews.SignInPath) ||
		strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/../") || strings.HasSuffix(u.Path, "/..") {
		return adminRoot
	}
	return u.RequestURI()
}

// askToSignIn answers somebody who is not signed in: a page leads there and back;
// a form is kept, so that nothing has to be typed again.
func (a *adminContext) askToSignIn() error {
	r := a.Request()
	if kindOf(a) != htmlAnswer {
		return echo.NewHTTPError(http.StatusUnauthorized)
	}
	if r.Method != http.MethodPost {
		return a.see(adminviews.SignInPath + "?next=" + url.QueryEscape(ownPath(r.URL.RequestURI())))
	}
	if _, err := a.values(); err != nil {
		return err
	}
	m := adminviews.SignInPage{Frame: a.frame(), Next: adminRoot}
	if k := keep(r.URL.Path, r.PostForm); len(k.Fields) > 0 {
		m.Kept = k
	}
	return a.render(http.StatusUnauthorized, adminviews.SignIn(m))
}

// notKept are parts of field names whose values are not carried through a page.
var notKept = []string{"password", "repeat", "secret", "token", "code", "key"}

// keep takes the fields of a form that may travel through the sign-in.
func keep(action string, fields url.Values) adminviews.Kept {
	k := adminviews.Kept{Action: action}
	for name, values := range fields {
		if slices.ContainsFunc(notKept, func(part string) bool { return strings.Contains(strings.ToLower(name), part) }) {
			continue
		}
		for _, v := range values {
			k.Fields = append(k.Fields, adminviews.KeptField{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(k.Fields, func(a, b adminviews.KeptField) int { return strings.Compare(a.Name, b.Name) })
	return k
}

// kept reads what keep put into the page. Only a form of the console comes back.
func (a *adminContext) kept() adminviews.Kept {
	fields := a.Request().PostForm
	action := fields.Get("kept")
	if action == "" || ownPath(action) != action {
		return adminviews.Kept{}
	}
	own := url.Values{}
	for name, values := range fields {
		if name, ok := strings.CutPrefix(name, adminviews.KeptPrefix); ok {
			own[name] = values
		}
	}
	return keep(action, own)
}

func (s *Server) signInPage(a *adminContext) error {
	next := ownPath(a.QueryParam("next"))
	if a.Admin.ID != "" {
		return a.see(next)
	}
	return a.render(http.StatusOK, adminviews.SignIn(adminviews.SignInPage{Frame: a.frame(), Next: next}))
}

func (s *Server) signIn(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	m := adminviews.SignInPage{Name: value("name"), Next: ownPath(value("next")), Kept: a.kept()}
	in, err := s.Console.SignIn(a.ctx(), m.Name, value("password"))
	if fault, ok := a.fault(err, "name", in); ok {
		m.Faults = adminviews.Faults{fault}
		m.Frame = a.frame()
		return a.render(faultStatus(err), adminviews.SignIn(m))
	}
	if err != nil {
		return err
	}
	if err := s.adminSessions.set(a, in.Token); err != nil {
		return err
	}
	if in.Pending {
		return a.render(http.StatusOK, adminviews.Code(adminviews.CodePage{Frame: a.frame(), Next: m.Next, Kept: m.Kept}))
	}
	return s.entered(a, in, m.Next, m.Kept)
}

func (s *Server) signInCode(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	m := adminviews.CodePage{Next: ownPath(value("next")), Kept: a.kept()}
	in, err := s.Console.SignInCode(a.ctx(), s.adminSessions.id(a), value("code"))
	if errors.Is(err, admin.ErrSignedOut) { // it took too long
		return a.render(http.StatusUnauthorized, adminviews.SignIn(adminviews.SignInPage{Frame: a.frame(), Next: m.Next, Kept: m.Kept}))
	}
	if fault, ok := a.fault(err, "code", in); ok {
		m.Faults = adminviews.Faults{fault}
		m.Frame = a.frame()
		return a.render(faultStatus(err), adminviews.Code(m))
	}
	if err != nil {
		return err
	}
	if err := s.adminSessions.set(a, in.Token); err != nil {
		return err
	}
	return s.entered(a, in, m.Next, m.Kept)
}

// entered goes on after a sign-in: to the page asked for, or to what was typed.
func (s *Server) entered(a *adminContext, in admin.Entrance, next string, kept adminviews.Kept) error {
	if kept.Action == "" {
		return a.see(next)
	}
	session, who, err := s.Console.Session(a.ctx(), in.Token)
	if err != nil {
		return err
	}
	a.Session, a.Admin = session, who
	return a.render(http.StatusOK, adminviews.KeptForm(adminviews.KeptPage{Frame: a.frame(), Kept: kept}))
}

// fault turns an error that the person can correct into one beside the field.
func (a *adminContext) fault(err error, field string, in admin.Entrance) (adminviews.Fault, bool) {
	e, ok := errors.AsType[*onboard.Error](err)
	if !ok || e.Kind != onboard.Invalid && e.Kind != onboard.Limited {
		return adminviews.Fault{}, false
	}
	a.s.note(a, err)
	f := adminviews.Fault{Field: field, Key: e.Key}
	if !in.RetryAt.IsZero() {
		wait := in.RetryAt.Sub(a.s.Now())
		a.Response().Header().Set("Retry-After", seconds(wait))
		f.Args = []any{"minutes", max(1, int((wait+time.Minute-1)/time.Minute))}
	}
	return f, true
}

// faultStatus is the status of a form that comes back with err above it.
func faultStatus(err error) int {
	status, _ := explain(err)
	return status
}

func (s *Server) signOut(a *adminContext) error {
	if err := s.Console.SignOut(a.ctx(), s.adminSessions.id(a)); err != nil {
		return err
	}
	if err := s.adminSessions.forget(a); err != nil {
		return err
	}
	return a.see(adminviews.SignInPath)
}

// setupPage shows whom a one-time token is for. The token itself is spent by the
// form only, so that a preview of the link spends nothing.
func (s *Server) setupPage(a *adminContext) error {
	m := adminviews.SetupPage{Token: a.QueryParam("token"), First: true}
	admins, err := s.Console.Admins(a.ctx())
	if err != nil {
		return err
	}
	m.First = len(admins) == 0
	if m.Token != "" {
		who, first, err := s.Console.Enrollee(a.ctx(), m.Token)
		if fault, ok := a.fault(err, "token", admin.Entrance{}); ok {
			m.Faults = adminviews.Faults{fault}
		} else if err != nil {
			return err
		} else {
			m.First, m.Name = first, who.Name
		}
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Setup(m))
}

func (s *Server) setup(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	m := adminviews.SetupPage{Token: strings.TrimSpace(value("token")), Name: value("name")}
	admins, err := s.Console.Admins(a.ctx())
	if err != nil {
		return err
	}
	m.First = len(admins) == 0
	var in admin.Entrance
	if value("password") != value("repeat") {
		err = onboard.Errorf(onboard.Invalid, admin.KeyRepeat, "two different passwords")
	} else {
		in, err = s.Console.Enroll(a.ctx(), m.Token, m.Name, value("password"))
	}
	if fault, ok := a.fault(err, setupField(err), in); ok {
		m.Faults = adminviews.Faults{fault}
		m.Frame = a.frame()
		return a.render(faultStatus(err), adminviews.Setup(m))
	}
	if err != nil {
		return err
	}
	if err := s.adminSessions.set(a, in.Token); err != nil {
		return err
	}
	if a.Session, a.Admin, err = s.Console.Session(a.ctx(), in.Token); err != nil {
		return fmt.Errorf("the session just begun: %w", err)
	}
	next := adminRoot
	if m.First {
		setup, err := s.Console.Setup(a.ctx(), s.PublicURL)
		if err != nil {
			return err
		}
		if !setup.Complete() {
			next = adminviews.WizardPath
		}
	}
	return a.done(next, i18n.AdminSetupWelcome, "name", a.Admin.Name)
}

// setupField is the field of the setup form that an error is about.
func setupField(err error) string {
	_, key := onboard.Explain(err)
	switch key {
	case admin.KeyName, admin.KeyTaken:
		return "name"
	case admin.KeyPassword, admin.KeyBreached:
		return "password"
	case admin.KeyRepeat:
		return "repeat"
	}
	return "token"
}
