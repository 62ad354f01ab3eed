package web

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// policy builds the Content-Security-Policy. A browser also checks the redirect
// that follows a form against form-action, so WeChat's pages have to be listed:
// with 'self' alone the hand-off would stop without a word.
func policy(formTargets []string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(append([]string{"'self'"}, formTargets...), " ")
}

// headers sets what every answer carries, errors included. A handler may replace
// a value; none is left to a reverse proxy.
func (s *Server) headers() echo.MiddlewareFunc {
	csp := policy(s.FormTargets)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", csp)
			// WeChat checks that the browser comes from the registered domain (授权流程
			// 技术说明): the origin must be sent, the path with its codes must not.
			h.Set("Referrer-Policy", referrer(c.Path()))
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
			h.Set("Cache-Control", "no-store")
			if s.secure() {
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			return next(c)
		}
	}
}

// referrer is what a page at route may tell the next one about itself. The address
// that WeChat redirects to holds an authorization code: it tells nothing.
func referrer(route string) string {
	if route == "/cb/:state" {
		return "no-referrer"
	}
	return "origin"
}
