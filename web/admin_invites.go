package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
	adminviews "usher/views/admin"
)

// inviteRoutes invite merchants and follow what becomes of it.
func (s *Server) inviteRoutes(r *adminRouter) {
	r.count(adminviews.InvitesPath, s.waitingInvites)
	r.get(adminviews.InvitesPath, admin.View, s.invites)
	r.post(adminviews.InvitesPath, admin.Work, s.createInvite)
	r.get(adminviews.NewInvitePath, admin.Work, s.newInvite)
	one := adminviews.InvitesPath + "/:invite"
	r.get(one, admin.View, s.invitePage)
	r.stream(one+liveSuffix, admin.View, s.inviteLive)
	r.get(one+"/qr.png", admin.View, s.invitePNG)
	r.get(one+"/qr.svg", admin.View, s.inviteSVG)
	r.post(one+"/resend", admin.Work, s.resendInvite)
	r.get(one+"/revoke", admin.Work, s.revokePage)
	r.post(one+"/revoke", admin.Work, s.revokeInvite)
}

// invitesOnPage is how many rows a page of the list shows.
const invitesOnPage = 50

// waitingInvites is the number beside the navigation's entry.
func (s *Server) waitingInvites(ctx context.Context) (string, error) {
	n, err := s.Console.WaitingInvites(ctx)
	switch {
	case err != nil || n == 0:
		return "", err
	case n >= admin.CountInvitesTo:
		return strconv.Itoa(n) + "+", nil
	}
	return strconv.Itoa(n), nil
}

func (s *Server) invites(a *adminContext) error {
	m := adminviews.InvitesPage{Query: admin.InviteQuery{
		State: admin.ParseInviteState(a.QueryParam("state")), Query: a.QueryParam("q"), Batch: a.QueryParam("batch"),
		Size: invitesOnPage, After: admin.ParseInviteCursor(a.QueryParam("after")),
	}}
	page, err := s.Console.Invites(a.ctx(), m.Query)
	if err != nil {
		return err
	}
	m.Rows, m.Next, m.Frame = page.Rows, page.Next, a.frame()
	return a.render(http.StatusOK, adminviews.Invites(m))
}

// newInvite is an empty form, or one that the query fills in.
func (s *Server) newInvite(a *adminContext) error {
	settings := s.Console.Settings()
	form := adminviews.InviteForm{
		Recipient: a.QueryParam("recipient"), Type: a.QueryParam("auth_type"), AppID: a.QueryParam("biz_appid"), Reference: a.QueryParam("reference"),
		Language: settings.Language, Life: strconv.Itoa(int(settings.InviteLife / time.Hour)),
	}
	if _, err := onboard.ParseAuthType(form.Type); err != nil {
		form.Type = strconv.Itoa(int(s.AuthType))
	}
	return a.inviteForm(http.StatusOK, form, nil)
}

func (a *adminContext) inviteForm(status int, form adminviews.InviteForm, faults adminviews.Faults) error {
	settings := a.s.Console.Settings()
	inUse, err := a.s.Console.SeenSets(a.ctx())
	if err != nil {
		return err
	}
	m := adminviews.NewInvitePage{
		Form: form, Groups: adminviews.SetGroups(a.ctx(), inUse), Default: settings.Wanted, Lives: inviteLives(settings.InviteLife),
		Hosts: settings.ReturnHosts, Check: !settings.TrustInvites, Faults: faults,
	}
	if m.Unreleased, err = a.s.Console.Unreleased(a.ctx()); err != nil {
		return err
	}
	total, _, _, err := a.s.Console.AccountCounts(a.ctx())
	if err != nil {
		return err
	}
	m.First, m.Frame = total == 0, a.frame()
	return a.render(status, adminviews.NewInvite(m))
}

// inviteLives are the times to choose from, the usual one among them.
func inviteLives(usual time.Duration) []time.Duration {
	const day = 24 * time.Hour
	all := []time.Duration{day, 3 * day, 7 * day, 14 * day, 30 * day, usual}
	slices.Sort(all)
	return slices.Compact(all)
}

