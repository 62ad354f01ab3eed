package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"usher/views/styleguide"
)

// guideRoutes adds the living style guide with the pictures and the stream that
// its sample pages ask for. It shows nothing of anybody, but a site for merchants
// has no use for it.
func (s *Server) guideRoutes(e *echo.Echo) {
	look := func(c echo.Context) styleguide.Look {
		l := styleguide.Look{Guide: true}
		if theme := c.QueryParam("theme"); theme == "light" || theme == "dark" {
			l.Theme = theme
		}
		return l
	}
	e.GET(styleguide.Root, func(c echo.Context) error {
		return s.render(c, http.StatusOK, styleguide.Guide(look(c)))
	}, within(pageTime))
	e.GET(styleguide.Root+"/:scene", func(c echo.Context) error {
		page, ok := styleguide.Find(c.Param("scene"), look(c))
		if !ok {
			return echo.ErrNotFound
		}
		return s.render(c, http.StatusOK, page)
	}, within(pageTime))
	for path, text := range styleguide.Pictures() {
		e.GET(path, func(c echo.Context) error { return s.code(c, text) })
	}
	// The sample pages wait here for events that never come.
	e.GET(styleguide.LivePath(), func(c echo.Context) error {
		leave, ok := s.streams.open(c.RealIP(), styleguide.LivePath())
		if !ok {
			return c.NoContent(http.StatusServiceUnavailable)
		}
		defer leave()
		c.Response().Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		c.Response().WriteHeader(http.StatusOK)
		st := stream{server: s, c: c, out: http.NewResponseController(c.Response())}
		if err := st.send([]byte(":\n\n")); err != nil {
			return nil
		}
		select {
		case <-c.Request().Context().Done():
		case <-s.drain.done():
		}
		return nil
	})
}
