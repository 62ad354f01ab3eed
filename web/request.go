package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
	"usher/internal/rescue"
)

// The keys under which a request carries what its log line and its answer need.
const (
	keyRequestID = "request_id"
	keyError     = "error"
)

// identify gives the request an id of ours. One sent along is not taken: it would
// let a stranger write into the log.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := rand.Text()
		c.Set(keyRequestID, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// requestID returns the id that identify gave.
func requestID(c echo.Context) string {
	id, _ := c.Get(keyRequestID).(string)
	return id
}

// reference is the part of the request id that a person can read out on the
// telephone; the log line has the whole.
func reference(c echo.Context) string {
	id := requestID(c)
	return "R-" + id[max(0, len(id)-4):]
}

// logRequest writes one line for each request. It names the route's pattern,
// never the path or the query: both hold codes.
func (s *Server) logRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		r, w := c.Request(), c.Response()
		attrs := []slog.Attr{
			slog.String("request_id", requestID(c)),
			slog.String("method", methodName(r.Method)),
			slog.String("route", c.Path()),
			slog.Int("status", w.Status),
			slog.Int64("bytes", w.Size),
			slog.Duration("took", time.Since(start)),
			slog.String("ip", c.RealIP()),
		}
		level := slog.LevelInfo
		switch {
		case c.Path() == "/static/*" || c.Path() == "/healthz" || c.Path() == "/readyz":
			level = slog.LevelDebug // often, and nothing to learn
		case w.Status >= 500:
			level = slog.LevelError
		}
		if err, ok := c.Get(keyError).(error); ok {
			attrs = append(attrs, slog.Any("err", err))
		}
		s.Log.LogAttrs(r.Context(), level, "request", attrs...)
		return nil
	}
}

// methodName keeps an invented method out of the log.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// settle turns errors and panics of what is inside into answers, so that these
// are compressed and logged like every other.
func (s *Server) settle(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.recovered(c, next); err != nil {
			c.Error(err)
		}
		return nil
	}
}

func (s *Server) recovered(c echo.Context, next echo.HandlerFunc) error {
	err := rescue.Do(func() error { return next(c) })
	if rescue.Is(err) {
		if errors.Is(err, http.ErrAbortHandler) {
			panic(http.ErrAbortHandler)
		}
		s.Log.ErrorContext(c.Request().Context(), "panic", append(rescue.Attrs(err), "request_id", requestID(c), "route", c.Path())...)
	}
	return err
}

// languageCookieLife is how long a chosen language is kept.
const languageCookieLife = 365 * 24 * time.Hour

// chooseLanguage finds the reader's language: ?lang=, the cookie, the browser's
// wish. A language that was asked for is kept in the cookie.
func (s *Server) chooseLanguage(next echo.HandlerFunc) echo.HandlerFunc {
	name := cookieName(s.secure(), "lang")
	return func(c echo.Context) error {
		if kindOf(c) == pushAnswer {
			return next(c) // nobody reads it
		}
		r := c.Request()
		var query, kept string
		// Reading the query costs, and a redirect from WeChat has one of its own.
		if strings.Contains(r.URL.RawQuery, "lang=") {
			query = c.QueryParam("lang")
		}
		if cookie, err := c.Cookie(name); err == nil {
			kept = cookie.Value
		}
		otherwise, _ := i18n.Parse(s.settings().Language)
		lang := i18n.MatchOr(query, kept, r.Header.Get("Accept-Language"), otherwise)
		if wanted, ok := i18n.Parse(query); ok && string(wanted) != kept && kindOf(c) == htmlAnswer {
			c.SetCookie(&http.Cookie{
				Name: name, Value: string(wanted), Path: "/", MaxAge: int(languageCookieLife / time.Second),
				Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
			})
		}
		c.SetRequest(r.WithContext(i18n.With(r.Context(), lang)))
		return next(c)
	}
}

// refuseCrossSite keeps other sites from pressing our buttons. It needs no tokens
// in forms, works for phones without a cookie, and lets WeChat's pushes through,
// which are not sent by a browser.
func (s *Server) refuseCrossSite() (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	// A proxy that rewrites Host would make our own forms look foreign to browsers
	// that send Origin only.
	if err := protection.AddTrustedOrigin(s.PublicURL); err != nil {
		return nil, fmt.Errorf("public address: %w", err)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return echo.NewHTTPError(http.StatusForbidden).SetInternal(err)
			}
			return next(c)
		}
	}, nil
}

// within ends the context of a request after d. The handler itself is not
// abandoned: it sees its context end and answers.
func within(d time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			defer c.SetRequest(r) // a page that explains the failure is drawn after this
			c.SetRequest(r.WithContext(ctx))
			return next(c)
		}
	}
}
