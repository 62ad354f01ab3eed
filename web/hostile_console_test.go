package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/hostile"
)

// TestHostileParameters_Console is TestHostileParameters for the console: hostile
// texts in every part of an address, in every parameter that a page knows and in
// every field that a form has; each of them alone in the searches and in the decrypt
// lab. What is stored of them is shown by the pages that follow. No answer has an
// element or an attribute that none has with harmless texts, no address leads out of
// text, and nothing fails.
func TestHostileParameters_Console(t *testing.T) {
	hostileConsole(t, filepath.Join(t.TempDir(), "usher.db"))
}

func hostileConsole(t *testing.T, database string) {
	withoutDetector(t)
	w := newConsoleOn(t, database, nil)
	texts := slices.DeleteFunc(slices.Clone(hostile.Texts), func(text string) bool { return !isPlain(text) })
	var joined []string // several at once, so that it takes seconds
	for some := range slices.Chunk(texts, 16) {
		joined = append(joined, strings.Join(some, " "))
	}
	known := map[string]bool{}
	look := func(what string, answer *httptest.ResponseRecorder, harmless bool) {
		t.Helper()
		if answer.Code == http.StatusInternalServerError {
			t.Errorf("%s = 500", what)
		}
		elements(t, answer, func(n *html.Node, kind string) {
			for _, a := range n.Attr {
				if slices.Contains([]string{"href", "src", "action", "formaction", "data", "poster"}, a.Key) && !leadsSomewhere(a.Val) {
					t.Errorf("%s has <%s %s=%q>", what, n.Data, a.Key, a.Val)
				}
			}
			if harmless {
				known[kind] = true
			} else if !known[kind] {
				t.Errorf("%s has the element %q", what, kind)
				known[kind] = true // once is enough
			}
		})
	}
	names := w.parameters()
	if len(names) < 40 {
		t.Fatalf("the console's pages have only the fields and parameters %q", names)
	}
	everywhere := func(text string, harmless bool) {
		all := url.Values{}
		for _, name := range names {
			all.Set(name, text)
		}
		for _, r := range w.site.console.routes {
			if strings.HasSuffix(r.path, liveSuffix) {
				continue // lasts
			}
			path, has := address(w, r, false)
			cookie := w.signedIn(admin.Owner)
			if r.method == http.MethodPost {
				look("POST "+r.path+" of "+text, w.post(path, cookie, all), harmless)
				look("POST "+r.path+" of "+text+", signed out", w.post(path, "", all), harmless)
				continue
			}
			look("GET "+r.path+"?…="+text, w.get(path+"?"+all.Encode(), cookie), harmless)
			look("GET "+r.path+"?…="+text+", signed out", w.get(path+"?"+all.Encode(), ""), harmless)
			if has {
				parts := strings.Split(r.path, "/")
				for i, part := range parts {
					if strings.HasPrefix(part, ":") {
						parts[i] = url.PathEscape(text)
					}
				}
				look("GET "+r.path+" of "+text, w.get(strings.Join(parts, "/"), cookie), harmless)
			}
		}
	}
	cookie := w.signedIn(admin.Owner)
	oneByOne := func(text string, harmless bool) {
		for _, path := range []string{
			"/admin/accounts?q=", "/admin/accounts?tag=", "/admin/invites?q=", "/admin/invites?batch=", "/admin/events?account=", "/admin/events?type=",
			"/admin/audit?actor=", "/admin/audit?action=", "/admin/audit?target=", "/admin/sign-in?next=", "/admin/invites/new?recipient=",
		} {
			look("GET "+path+text, w.get(path+url.QueryEscape(text), cookie), harmless)
		}
		for _, form := range []url.Values{{"query": {text}}, {"body": {text}}, {"query": {"timestamp=1795320000&nonce=" + url.QueryEscape(text)}, "body": {"<xml><AppId>" + text + "</AppId></xml>"}}} {
			look("the lab with "+text, w.post("/admin/events/lab", cookie, form), harmless)
		}
	}
	for _, text := range []string{"x", "1", "en", "wx0123456789abcdef", "2026-11-22", strings.Repeat("长 ", 400), "owner", "https://shop.example.com/", "17|18", "authorized", "yes"} {
		everywhere(text, true)
		oneByOne(text, true)
	}
	if len(known) < 60 {
		t.Fatalf("harmless answers have %d kinds of elements, so the search proves nothing", len(known))
	}
	for _, text := range joined {
		everywhere(text, false)
	}
	for _, text := range texts {
		oneByOne(text, false)
	}
}

