package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// accountService is what the pages of the accounts ask of the domain.
type accountService interface {
	admin.Inviter
	// ReadProfile reads the profile of an account from WeChat now.
	ReadProfile(ctx context.Context, appID onboard.AppID) error
	// Stop ends the service for an account, Resume takes that back. Both report
	// whether that changed anything.
	Stop(ctx context.Context, appID onboard.AppID) (changed bool, err error)
	Resume(ctx context.Context, appID onboard.AppID) (changed bool, err error)
}

// accountsRoutes find accounts, show them and act on them.
func (s *Server) accountsRoutes(r *adminRouter) {
	r.get(adminviews.AccountsPath, admin.View, s.accountsPage)
	r.get(adminviews.AccountsCSVPath, admin.View, s.accountsCSV)
	r.get(adminviews.AccountsInvitePath, admin.Work, s.inviteAllPage)
	r.post(adminviews.AccountsInvitePath, admin.Work, s.inviteAll)
	r.get(adminviews.AccountsBatchPath+"/:batch", admin.Work, s.batchPage)
	r.get(adminviews.AccountsBatchPath+"/:batch/links.csv", admin.Work, s.batchCSV)
	r.get(adminviews.AccountsTagPath, admin.Work, s.tagAllPage)
	r.post(adminviews.AccountsTagPath, admin.Work, s.tagAll)
	s.accountRoutes(r)
	r.count(adminviews.AccountsPath, func(ctx context.Context) (string, error) {
		total, _, _, err := s.Console.AccountCounts(ctx)
		return strconv.Itoa(total), err
	})
}

// queryLimit bounds what is looked for, in bytes.
const queryLimit = 800

// accountsAddress reads the address of the list. What it does not know is left out;
// value is a query or a form.
func accountsAddress(value func(string) string) (adminviews.AccountsAddress, adminviews.Faults) {
	var a adminviews.AccountsAddress
	a.Query = strings.TrimSpace(value("q"))
	if len(a.Query) > queryLimit {
		a.Query = strings.ToValidUTF8(a.Query[:queryLimit], "")
	}
	if kind := onboard.AccountKind(value("kind")); slices.Contains(adminviews.Kinds(), kind) {
		a.Kind = kind
	}
	a.Status = admin.ParseStatus(value("status"))
	a.Acting = value("status") == adminviews.Acting
	if ids, err := onboard.ParsePermissionIDs(value("missing")); err == nil && len(ids) == 1 {
		a.Missing = ids[0]
	}
	if tag, err := admin.ParseTag(value("tag")); err == nil {
		a.Tag = tag
	}
	a.Hidden = value("hidden") == "1"
	by, reverse := strings.CutPrefix(value("sort"), "-")
	a.Sort, a.Reverse = admin.ByChange, false
	if slices.Contains(admin.Sorts(), admin.Sort(by)) {
		a.Sort, a.Reverse = admin.Sort(by), reverse
	}
	a.Size = number(value("size"))
	if !slices.Contains(admin.PageSizes(), a.Size) {
		a.Size = admin.PageSizes()[0]
	}
	a.After, a.Before = admin.ParseCursor(value("after")), admin.ParseCursor(value("before"))
	a.At = max(0, number(value("at")))
	if a.Day = value("since"); a.Day == "" {
		return a, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, a.Day, china)
	if err != nil || day.Year() < 1970 || day.Year() > 9999 {
		return a, adminviews.Faults{{Field: "since", Key: keyDate}}
	}
	a.Since = day
	return a, nil
}

func (s *Server) accountsPage(a *adminContext) error {
	address, faults := accountsAddress(a.QueryParam)
	m := adminviews.AccountsPage{Address: address, Faults: faults}
	var err error
	if m.Page, err = s.Console.Accounts(a.ctx(), address.AccountQuery); err != nil {
		return err
	}
	if m.Total, m.Acting, _, err = s.Console.AccountCounts(a.ctx()); err != nil {
		return err
	}
	if m.Sets, err = s.Console.SeenSets(a.ctx()); err != nil {
		return err
	}
	if m.Tags, err = s.Console.Tags(a.ctx()); err != nil {
		return err
	}
	if form := adminviews.NewInvitePath; a.may(admin.Work) && s.console.open(form, a.Admin.Role) {
		m.InvitePath = form
	}
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	m.Frame = a.frame()
	return a.render(status, adminviews.Accounts(m))
}
