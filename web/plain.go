package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
)

// plainAddress refuses an address that holds bytes which are no text: PostgreSQL
// takes neither a zero nor broken UTF-8, and no address of ours has any. What is
// posted is read by form, with the same rule.
func plainAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if !isPlain(u.Path) {
			return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "an address with bytes that are no text")
		}
		if u.RawQuery != "" && kindOf(c) != pushAnswer && !arePlain(u.Query()) { // a push refuses in its own way
			return notText("query")
		}
		return next(c)
	}
}

// form reads a posted form, with or without files. One that is too large, not one
// at all, or holds bytes that are no text is an error; Echo's own FormValue would
// swallow it.
func form(c echo.Context) (func(name string) string, error) {
	r := c.Request()
	parse := r.ParseForm
	if kind, _, _ := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); kind == echo.MIMEMultipartForm {
		parse = func() error { return r.ParseMultipartForm(formLimit) }
	}
	if err := parse(); err != nil {
		return nil, formError(err)
	}
	if !arePlain(r.PostForm) {
		return nil, notText("form")
	}
	return r.PostForm.Get, nil
}

// formError classifies what reading a form failed with. The cause is not kept: it
// may quote the form.
func formError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return echo.NewHTTPError(http.StatusBadRequest).SetInternal(errors.New("the form cannot be read"))
}

func arePlain(fields url.Values) bool {
	for name, values := range fields {
		if !isPlain(name) || !isPlain(strings.Join(values, " ")) {
			return false
		}
	}
	return true
}

func isPlain(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func notText(where string) error {
	return echo.NewHTTPError(http.StatusBadRequest).SetInternal(errors.New("a " + where + " with bytes that are no text"))
}
