package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
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
		Checked:       asks(c, "checked=1"),
		Account:       s.known(c, a),
		InviteLife:    s.settings().InviteLife,
	}
	if a.Invite() {
		m.InviteURL = s.PublicURL + views.InvitePath(a.InviteCode)
	}
	return m
}

// known is the account asked for, where the page may name it. A page without the
// name works as well.
func (s *Server) known(c echo.Context, a onboard.Attempt) *onboard.Account {
	account, err := s.Service.Known(c.Request().Context(), a)
	if err != nil {
		s.Log.WarnContext(c.Request().Context(), "reading the account asked for failed", "request_id", requestID(c), "route", c.Path(), "err", err)
		return nil
	}
	return account
}

// asks reports whether the address has the query pair, such as "checked=1".
func asks(c echo.Context, pair string) bool {
	return slices.Contains(strings.Split(c.Request().URL.RawQuery, "&"), pair)
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

// draw answers with a page of the attempt. Desk and phone each have one.
type draw func(status int, a onboard.Attempt) error

func (s *Server) drawDesk(c echo.Context) draw {
	return func(status int, a onboard.Attempt) error {
		return s.render(c, status, views.Attempt(s.deskPage(c, a)))
	}
}

// deskGo sends the desktop to WeChat's own page with a code.
func (s *Server) deskGo(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.handOff(c, a, onboard.PC, s.drawDesk(c))
}

// handOff mints a code and sends the browser to WeChat.
func (s *Server) handOff(c echo.Context, a onboard.Attempt, ch onboard.Channel, page draw) error {
	session, err := s.sessions.begin(c)
	if err != nil {
		return err
	}
	// A second tap makes the browser drop the first request. The code that one is
	// minting answers both.
	ctx, cancel := detached(c)
	defer cancel()
	link, err := s.Service.HandOff(ctx, a.ID, ch, session)
	if err != nil {
		return s.trouble(c, a.ID, err, page)
	}
	return see(c, link)
}

// detached is the context of a step at WeChat, which must come to its end even
// when the browser leaves: a code that is spent and not stored is lost.
func detached(c echo.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Request().Context()), pageTime)
}

// trouble answers a press that failed. When the attempt itself tells why, its page
// is the answer, since it also offers what to do; otherwise cause goes up.
func (s *Server) trouble(c echo.Context, id string, cause error, page draw) error {
	if kind, _ := onboard.Explain(cause); kind != onboard.Unavailable && kind != onboard.Expired {
		return cause
	}
	a, err := s.Service.Attempt(c.Request().Context(), id)
	if err != nil {
		return cause
	}
	switch a.State(s.Now()) {
	case onboard.Blocked, onboard.ExpiredNow, onboard.Done, onboard.Withdrawn:
	default:
		return cause
	}
	s.note(c, cause)
	status, _ := explain(cause)
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", retryAfter)
	}
	return page(status, a)
}

// deskCheck is the button "I have finished".
func (s *Server) deskCheck(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if a.ArrivedAt.IsZero() {
		return s.check(c, a, views.AttemptPath(a.ID)+checkedQuery, views.ResultPath(a.ID), s.drawDesk(c))
	}
	// Something came back already: the button is on the result page.
	return s.check(c, a, views.ResultPath(a.ID)+checkedQuery, views.ResultPath(a.ID), s.drawResult(c))
}

// checkedQuery makes a page say that nothing was found.
const checkedQuery = "?checked=1"

// check asks WeChat whether the attempt came to an end that nobody told us, and
// goes on to found or back to same.
func (s *Server) check(c echo.Context, a onboard.Attempt, same, found string, page draw) error {
	ctx, cancel := detached(c)
	defer cancel()
	ok, err := s.Service.Check(ctx, a.ID)
	switch {
	case err != nil:
		return s.trouble(c, a.ID, err, page)
	case ok:
		return see(c, found)
	}
	return see(c, same)
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
	session, err := s.sessions.begin(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	a, err := s.Service.Again(ctx, c.Param("id"), string(i18n.From(ctx)), session)
	if err != nil {
		return err
	}
	return begun(c, a)
}

// deskCode is the picture of the phone page's address.
func (s *Server) deskCode(c echo.Context) error {
	a, err := s.Service.Attempt(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.code(c, s.PublicURL+views.PhonePath(a.PhoneCode))
}

// codesKept bounds the pictures in memory, each of about 600 bytes. Drawing one
// takes milliseconds, so asking for it again and again must not cost that.
const codesKept = 1000

// code answers with text as a picture. It never changes and holds no secret but
// our own address, so the browser may keep it; a shared cache may not, because
// the address of the picture leads to the attempt.
func (s *Server) code(c echo.Context, text string) error {
	png, err := s.codes.entry(text, func() func() ([]byte, error) {
		return sync.OnceValues(func() ([]byte, error) { return qrPNG(text) })
	})()
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, max-age=604800, immutable")
	return c.Blob(http.StatusOK, "image/png", png)
}
