package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/views"
)

// settings are the ones in use; without a console they never change.
func (s *Server) settings() admin.Settings {
	if s.Console == nil {
		return admin.Settings{Brand: s.Brand.Name, Contact: s.Brand.Contact}
	}
	return s.Console.Settings()
}

// brand is the operator as merchants know it now.
func (s *Server) brand() views.Brand {
	if s.Console == nil {
		return s.Brand
	}
	now := s.Console.Settings()
	b := views.Brand{Name: now.Brand, Contact: now.Contact}
	if now.Logo != "" {
		b.Logo = logoPath(now.Logo)
	}
	return b
}

// logoPath is where the operator's picture is; a new picture has a new address.
func logoPath(hash string) string { return "/brand/" + hash + ".png" }

// logo answers with the operator's picture. It was made by us from what an owner
// uploaded.
func (s *Server) logo(c echo.Context) error {
	hash, ok := strings.CutSuffix(c.Param("name"), ".png")
	if !ok {
		return echo.ErrNotFound
	}
	picture, err := s.Console.Logo(c.Request().Context(), hash)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, "image/png", picture)
}
