package web

import (
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
)

// plainAddress refuses an address that holds bytes which are no text: PostgreSQL
// takes neither a zero nor broken UTF-8, and no address of ours has any.
func plainAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if !isPlain(u.Path) {
			return notText()
		}
		for key, values := range u.Query() {
			if !isPlain(key) || !isPlain(strings.Join(values, "")) {
				if kindOf(c) == pushAnswer {
					break // refuses in its own way
				}
				return notText()
			}
		}
		return next(c)
	}
}

func isPlain(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func notText() error {
	return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "an address with bytes that are no text")
}
