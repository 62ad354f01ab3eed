package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// policy builds the Content-Security-Policy. A browser also checks the redirect
// that follows a form against form-action, so WeChat's pages have to be listed:
// with 'self' alone the hand-off would stop without a word.
func policy(formTargets []string) string {
	targets := []string{"'self'"}
	for _, t := range formTargets {
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(targets, " ")
}

// headers sets what every answer carries, errors included. A handler may replace
// a value; none is left to a reverse proxy.
func (s *Server) headers() echo.MiddlewareFunc {
	all := http.Header{}
	all.Set("Content-Security-Policy", policy(s.FormTargets))
	all.Set("X-Content-Type-Options", "nosniff")
	all.Set("Cross-Origin-Opener-Policy", "same-origin")
	all.Set("Cross-Origin-Resource-Policy", "same-origin")
	all.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	all.Set("Cache-Control", "no-store")
	if s.secure() {
		all.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			for name, values := range all {
				h[name] = values[:1:1] // shared by all answers: never written to, only replaced
			}
			h.Set("Referrer-Policy", referrer(c.Path()))
			return next(c)
		}
	}
}

// referrer is what a page at route may tell the next one about itself. WeChat
// checks that a browser comes from the registered domain (授权流程技术说明): the origin
// must be sent, the path with its codes must not. The address that WeChat redirects
// to holds an authorization code: it tells nothing.
func referrer(route string) string {
	if strings.HasPrefix(route, "/cb/") {
		return "no-referrer"
	}
	if route == adminRoot || strings.HasPrefix(route, adminRoot+"/") {
		return "same-origin"
	}
	return "origin"
}
