package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// picturePath is the route of the accounts' pictures.
const picturePath = "/picture/:name"

// pictureLimits holds even somebody who opens a picture as a page to its pixels.
const pictureLimits = "default-src 'none'; sandbox"

// picture answers with the picture of an account. It was drawn by us; its address
// has the hash of its content, so that it never changes.
func (s *Server) picture(c echo.Context) error {
	hash, ok := strings.CutSuffix(c.Param("name"), ".png")
	if !ok {
		return echo.ErrNotFound
	}
	png, err := s.Service.Picture(c.Request().Context(), hash)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", pictureLimits)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, "image/png", png)
}