// parameters are the names of all fields of the console's forms, of the parameters
// of its links, and of some that handlers read without either.
func (w *consoleWorld) parameters() []string {
	w.Helper()
	names := []string{"lang", "token", "next", "kept", "kept.x", "check", "before", "after", "batch", "step", "offset"}
	cookie := w.signedIn(admin.Owner)
	for _, r := range w.site.console.routes {
		if r.method != http.MethodGet || kindOfPath(r.path) != htmlAnswer {
			continue
		}
		path, _ := address(w, r, false)
		for _, as := range []string{cookie, ""} {
			doc, err := html.Parse(w.get(path, as).Body)
			w.ok(err)
			for n := range doc.Descendants() {
				for _, a := range n.Attr {
					if a.Key == "name" && n.Data != "meta" {
						names = append(names, a.Val)
					}
					if u, err := url.Parse(a.Val); err == nil && a.Key == "href" {
						for name := range u.Query() {
							names = append(names, name)
						}
					}
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// leadsSomewhere reports whether an address in a page is one of ours or of a site.
func leadsSomewhere(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "" && !strings.HasPrefix(address, "//") || u.Scheme == "https" || u.Scheme == "http" && u.Host != "")
}

// TestHeaders_Console holds that every answer of the console carries what every
// answer of the site does, whoever asks and whatever comes of it.
func TestHeaders_Console(t *testing.T) {
	w := newConsole(t, nil)
	answers := map[int]bool{}
	for _, r := range slices.Clone(w.site.console.routes) {
		if strings.HasSuffix(r.path, liveSuffix) {
			continue // lasts
		}
		for _, foreign := range []bool{true, false} {
			path, has := address(w, r, foreign)
			if foreign && !has {
				continue
			}
			for _, role := range []admin.Role{admin.Owner, admin.Viewer, ""} {
				cookie := ""
				if role != "" {
					cookie = w.signedIn(role)
				}
				for _, method := range []string{r.method, http.MethodDelete} {
					body := ""
					if method == http.MethodPost {
						body = "_="
					}
					got := ask(w, method, path, body, "Cookie", cookie)
					answers[got.Code] = true
					for name, value := range map[string]string{
						"Content-Security-Policy":      policy(w.site.FormTargets),
						"Referrer-Policy":              "same-origin",
						"X-Content-Type-Options":       "nosniff",
						"Cross-Origin-Opener-Policy":   "same-origin",
						"Cross-Origin-Resource-Policy": "same-origin",
						"Strict-Transport-Security":    "max-age=31536000; includeSubDomains",
						"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
						"Cache-Control":                "no-store",
					} {
						if name == "Cache-Control" && got.Code == http.StatusOK && strings.HasSuffix(path, ".png") {
							continue // never changes
						}
						if all := got.Result().Header.Values(name); len(all) != 1 || all[0] != value {
							t.Errorf("%s %s as %q = %d with %s %q, want %q once", method, path, role, got.Code, name, all, value)
						}
					}
					for _, cookie := range got.Result().Cookies() {
						if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode && cookie.SameSite != http.SameSiteStrictMode {
							t.Errorf("%s %s as %q sets the cookie %v", method, path, role, cookie)
						}
					}
				}
			}
		}
	}
	for _, status := range []int{200, 303, 401, 403, 404, 405, 422} {
		if !answers[status] {
			t.Errorf("no answer had the status %s", strconv.Itoa(status))
		}
	}
}
