package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
	"usher/views"
)

// deskPage is the model of the page at the desk and of its live part.
func (s *Server) deskPage(c echo.Context, a onboard.Attempt) views.AttemptPage {
	m := views.AttemptPage{
		Page:          s.page(c, views.AttemptPath(a.ID)),
		Attempt:       a,
		PhoneURL:      s.PublicURL + views.PhonePath(a.PhoneCode),
		PlatformAppID: s.Service.PlatformAppID(),
		PluginURL:     s.PublicURL + views.PhonePath(a.PhoneCode) + "/plugin",
		Checked:       strings.Contains(c.Request().URL.RawQuery, "checked=1"),
	}
	if a.Invite() {
		m.InviteURL = s.PublicURL + views.InvitePath(a.InviteCode)
	}
	return m
}

// desk is the page of an attempt. A finished one has a page of its own.
func (s *Server) desk(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if ended(a.State(s.Now())) {
		return see(c, views.ResultPath(a.ID))
	}
	return s.render(c, http.StatusOK, views.Attempt(s.deskPage(c, a)))
}

// ended reports whether the result page shows the state.
func ended(state onboard.State) bool { return state == onboard.Done || state == onboard.Withdrawn }

// deskGo sends the desktop to WeChat's own page with a code.
func (s *Server) deskGo(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.handOff(c, a, onboard.PC, func(status int, a onboard.Attempt) error {
		return s.render(c, status, views.Attempt(s.deskPage(c, a)))
	})
}

// handOff mints a code and sends the browser to WeChat. When that fails for a
// reason that the attempt shows, draw answers with its page.
func (s *Server) handOff(c echo.Context, a onboard.Attempt, ch onboard.Channel, draw func(status int, a onboard.Attempt) error) error {
	session, err := s.sessions.begin(c)
	if err != nil {
		return err
	}
	// A second tap makes the browser drop the first request. The code that one is
	// minting answers both, so it must not end with the request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), pageTime)
	defer cancel()
	link, err := s.Service.HandOff(ctx, a.ID, ch, session)
	if err == nil {
		return see(c, link)
	}
	if kind, _ := onboard.Explain(err); kind != onboard.Unavailable && kind != onboard.Expired {
		return err
	}
	now, readErr := s.Service.Attempt(ctx, a.ID)
	if readErr != nil {
		return err
	}
	switch now.State(s.Now()) {
	case onboard.Blocked, onboard.ExpiredNow, onboard.Done, onboard.Withdrawn:
	default:
		return err
	}
	s.note(c, err)
	status, _ := explain(err)
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "30")
	}
	return draw(status, now)
}

// deskCheck asks WeChat whether the attempt came to an end that nobody told us.
func (s *Server) deskCheck(c echo.Context) error {
	id := c.Param("id")
	found, err := s.Service.Check(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return see(c, afterCheck(found, views.ResultPath(id), views.AttemptPath(id)))
}

// afterCheck is where to go on after a check.
func afterCheck(found bool, result, page string) string {
	if found {
		return result
	}
	return page + "?checked=1"
}

// invite turns the attempt into an invite that can be sent on.
func (s *Server) invite(c echo.Context) error {
	value, err := form(c)
	if err != nil {
		return err
	}
	a, err := s.Service.Invite(c.Request().Context(), c.Param("id"), value("recipient"))
	if err != nil {
		return err
	}
	return see(c, views.AttemptPath(a.ID))
}

// again begins a new attempt with the same wish, for instance when the code has
// expired.
func (s *Server) again(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.begin(c, onboard.Wish{AuthType: a.AuthType, BizAppID: a.BizAppID, Wanted: a.Wanted})
}

// deskCode is the picture of the phone page's address.
func (s *Server) deskCode(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.code(c, s.PublicURL+views.PhonePath(a.PhoneCode))
}

// code answers with text as a picture. It never changes and holds no secret but
// our own address, so the browser may keep it; a shared cache may not, because
// the address of the picture leads to the attempt.
func (s *Server) code(c echo.Context, text string) error {
	png, err := qrPNG(text)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, max-age=604800, immutable")
	return c.Blob(http.StatusOK, "image/png", png)
}
