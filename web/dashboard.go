package web

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
	"usher/views"
)

// dashboard is the merchant's own page.
func (s *Server) dashboard(c echo.Context) error {
	token := c.Param("token")
	d, err := s.Service.Dashboard(c.Request().Context(), token)
	if err != nil {
		return err
	}
	others, err := s.Service.Others(c.Request().Context(), s.sessions.id(c), d.Account.AppID)
	if err != nil {
		return err
	}
	path := views.DashboardPath(token)
	m := views.DashboardPage{
		Page: s.page(c, path), Account: d.Account, Missing: d.Missing, Changes: d.Changes,
		Base: path, URL: s.PublicURL + path,
		Renewed: asks(c, "renewed=1"),
	}
	for _, o := range others {
		m.Others = append(m.Others, views.OtherAccount{Account: o.Account, Path: views.DashboardPath(o.Link.Reveal())})
	}
	return s.render(c, http.StatusOK, views.Dashboard(m))
}

// renew gives the page a new address and ends the present one.
func (s *Server) renew(c echo.Context) error {
	next, err := s.Service.RenewDashboard(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return see(c, views.DashboardPath(next.Reveal())+"?renewed=1")
}

// widen begins an attempt for the same account that asks for what is missing. What
// is granted already is asked for too: WeChat's page replaces the selection, and a
// link that lists less could take something away.
func (s *Server) widen(c echo.Context) error {
	d, err := s.Service.Dashboard(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	wanted := slices.Concat(d.Account.Grants.IDs(), d.Missing)
	slices.Sort(wanted)
	return s.begin(c, onboard.Wish{
		AuthType: typeOf(d.Account.Profile.Kind),
		BizAppID: d.Account.AppID,
		Wanted:   slices.Compact(wanted),
		Invited:  true, // whoever has the link of the account's own page
	})
}

// typeOf returns the narrowest type that lists accounts of kind k, so that pages
// name what is asked for. WeChat itself goes by the AppID.
func typeOf(k onboard.AccountKind) onboard.AuthType {
	if k != onboard.UnknownKind {
		for _, t := range []onboard.AuthType{onboard.OfficialAccounts, onboard.MiniPrograms, onboard.ChannelsAccounts, onboard.SalesAssistants} {
			if t.Covers(k) {
				return t
			}
		}
	}
	return onboard.AllAccounts
}
