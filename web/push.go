package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"
)

// pushLimit is the largest push; real ones have about 1 KiB.
const pushLimit = 64 << 10

func tooLarge(body []byte) bool { return len(body) > pushLimit }

// push takes an authorization event (授权变更通知推送). WeChat repeats a push until
// it reads "success", so that is said only of what is stored. Every refusal looks
// the same: it must not tell how far a forgery came.
func (s *Server) push(c echo.Context) error {
	r := c.Request()
	body, err := io.ReadAll(io.LimitReader(r.Body, pushLimit+1))
	if err == nil && tooLarge(body) {
		err = errors.New("the push is larger than 64 KiB")
	}
	if err != nil {
		return s.refusePush(c, err)
	}
	p, err := s.Receive(r.URL.RawQuery, body)
	if err != nil {
		return s.refusePush(c, err)
	}
	if err := s.Service.ReceivePush(r.Context(), p); err != nil {
		s.note(c, fmt.Errorf("store a push: %w", err))
		return c.NoContent(http.StatusServiceUnavailable)
	}
	return c.String(http.StatusOK, "success")
}

// pushCheck answers a check of the address. No official page describes one for
// third-party platforms; without echostr there is nothing to get here.
func (s *Server) pushCheck(c echo.Context) error {
	if s.Echo == nil || !c.QueryParams().Has("echostr") {
		c.Response().Header().Set("Allow", http.MethodPost)
		return echo.ErrMethodNotAllowed
	}
	text, err := s.Echo(c.Request().URL.RawQuery)
	if err != nil {
		return s.refusePush(c, err)
	}
	return c.String(http.StatusOK, text)
}

func (s *Server) refusePush(c echo.Context, cause error) error {
	s.note(c, cause)
	return c.NoContent(http.StatusForbidden)
}
