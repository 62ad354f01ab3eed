package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
	adminviews "usher/views/admin"
)

// accountTitles are the columns of a file of accounts.
func accountTitles(ctx context.Context, more ...i18n.Key) []string {
	keys := append([]i18n.Key{
		i18n.AccountsName, i18n.AccountsColAppID, i18n.AccountsColOriginal, i18n.AccountsColPrincipal, i18n.AccountsKind, i18n.AccountsStatus,
		i18n.AccountsColGranted, i18n.AccountsColAsked, i18n.AccountsColLacks, i18n.AccountsColTags, i18n.AccountsToken, i18n.AccountsChanged,
	}, more...)
	titles := make([]string, len(keys))
	for i, key := range keys {
		titles[i] = i18n.T(ctx, key)
	}
	return titles
}

// accountCells is one account as a line of a file.
func accountCells(ctx context.Context, l admin.Listed, more ...string) []string {
	lacks := make([]string, len(l.Lacks))
	for i, id := range l.Lacks {
		lacks[i] = views.SetName(ctx, id) + " (" + strconv.Itoa(int(id)) + ")"
	}
	return append([]string{
		views.DisplayName(l.Name), string(l.AppID), views.DisplayName(l.OriginalID), views.DisplayName(l.Principal), views.KindWord(ctx, l.Kind),
		adminviews.AccountStatus(ctx, l.Status), strconv.Itoa(l.Granted), strconv.Itoa(l.Asked), strings.Join(lacks, "; "), strings.Join(l.Tags, "; "),
		cellTime(l.TokenUntil), cellTime(l.ChangedAt),
	}, more...)
}

// cellTime is a time of China as spreadsheet programs read it.
func cellTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(china).Format(time.DateTime)
}

// attach begins a file that the browser saves.
func (a *adminContext) attach(name string) {
	h := a.Response().Header()
	h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`"`)
}

// accountsCSV answers with the accounts of a filter.
func (s *Server) accountsCSV(a *adminContext) error {
	address, faults := accountsAddress(a.QueryParam)
	if len(faults) > 0 {
		return a.NoContent(http.StatusUnprocessableEntity)
	}
	var sh *sheet
	begin := func() (err error) {
		if sh == nil { // after the first rows were read: a failure is still told by the status
			a.attach("accounts.csv")
			sh, err = newSheet(a.Response(), accountTitles(a.ctx())...)
		}
		return err
	}
	_, err := s.Console.EachAccount(a.ctx(), address.AccountQuery, 0, func(rows []admin.Listed) error {
		if err := begin(); err != nil {
			return err
		}
		for _, l := range rows {
			if err := sh.row(accountCells(a.ctx(), l)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = begin() // a filter without accounts is a file of titles
	}
	if err != nil {
		return err
	}
	return sh.end()
}

// batchCSV answers with what was made for the accounts of a filter: each account and
// its link.
func (s *Server) batchCSV(a *adminContext) error {
	batch := a.Param("batch")
	page, err := s.Console.Invites(a.ctx(), admin.InviteQuery{Batch: batch, Size: batchAtOnce})
	if err != nil {
		return err
	}
	if len(page.Rows) == 0 {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "batch %q", batch)
	}
	a.attach("links.csv")
	sh, err := newSheet(a.Response(), accountTitles(a.ctx(), i18n.AccountsLink, i18n.AccountsLinkUntil)...)
	if err != nil {
		return err
	}
	for {
		for _, invite := range page.Rows {
			l, err := s.Console.ListedAccount(a.ctx(), invite.BizAppID)
			if err != nil {
				return err
			}
			if err := sh.row(accountCells(a.ctx(), l, s.inviteLink(invite.Attempt), cellTime(invite.ExpiresAt))...); err != nil {
				return err
			}
		}
		if page.Next.Zero() {
			return sh.end()
		}
		if page, err = s.Console.Invites(a.ctx(), admin.InviteQuery{Batch: batch, Size: batchAtOnce, After: page.Next}); err != nil {
			return err
		}
	}
}
