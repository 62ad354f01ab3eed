package web

import (
	"net/http"
	"strconv"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// batchShown is how many links a page shows, batchAtOnce how many a file reads in
// one go.
const (
	batchShown  = 50
	batchAtOnce = 500
)

// bulkPage counts what an act on all accounts of a filter would be about.
func (a *adminContext) bulkPage(address adminviews.AccountsAddress) (m adminviews.BulkPage, err error) {
	m.Address, m.Life = address, a.s.Console.Settings().InviteLife
	m.Plan, err = a.s.Console.PlanBulk(a.ctx(), address.AccountQuery)
	return m, err
}

func (s *Server) inviteAllPage(a *adminContext) error {
	address, faults := accountsAddress(a.QueryParam)
	if len(faults) > 0 {
		return a.see(address.URL()) // the list says what is wrong
	}
	m, err := a.bulkPage(address)
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.InviteAll(m))
}

func (s *Server) inviteAll(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	address, faults := accountsAddress(value)
	if len(faults) > 0 {
		return a.see(address.URL())
	}
	batch, n, err := s.Console.InviteAll(a.ctx(), address.AccountQuery, number(value("n")), s.Service)
	if isKey(err, admin.KeyBulkChanged) {
		m, failed := a.bulkPage(address)
		if failed != nil {
			return failed
		}
		a.s.note(a, err)
		m.Faults, m.Frame = adminviews.Faults{{Field: "go", Key: admin.KeyBulkChanged}}, a.frame()
		return a.render(http.StatusConflict, adminviews.InviteAll(m))
	}
	if err != nil {
		return err
	}
	life := i18n.Span(a.ctx(), s.Console.Settings().InviteLife)
	return a.done(adminviews.BatchPath(batch), i18n.AccountsBulkMade, "n", strconv.Itoa(n), "life", life)
}

// batchPage shows the first links that were made for a filter, and where the rest is.
func (s *Server) batchPage(a *adminContext) error {
	batch := a.Param("batch")
	page, err := s.Console.Invites(a.ctx(), admin.InviteQuery{Batch: batch, Size: batchShown})
	if err != nil {
		return err
	}
	if len(page.Rows) == 0 {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "batch %q", batch)
	}
	m := adminviews.BatchPage{Batch: batch, More: !page.Next.Zero()}
	for _, invite := range page.Rows {
		l, err := s.Console.ListedAccount(a.ctx(), invite.BizAppID)
		if err != nil {
			return err
		}
		m.Links = append(m.Links, adminviews.BatchLink{Account: l, Until: invite.ExpiresAt, URL: s.inviteLink(invite.Attempt)})
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Batch(m))
}

func (s *Server) tagAllPage(a *adminContext) error {
	address, faults := accountsAddress(a.QueryParam)
	if len(faults) > 0 {
		return a.see(address.URL())
	}
	return a.tagAllForm(http.StatusOK, address, "", nil)
}

func (a *adminContext) tagAllForm(status int, address adminviews.AccountsAddress, tag string, faults adminviews.Faults) error {
	m, err := a.bulkPage(address)
	if err != nil {
		return err
	}
	m.NewTag, m.Faults, m.Frame = tag, faults, a.frame()
	return a.render(status, adminviews.TagAll(m))
}

func (s *Server) tagAll(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	address, faults := accountsAddress(value)
	if len(faults) > 0 {
		return a.see(address.URL())
	}
	n, err := s.Console.TagAll(a.ctx(), address.AccountQuery, value("new_tag"))
	if fault, ok := a.fault(err, "new_tag", admin.Entrance{}); ok {
		return a.tagAllForm(http.StatusUnprocessableEntity, address, value("new_tag"), adminviews.Faults{fault})
	}
	if err != nil {
		return err
	}
	tag, _ := admin.ParseTag(value("new_tag"))
	return a.done(address.URL(), i18n.AccountsBulkTagged, "n", strconv.Itoa(n), "tag", tag)
}
