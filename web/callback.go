package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

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
// history and reaches no later page. Where the code is of no use, the address
// without it says why.
func (s *Server) callback(c echo.Context) error {
	state := c.Param("state")
	query := c.QueryParams()
	codes := query["auth_code"]
	// A person may close the page while it loads. The code they brought is stored
	// all the same: WeChat gives it only once.
	ctx, cancel := detached(c)
	defer cancel()
	if len(codes) == 0 {
		_, err := s.Service.Redirected(ctx, state, secret.Secret{})
		if err == nil {
			err = errors.New("a redirect without a code was accepted")
		}
		return err
	}
	clean := "/cb/" + url.PathEscape(state)
	if len(codes) > 1 || len(codes[0]) > maxAuthCode {
		s.note(c, fmt.Errorf("a redirect with %d codes, the first of %d bytes", len(codes), len(codes[0])))
		return see(c, clean)
	}
	id, err := s.Service.Redirected(ctx, state, secret.New(codes[0]))
	switch kind, _ := onboard.Explain(err); {
	case err == nil:
		return see(c, views.ResultPath(id))
	case kind == onboard.NotFound, kind == onboard.Expired, kind == onboard.Invalid:
		s.note(c, err)
		return see(c, clean)
	}
	return err // for the moment only: loading the same address again may succeed
}

// done is the end of an attempt.
func (s *Server) done(c echo.Context) error {
	result, err := s.Service.Result(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	m, err := s.resultPage(c, result)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.Result(m))
}

// drawResult answers a press with the result page.
func (s *Server) drawResult(c echo.Context) draw {
	return func(status int, a onboard.Attempt) error {
		m, err := s.resultPage(c, onboard.Result{Attempt: a})
		if err != nil {
			return err
		}
		return s.render(c, status, views.Result(m))
	}
}

// resultPage shows what was granted to a browser that took part. Whoever else
// holds the address sees only that the attempt ended.
func (s *Server) resultPage(c echo.Context, result onboard.Result) (views.ResultPage, error) {
	a := result.Attempt
	m := views.ResultPage{
		Page:    s.page(c, views.ResultPath(a.ID)),
		Attempt: a,
		Phone:   placeOf(c.Request().UserAgent()) == views.InWeChat,
		Checked: asks(c, "checked=1"),
	}
	if !ended(a.State(s.Now())) {
		return m, nil
	}
	if !s.tookPart(c, a) {
		m.Attempt.AppID, m.Attempt.Missing, m.Attempt.Added, m.Attempt.Removed = "", nil, nil, nil
		if a.Verdict != onboard.WrongAccount {
			m.Attempt.Verdict = onboard.Connected
		}
		return m, nil
	}
	m.Account = result.Account
	if a.Verdict == onboard.WrongAccount {
		m.Expected = s.known(c, a)
	}
	if a.State(s.Now()) == onboard.Done && a.Verdict != onboard.WrongAccount {
		token, err := s.Service.DashboardLink(c.Request().Context(), a.AppID)
		if err != nil {
			return m, err
		}
		m.DashboardPath = views.DashboardPath(token.Reveal())
		// The settings may have changed since the invite was made.
		if m.ReturnURL, err = onboard.ParseReturnURL(a.ReturnURL, s.settings().ReturnHosts); err != nil {
			s.Log.WarnContext(c.Request().Context(), "an invite returns to a site that is not allowed any more", "request_id", requestID(c), "attempt", a.ID)
		}
	}
	return m, nil
}

// help explains the sentences of WeChat's own pages.
func (s *Server) help(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Help(views.HelpPage{Page: s.page(c, views.HelpPath)}))
}
