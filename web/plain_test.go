package web

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// notTexts are bytes that PostgreSQL does not take for text: a zero, what UTF-8 never
// has, half a character, a surrogate, one too far, one too long.
var notTexts = []string{"a\x00b", "\x00", "\xff\xfe", "茶"[:2], "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"}

// TestPlainAddress: bytes that a database would choke on do not reach one.
func TestPlainAddress(t *testing.T) {
	read := false
	h, _, _ := site(t, oneAttempt{read: func() (onboard.Attempt, error) { read = true; return waiting(), nil }}, nil)
	for _, text := range notTexts {
		for status, paths := range map[int][]string{
			http.StatusNotFound:   {"/c/", "/q/x", "/m/", "/done/", "/cb/", "/no/such/"},
			http.StatusBadRequest: {"/c/x?lang=", "/?biz_appid=", "/cb/x?auth_code=", "/?a=b&", "/no/such?"},
		} {
			for _, path := range paths {
				if w := ask(h, "GET", path+url.QueryEscape(text), ""); w.Code != status || read {
					t.Errorf("GET %s with %q = %d, asked the service %t; want %d without asking", path, text, w.Code, read, status)
				}
			}
		}
	}
	if w := ask(h, "GET", "/c/"+waiting().ID+"?x=%E8%8C%B6", ""); w.Code != http.StatusOK {
		t.Errorf("an address in Chinese = %d, want 200", w.Code)
	}
	if w := ask(h, "GET", "/?biz_appid=%FF", "", "Accept-Language", "en"); !strings.Contains(w.Body.String(), "characters that are not text") {
		t.Errorf("the reader is not told why:\n%s", w.Body)
	}
}

// TestPlainForm_EveryRoute posts bytes that are no text to every route, in values,
// in names and in the parts of a form with files. Every route that reads its form
// refuses it, changing nothing.
func TestPlainForm_EveryRoute(t *testing.T) {
	plainForms(t, filepath.Join(t.TempDir(), "usher.db"))
}

func plainForms(t *testing.T, database string) {
	w := newConsoleOn(t, database, func(s *Server) { s.Limits.PressesPerMinute = 1 << 20 })
	a, err := w.svc.Begin(t.Context(), onboard.Wish{AuthType: onboard.MiniPrograms, Wanted: []onboard.PermissionID{18}})
	w.ok(err)
	a, err = w.svc.Invite(t.Context(), a.ID, "林小雨")
	w.ok(err)
	w.putAside()
	failedEvent(w)
	reading := 0
	for _, route := range w.Handler.(*echo.Echo).Routes() {
		if route.Method != http.MethodPost || kindOfPath(route.Path) == pushAnswer {
			continue
		}
		path := strings.NewReplacer("/q/:code", "/q/"+a.PhoneCode, "/i/:code", "/i/"+a.InviteCode, ":id", a.ID, ":token", "token").Replace(route.Path)
		path, _ = address(w, adminRoute{method: route.Method, path: path}, false)
		cookie := w.signedIn(admin.Owner)
		_, audited := w.lastAudit()
		wasRead := false
	route:
		for _, text := range notTexts {
			good := url.Values{"name": {"x"}, "_": {"x"}}
			var file bytes.Buffer
			form := multipart.NewWriter(&file)
			w.ok(form.WriteField("version", text))
			w.ok(form.Close())
			for kind, body := range map[string]string{
				"application/x-www-form-urlencoded":                good.Encode() + "&password=" + url.QueryEscape(text),
				"Application/X-WWW-Form-URLencoded; charset=utf-8": good.Encode() + "&" + url.QueryEscape("a"+text) + "=x",
				form.FormDataContentType():                         file.String(),
			} {
				r := httptest.NewRequest(http.MethodPost, path, nil)
				sent := &watched{Reader: strings.NewReader(body)}
				r.Body, r.ContentLength, r.Host = io.NopCloser(sent), int64(len(body)), "open.example.com"
				r.Header.Set("Content-Type", kind)
				r.Header.Set("Cookie", cookie)
				got := httptest.NewRecorder()
				w.ServeHTTP(got, r)
				if wasRead = wasRead || sent.read; sent.read && got.Code != http.StatusBadRequest {
					t.Errorf("POST %s reads %s with %q = %d, want 400", path, kind, text, got.Code)
				}
				if got.Code == http.StatusInternalServerError {
					t.Errorf("POST %s of %s with %q = 500: %s", path, kind, text, w.log)
				}
				if !sent.read {
					break route // it looks at its address only, and has done what it is for
				}
			}
		}
		if !wasRead {
			continue
		}
		reading++
		if last, n := w.lastAudit(); n != audited {
			t.Errorf("POST %s was refused and did %s", path, last.Action)
		}
	}
	if reading < 25 {
		t.Errorf("%d routes read their form, so this proves little", reading)
	}
}

// watched notes whether anybody reads it.
type watched struct {
	io.Reader
	read bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.read = true
	return w.Reader.Read(p)
}

// TestSignIn_Browser: a browser may call itself anything, and its name is cut
// anywhere.
func TestSignIn_Browser(t *testing.T) {
	signInBrowser(t, filepath.Join(t.TempDir(), "usher.db"))
}

func signInBrowser(t *testing.T, database string) {
	w := newConsoleOn(t, database, nil)
	for _, name := range []string{strings.Repeat("茶", 100), "a" + strings.Repeat("茶", 100), "\xff\xfe", strings.Repeat("\xe8", 300), ""} {
		form := url.Values{"name": {"owner"}, "password": {ownersPassword}}
		if got := ask(w, http.MethodPost, "/admin/sign-in", form.Encode(), "User-Agent", name); got.Code != http.StatusSeeOther {
			t.Errorf("signing in with the browser %q = %d, want 303\n%s", name, got.Code, w.log)
		}
	}
	all, err := w.site.Console.Sessions(t.Context(), w.admins[admin.Owner].ID)
	w.ok(err)
	for _, s := range all {
		if !isPlain(s.Browser) || len(s.Browser) > 200 {
			t.Errorf("a session keeps the browser %q", s.Browser)
		}
	}
	if len(all) != 5 {
		t.Errorf("%d sessions, want 5", len(all))
	}
}
