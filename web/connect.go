package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// home is the form. The query may fill it in, so that an operator can link to a
// prepared one.
func (s *Server) home(c echo.Context) error {
	m := views.ConnectPage{
		Page:           s.page(c, "/"),
		AuthType:       c.QueryParam("auth_type"),
		BizAppID:       c.QueryParam("biz_appid"),
		PermissionSets: c.QueryParam("permission_sets"),
	}
	if s.settings().InviteOnly {
		m.InviteOnly = true
		return s.render(c, http.StatusOK, views.Connect(m))
	}
	if _, err := onboard.ParseAuthType(m.AuthType); err != nil {
		m.AuthType = string(rune('0' + s.AuthType))
	}
	if session := s.sessions.id(c); session != "" {
		recent, err := s.Service.RecentAttempts(c.Request().Context(), session)
		if err != nil {
			return err
		}
		m.Recent = recent
	}
	return s.render(c, http.StatusOK, views.Connect(m))
}

// connect begins an attempt and sends the browser to its page. A form that does
// not parse comes back filled in, with the reasons above it.
func (s *Server) connect(c echo.Context) error {
	value, err := form(c)
	if err != nil {
		return err
	}
	m := views.ConnectPage{
		Page:     s.page(c, "/"),
		AuthType: value("auth_type"), BizAppID: value("biz_appid"), PermissionSets: value("permission_sets"),
	}
	if s.settings().InviteOnly {
		m.InviteOnly = true
		return s.render(c, http.StatusForbidden, views.Connect(m))
	}
	check := func(field string, err error) {
		if err != nil {
			_, key := onboard.Explain(err)
			m.Errors = append(m.Errors, views.FieldError{Field: field, Key: key})
		}
	}
	var w onboard.Wish
	w.AuthType, err = onboard.ParseAuthType(m.AuthType)
	check("auth_type", err)
	w.BizAppID, err = onboard.ParseAppID(m.BizAppID)
	check("biz_appid", err)
	w.Wanted, err = onboard.ParsePermissionIDs(m.PermissionSets)
	check("permission_sets", err)
	if len(m.Errors) > 0 {
		return s.render(c, http.StatusUnprocessableEntity, views.Connect(m))
	}
	return s.begin(c, w)
}

// begin stores a wish as a new attempt of this browser and opens its page.
func (s *Server) begin(c echo.Context, w onboard.Wish) error {
	ctx := c.Request().Context()
	session, err := s.sessions.begin(c)
	if err != nil {
		return err
	}
	w.Session, w.Language = session, string(i18n.From(ctx))
	a, err := s.Service.Begin(ctx, w)
	if err != nil {
		return err
	}
	return begun(c, a)
}

// begun opens the page of a new attempt, which inside WeChat is the one with the
// button.
func begun(c echo.Context, a onboard.Attempt) error {
	if placeOf(c.Request().UserAgent()) == views.InWeChat {
		return see(c, views.PhonePath(a.PhoneCode)) // a phone does not scan its own screen
	}
	return see(c, views.AttemptPath(a.ID))
}
