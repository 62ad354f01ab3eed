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

// inviteModel reads the page of one invite. Its frame is left to the caller.
func (a *adminContext) inviteModel(ctx context.Context) (adminviews.InvitePage, error) {
	s := a.s
	v, err := s.Console.Invite(ctx, a.Param("invite"))
	if err != nil {
		return adminviews.InvitePage{}, err
	}
	m := adminviews.InvitePage{
		Invite: v, Link: s.inviteLink(v.Attempt), Life: s.Console.Settings().InviteLife,
		Accounts: s.console.open(accountRoute, a.Admin.Role),
	}
	result, err := s.Service.Result(ctx, v.ID)
	if err != nil {
		return m, err
	}
	m.Account = result.Account
	if v.BizAppID != "" && (m.Account == nil || m.Account.AppID != v.BizAppID) {
		m.Expected, err = s.Console.KnownAccount(ctx, v.BizAppID)
	}
	return m, err
}

// accountRoute is the page of one account.
const accountRoute = adminviews.AccountsPath + "/:appid"

// inviteLink is the address that is sent to a merchant. One in another language than
// the site's usual one says so.
func (s *Server) inviteLink(v onboard.Attempt) string {
	link := s.PublicURL + views.InvitePath(v.InviteCode)
	if _, ok := i18n.Parse(v.Language); ok && v.Language != s.settings().Language {
		link += "?lang=" + v.Language
	}
	return link
}

func (s *Server) invitePage(a *adminContext) error {
	m, err := a.inviteModel(a.ctx())
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Invite(m))
}

// inviteLive streams what changes on the page of an invite.
func (s *Server) inviteLive(a *adminContext) error {
	id := a.Param("invite")
	changes, stop := s.Service.Watch(id) // before the first read, or a change between would be lost
	defer stop()
	return a.follow(livePart{name: "invite " + id, changes: changes, draw: func(ctx context.Context) (templ.Component, error) {
		m, err := a.inviteModel(ctx)
		m.Frame = a.bare()
		return adminviews.InviteLive(m), err
	}})
}

func (s *Server) invitePNG(a *adminContext) error {
	v, err := s.Console.Invite(a.ctx(), a.Param("invite"))
	if err != nil {
		return err
	}
	return s.code(a, s.inviteLink(v.Attempt))
}

func (s *Server) inviteSVG(a *adminContext) error {
	v, err := s.Console.Invite(a.ctx(), a.Param("invite"))
	if err != nil {
		return err
	}
	picture, err := qrSVG(s.inviteLink(v.Attempt))
	if err != nil {
		return err
	}
	return a.Blob(http.StatusOK, "image/svg+xml", picture)
}

// resendInvite gives an invite more time, or makes another one where it is over.
func (s *Server) resendInvite(a *adminContext) error {
	v, err := s.Console.Invite(a.ctx(), a.Param("invite"))
	if err != nil {
		return err
	}
	next, err := s.Service.Resend(a.ctx(), v.ID, a.Admin.Name, 0)
	if err != nil {
		return err
	}
	if next.ID != v.ID {
		if err := a.auditInvite("invite.again", next); err != nil {
			return err
		}
		return a.done(adminviews.InvitePath(next.ID), i18n.InvitesAgainFlash)
	}
	if err := a.auditInvite("invite.resend", next); err != nil {
		return err
	}
	return a.done(adminviews.InvitePath(next.ID), i18n.InvitesResent, "time", i18n.Time(a.ctx(), next.ExpiresAt, s.Now()))
}

func (s *Server) revokePage(a *adminContext) error {
	m, err := a.inviteModel(a.ctx())
	if err != nil {
		return err
	}
	if admin.InviteStateOf(m.Invite.Attempt, s.Now()) == admin.InviteDone || !m.Invite.CanceledAt.IsZero() {
		return a.notOpen(m.Invite.ID)
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.RevokeInvite(m))
}

func (s *Server) revokeInvite(a *adminContext) error {
	v, err := s.Console.Invite(a.ctx(), a.Param("invite"))
	if err != nil {
		return err
	}
	changed, err := s.Service.CancelInvite(a.ctx(), v.ID)
	if err != nil {
		return err
	}
	if !changed {
		return a.notOpen(v.ID)
	}
	if err := a.auditInvite("invite.revoke", v.Attempt); err != nil {
		return err
	}
	return a.done(adminviews.InvitePath(v.ID), i18n.InvitesRevoked)
}

// notOpen leads back to an invite that cannot be taken back any more, and says so.
func (a *adminContext) notOpen(id string) error {
	if a.Request().Method == http.MethodPost {
		if err := a.flash("warn", i18n.InvitesNotOpen); err != nil {
			return err
		}
	}
	return a.see(adminviews.InvitePath(id))
}