// Sentences for what a person can correct about an invite.
const (
	keyRecipient   onboard.Key = "invites.error.recipient"
	keyLife        onboard.Key = "invites.error.life"
	keyUngrantable onboard.Key = "invites.error.ungrantable"
	keyLanguage    onboard.Key = "invites.error.language"
)

// oneLine is how many characters of a name or a reference an invite keeps.
const oneLine = 64

func (s *Server) createInvite(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	form := adminviews.InviteForm{
		Recipient: strings.TrimSpace(value("recipient")), Type: value("auth_type"), AppID: value("biz_appid"), Sets: a.Request().PostForm["sets"],
		More: value("more"), Language: value("language"), Life: value("life"),
		Reference: strings.TrimSpace(value("reference")), ReturnURL: strings.TrimSpace(value("return_url")),
	}
	v, faults, err := a.invitation(form)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return a.inviteForm(http.StatusUnprocessableEntity, form, faults)
	}
	made, err := s.Service.CreateInvite(a.ctx(), v)
	if err != nil {
		return err
	}
	if err := a.auditInvite("invite.create", made); err != nil {
		return err
	}
	return a.done(adminviews.InvitePath(made.ID), i18n.InvitesMadeFlash)
}

// invitation reads the form, with what is wrong in it.
func (a *adminContext) invitation(form adminviews.InviteForm) (v onboard.Invitation, faults adminviews.Faults, err error) {
	add := func(field string, err error, args ...any) {
		if err != nil {
			_, key := onboard.Explain(err)
			faults = append(faults, adminviews.Fault{Field: field, Key: key, Args: args})
		}
	}
	say := func(field string, key onboard.Key, ok bool, args ...any) {
		if !ok {
			add(field, onboard.Errorf(onboard.Invalid, key, "%s", field), args...)
		}
	}
	v.Recipient, v.Reference, v.Language, v.InvitedBy = form.Recipient, form.Reference, form.Language, a.Admin.Name
	say("recipient", keyRecipient, isLine(form.Recipient))
	v.AuthType, err = onboard.ParseAuthType(form.Type)
	add("auth_type", err)
	v.BizAppID, err = onboard.ParseAppID(form.AppID)
	add("biz_appid", err)
	v.Wanted, err = onboard.ParsePermissionIDs(strings.Join(form.Sets, "|"))
	add("sets", err)
	more, err := onboard.ParsePermissionIDs(form.More)
	add("more", err)
	v.Wanted = append(v.Wanted, more...)
	slices.Sort(v.Wanted)
	v.Wanted = slices.Compact(v.Wanted)
	if len(faults) == 0 {
		wrong, err := a.s.Service.Ungrantable(a.ctx(), v.AuthType, v.BizAppID, v.Wanted)
		if err != nil {
			return v, nil, err
		}
		say("sets", keyUngrantable, len(wrong) == 0, "sets", views.SetSentence(a.ctx(), wrong))
	}
	_, known := i18n.Parse(form.Language)
	say("language", keyLanguage, known)
	v.Life = time.Duration(number(form.Life)) * time.Hour
	say("life", keyLife, v.Life >= admin.InviteLifeMin && v.Life <= admin.InviteLifeMax,
		"from", i18n.Span(a.ctx(), admin.InviteLifeMin), "to", i18n.Span(a.ctx(), admin.InviteLifeMax))
	say("reference", keyRecipient, isLine(form.Reference))
	v.ReturnURL, err = onboard.ParseReturnURL(form.ReturnURL, a.s.Console.Settings().ReturnHosts)
	add("return_url", err)
	return v, faults, nil
}

// isLine reports whether s fits in a line of an invite.
func isLine(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= oneLine && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// auditInvite writes what was done to an invite, without its link.
func (a *adminContext) auditInvite(action string, v onboard.Attempt) error {
	words := make([]string, 0, 3)
	for _, w := range []string{v.Recipient, v.Reference, string(v.BizAppID)} {
		if w != "" {
			words = append(words, w)
		}
	}
	return a.audit(action, v.ID, "", strings.Join(words, " · "))
}
