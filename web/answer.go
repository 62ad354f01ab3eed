package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
	"usher/views/styleguide"
)

// answerKind is what the readers of a route understand. Errors are answered in
// the same kind.
type answerKind int

const (
	htmlAnswer answerKind = iota
	jsonAnswer
	pushAnswer  // WeChat's servers: a status and nothing else
	fileAnswer  // pictures and style sheets
	eventAnswer // live updates
)

// kindOf tells by the route's pattern, which is known before any middleware runs.
func kindOf(c echo.Context) answerKind {
	path := c.Path()
	switch {
	case strings.HasPrefix(path, "/wechat/"):
		return pushAnswer
	case strings.HasSuffix(path, "/plugin"), path == "/healthz", path == "/readyz":
		return jsonAnswer
	case path == "/c/:id/events", path == styleguide.LivePath(), strings.HasSuffix(path, liveSuffix):
		return eventAnswer
	case strings.HasSuffix(path, ".png"), strings.HasSuffix(path, ".svg"), strings.HasSuffix(path, ".csv"), strings.HasSuffix(path, ".jsonl"), strings.HasPrefix(path, "/static/"), path == "/brand/:name", path == picturePath:
		return fileAnswer
	}
	return htmlAnswer
}

// render draws a page into a buffer and then answers with it, so that a page that
// fails half-way is not sent half.
func (s *Server) render(c echo.Context, status int, page templ.Component) error {
	b := s.buffer()
	defer s.buffers.Put(b)
	lang := i18n.From(c.Request().Context())
	// A page asks for its language a hundred times: it lies on top.
	if err := page.Render(i18n.With(c.Request().Context(), lang), b); err != nil {
		return fmt.Errorf("draw the page: %w", err)
	}
	h := c.Response().Header()
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("Content-Language", string(lang))
	h.Set(echo.HeaderContentLength, strconv.Itoa(b.Len())) // spares cutting the page into chunks; compression takes it off
	return c.HTMLBlob(status, b.Bytes())
}

// buffer returns an empty buffer of the pool.
func (s *Server) buffer() *bytes.Buffer {
	b, ok := s.buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	b.Reset()
	return b
}

// page is the frame of the page at path.
func (s *Server) page(c echo.Context, path string) views.Page {
	return views.Page{Brand: s.brand(), Path: path, Now: s.Now(), Reference: reference(c)}
}

// see sends the browser to a path of ours after a button was pressed.
func see(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }

// statusOf maps what the reader can do next to a status.
func statusOf(kind onboard.Kind) int {
	switch kind {
	case onboard.Invalid:
		return http.StatusUnprocessableEntity
	case onboard.NotFound:
		return http.StatusNotFound
	case onboard.Expired:
		return http.StatusGone
	case onboard.Unavailable:
		return http.StatusServiceUnavailable
	case onboard.Limited:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// retryAfter is how many seconds to wait when something outside is not ready.
const retryAfter = "30"

// statusGone is logged when the browser went away before the answer.
const statusGone = 499

// explain returns status and sentence for err. The sentence is empty where the
// status says all there is to say.
func explain(err error) (int, onboard.Key) {
	if e, ok := errors.AsType[*onboard.Error](err); ok {
		return statusOf(e.Kind), e.Key
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		return e.Code, ""
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, ""
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable, ""
	}
	return http.StatusInternalServerError, onboard.KeyInternal
}

// answerError is the one place where an error becomes an answer: a sentence for
// the person, the cause for the log line, the request id for both.
func (s *Server) answerError(err error, c echo.Context) {
	s.note(c, err)
	if c.Response().Committed {
		return
	}
	if errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		c.Response().Status = statusGone
		return
	}
	status, key := explain(err)
	h := c.Response().Header()
	if status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
	var failed error
	switch kindOf(c) {
	case htmlAnswer:
		m := views.ProblemPage{Page: s.page(c, "/"), Status: status, Key: key}
		failed = s.render(c, status, views.Problem(m))
	case jsonAnswer:
		failed = c.JSON(status, s.problemJSON(c, status, key))
	default:
		failed = c.NoContent(status)
	}
	if failed != nil {
		s.note(c, errors.Join(err, failed))
		if !c.Response().Committed {
			_ = c.NoContent(status) // a client that went away is no concern of ours
		}
	}
}

// note keeps the cause for the log line of the request. What everybody can see
// by the status alone is left out.
func (s *Server) note(c echo.Context, err error) {
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Internal == nil {
		return
	}
	c.Set(keyError, err)
}

// problem is an error as programs read it.
type problem struct {
	Error     string `json:"error"` // stable name of the error
	Message   string `json:"message"`
	Reference string `json:"reference"`
}

func (s *Server) problemJSON(c echo.Context, status int, key onboard.Key) problem {
	p := problem{Error: string(key), Reference: reference(c)}
	if key == "" {
		p.Error = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
		p.Message = http.StatusText(status)
		return p
	}
	p.Message = i18n.T(c.Request().Context(), i18n.Key(key), "ref", p.Reference)
	return p
}
