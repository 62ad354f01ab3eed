package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/views"
)

// maxAuthCode bounds what is taken for an authorization code; real ones have about
// a hundred characters.
const maxAuthCode = 1024

// callback takes the authorization code that a browser brings back from WeChat and
// sends it on to an address without the code, so that the code stays in no
// history and reaches no later page.
func (s *Server) callback(c echo.Context) error {
	codes := c.QueryParams()["auth_code"]
	if len(codes) != 1 || codes[0] == "" || len(codes[0]) > maxAuthCode {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "a redirect with %d authorization codes or one of a wrong length", len(codes))
	}
	// A person may close the page while it loads. The code they brought is stored
	// all the same: WeChat gives it only once.
	ctx, cancel := detached(c)
	defer cancel()
	id, err := s.Service.Redirected(ctx, c.Param("state"), secret.New(codes[0]))
	if err != nil {
		return err
	}
	return see(c, views.ResultPath(id))
}

// done is the end of an attempt. What was granted is shown to a browser that took
// part; whoever else holds the address sees only that it ended.
func (s *Server) done(c echo.Context) error {
	ctx := c.Request().Context()
	result, err := s.Service.Result(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	a := result.Attempt
	if state := a.State(s.Now()); !ended(state) && state != onboard.Exchanging && state != onboard.Blocked {
		return see(c, views.AttemptPath(a.ID)) // nothing came back yet
	}
	m := views.ResultPage{
		Page:    s.page(c, views.ResultPath(a.ID)),
		Attempt: a,
		Phone:   placeOf(c.Request().UserAgent()) == views.InWeChat,
	}
	if session := s.sessions.id(c); session != "" && s.Service.TookPart(ctx, a, session) {
		m.Account = result.Account
		if a.AppID != "" && a.State(s.Now()) == onboard.Done && a.Verdict != onboard.WrongAccount {
			token, err := s.Service.DashboardLink(ctx, a.AppID)
			if err != nil {
				return err
			}
			m.DashboardPath = views.DashboardPath(token.Reveal())
		}
	}
	return s.render(c, http.StatusOK, views.Result(m))
}

// help explains the sentences of WeChat's own pages.
func (s *Server) help(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Help(views.HelpPage{Page: s.page(c, views.HelpPath)}))
}
