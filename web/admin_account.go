package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
	adminviews "usher/views/admin"
)

// accountRoutes show one account and act on it.
func (s *Server) accountRoutes(r *adminRouter) {
	const path = adminviews.AccountsPath + "/:appid"
	r.get(path, admin.View, s.accountPage)
	r.stream(path+liveSuffix, admin.View, s.accountLive)
	r.post(path+"/refresh", admin.Work, s.refreshAccount)
	r.post(path+"/invite", admin.Work, s.inviteAccount)
	r.post(path+"/notes", admin.Work, s.addNote)
	r.post(path+"/tags", admin.Work, s.addTag)
	r.post(path+"/tags/remove", admin.Work, s.dropTag)
	r.get(path+"/stop", admin.Work, s.confirmAccount(adminviews.StopAccount))
	r.post(path+"/stop", admin.Work, s.stopAccount)
	r.post(path+"/resume", admin.Work, s.resumeAccount)
	r.get(path+"/hide", admin.Work, s.confirmAccount(adminviews.HideAccount))
	r.post(path+"/hide", admin.Work, s.hideAccount)
	r.post(path+"/show", admin.Work, s.showAccount)
}

// appID is the account of the address.
func (a *adminContext) appID() onboard.AppID { return onboard.AppID(a.Param("appid")) }

// accountModel reads the page of the account of the address.
func (a *adminContext) accountModel(ctx context.Context) (m adminviews.AccountPage, err error) {
	m.AccountDetail, err = a.s.Console.AccountDetail(ctx, a.appID())
	if m.Open != nil {
		m.OpenURL = a.s.inviteLink(*m.Open)
	}
	return m, err
}

func (s *Server) accountPage(a *adminContext) error {
	m, err := a.accountModel(a.ctx())
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Account(m))
}

// accountLive streams what changes on the page of an account. Nothing wakes it: what
// changes an account is mostly done by workers, here or in another process.
func (s *Server) accountLive(a *adminContext) error {
	return a.follow(livePart{name: "account " + string(a.appID()), draw: func(ctx context.Context) (templ.Component, error) {
		m, err := a.served(ctx)
		m.Frame = a.bare()
		return adminviews.AccountLive(m), err
	}})
}

// accountFault shows the page again with what is wrong with one of its forms.
func (a *adminContext) accountFault(err error, field string, typed func(*adminviews.AccountPage)) error {
	fault, ok := a.fault(err, field, admin.Entrance{})
	if !ok {
		return err
	}
	m, failed := a.accountModel(a.ctx())
	if failed != nil {
		return failed
	}
	typed(&m)
	m.Faults, m.Frame = adminviews.Faults{fault}, a.frame()
	return a.render(http.StatusUnprocessableEntity, adminviews.Account(m))
}

// served reads the account of the address, which has to have been authorized.
func (a *adminContext) served(ctx context.Context) (adminviews.AccountPage, error) {
	m, err := a.accountModel(ctx)
	if err == nil && m.Status == admin.NeverDone {
		err = onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "account %q was never authorized", a.appID())
	}
	return m, err
}

func (s *Server) refreshAccount(a *adminContext) error {
	id, path := a.appID(), adminviews.AccountPath(a.appID())
	err := s.Service.ReadProfile(a.ctx(), id)
	kind, key := onboard.Explain(err)
	if err != nil && kind != onboard.Unavailable {
		return err
	}
	outcome := "ok"
	if err != nil {
		a.s.note(a, err)
		outcome = "failed"
	}
	if failed := a.audit("account.refresh", string(id), "", outcome); failed != nil {
		return failed
	}
	if err == nil {
		return a.done(path, i18n.AccountRefreshed)
	}
	if err := a.flash("warn", i18n.AccountRefreshFailed, "why", adminviews.Blocked(a.ctx(), string(key))); err != nil {
		return err
	}
	return a.see(path)
}

func (s *Server) inviteAccount(a *adminContext) error {
	invite, err := s.Console.InviteAgain(a.ctx(), a.appID(), s.Service)
	if err != nil {
		return err
	}
	life := i18n.Span(a.ctx(), invite.ExpiresAt.Sub(invite.CreatedAt))
	return a.done(adminviews.InvitePath(invite.ID), i18n.AccountInvited, "life", life)
}

func (s *Server) addNote(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	if err := s.Console.AddNote(a.ctx(), a.appID(), value("note")); err != nil {
		return a.accountFault(err, "note", func(m *adminviews.AccountPage) { m.NewNote = value("note") })
	}
	return a.done(adminviews.AccountPath(a.appID()), i18n.AccountNoted)
}

func (s *Server) addTag(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	if err := s.Console.AddTag(a.ctx(), a.appID(), value("tag")); err != nil {
		return a.accountFault(err, "tag", func(m *adminviews.AccountPage) { m.NewTag = value("tag") })
	}
	return a.done(adminviews.AccountPath(a.appID()), i18n.AccountTagged, "tag", views.DisplayName(value("tag")))
}

func (s *Server) dropTag(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	if err := s.Console.DropTag(a.ctx(), a.appID(), value("tag")); err != nil {
		return err
	}
	return a.done(adminviews.AccountPath(a.appID()), i18n.AccountUntagged, "tag", views.DisplayName(value("tag")))
}

// confirmAccount is a page that asks before something is done to an account.
func (s *Server) confirmAccount(page func(adminviews.AccountPage) templ.Component) adminHandler {
	return func(a *adminContext) error {
		m, err := a.served(a.ctx())
		if err != nil {
			return err
		}
		m.Frame = a.frame()
		return a.render(http.StatusOK, page(m))
	}
}

func (s *Server) stopAccount(a *adminContext) error {
	if _, err := s.Service.Stop(a.ctx(), a.appID()); err != nil {
		return err
	}
	return a.didAccount("account.stop", i18n.AccountStopped)
}

func (s *Server) resumeAccount(a *adminContext) error {
	if _, err := s.Service.Resume(a.ctx(), a.appID()); err != nil {
		return err
	}
	return a.didAccount("account.resume", i18n.AccountResumed)
}

// didAccount writes what was done to the account of the address, and says so.
func (a *adminContext) didAccount(action string, key i18n.Key) error {
	if err := a.audit(action, string(a.appID()), "", ""); err != nil {
		return err
	}
	return a.done(adminviews.AccountPath(a.appID()), key)
}

func (s *Server) hideAccount(a *adminContext) error { return a.setHidden(true, i18n.AccountHiddenDone) }
func (s *Server) showAccount(a *adminContext) error { return a.setHidden(false, i18n.AccountShown) }

func (a *adminContext) setHidden(hidden bool, key i18n.Key) error {
	if err := a.s.Console.Hide(a.ctx(), a.appID(), hidden); err != nil {
		return err
	}
	return a.done(adminviews.AccountPath(a.appID()), key)
}
