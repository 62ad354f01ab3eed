package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// cookies reads the cookies an answer sets.
func cookies(w *httptest.ResponseRecorder) map[string]*http.Cookie {
	all := map[string]*http.Cookie{}
	for _, c := range w.Result().Cookies() {
		all[c.Name] = c
	}
	return all
}

const goodForm = "auth_type=2&biz_appid=&permission_sets="

func TestCookieAttributes(t *testing.T) {
	tests := []struct {
		public, session, lang string
		secure                bool
	}{
		{"https://open.example.com", "__Host-usher-session", "__Host-usher-lang", true},
		{"http://127.0.0.1:8080", "usher-session", "usher-lang", false},
	}
	for _, tt := range tests {
		t.Run(tt.public, func(t *testing.T) {
			h, _, _ := site(t, reading(waiting(), nil), func(s *Server) { s.PublicURL = tt.public })
			// What a request says of its scheme changes nothing.
			w := ask(h, "POST", "/connect", goodForm, "X-Forwarded-Proto", "https")
			if w.Code != http.StatusSeeOther {
				t.Fatalf("POST /connect = %d", w.Code)
			}
			session := cookies(w)[tt.session]
			lang := cookies(ask(h, "GET", "/?lang=en", ""))[tt.lang]
			for name, c := range map[string]*http.Cookie{tt.session: session, tt.lang: lang} {
				if c == nil {
					t.Errorf("no cookie %s", name)
					continue
				}
				if c.Secure != tt.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
					t.Errorf("cookie %s = %s", name, c)
				}
			}
			if session != nil && session.MaxAge != 7*24*3600 {
				t.Errorf("session lives %d s, want a week", session.MaxAge)
			}
		})
	}
}

func TestSessionIsWrittenOnce(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	w := ask(h, "POST", "/connect", goodForm)
	c := cookies(w)["__Host-usher-session"]
	if c == nil {
		t.Fatal("POST /connect began no session")
	}
	if again := cookies(ask(h, "POST", "/connect", goodForm, "Cookie", c.Name+"="+c.Value)); len(again) != 0 {
		t.Errorf("a known browser got cookies %v, want none", again)
	}
	other := cookies(ask(h, "POST", "/connect", goodForm))["__Host-usher-session"]
	if other == nil || other.Value == c.Value {
		t.Error("two browsers got the same session")
	}
	for _, path := range []string{"/", "/c/abcdefghijklmnopqrstuvwxyz", "/q/7K3M9Q2X", "/help/wechat-errors", "/healthz", "/no/such/page"} {
		if got := cookies(ask(h, "GET", path, "")); len(got) != 0 {
			t.Errorf("GET %s sets %v, want no cookie", path, got)
		}
	}
}

// A phone is known from its first page on, or two quick taps would look like two
// people.
func TestSessionBeginsInWeChat(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	const phone = "Mozilla/5.0 (iPhone) Mobile/15E148 MicroMessenger/8.0.49"
	if c := cookies(ask(h, "GET", "/q/7K3M9Q2X", "", "User-Agent", phone))["__Host-usher-session"]; c == nil {
		t.Error("GET /q in WeChat began no session")
	}
	if got := cookies(ask(h, "HEAD", "/q/7K3M9Q2X", "", "User-Agent", phone)); len(got) != 0 {
		t.Errorf("HEAD /q set %v", got)
	}
}

func TestSessionRefusesForgeries(t *testing.T) {
	old, err := newBrowserSessions(true, testKeys, "session", sessionLife)
	if err != nil {
		t.Fatal(err)
	}
	newKeys := [][]byte{[]byte(strings.Repeat("n", 32)), []byte(strings.Repeat("m", 32))}
	rotated, err := newBrowserSessions(true, append(newKeys, testKeys...), "session", sessionLife)
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := newBrowserSessions(true, newKeys, "session", sessionLife)
	if err != nil {
		t.Fatal(err)
	}
	h, _, _ := site(t, reading(waiting(), nil), nil)
	value := cookies(ask(h, "POST", "/connect", goodForm))[old.name].Value
	changed := []byte(value)
	changed[len(changed)/2] ^= 1

	tests := []struct {
		name  string
		with  *browserSessions
		value string
		known bool
	}{
		{"as written", old, value, true},
		{"keys rotated", rotated, value, true},
		{"keys replaced", replaced, value, false},
		{"one bit changed", old, string(changed), false},
		{"cut", old, value[:len(value)-2], false},
		{"empty", old, "", false},
		{"made up", old, "aWQ6YWJj", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.AddCookie(&http.Cookie{Name: tt.with.name, Value: tt.value})
			id := tt.with.id(echo.New().NewContext(r, httptest.NewRecorder()))
			if (id != "") != tt.known {
				t.Errorf("id of %q = %q, want known %v", tt.value, id, tt.known)
			}
			if tt.known && len(id) != 43 {
				t.Errorf("id = %q, want 256 bits in 43 characters", id)
			}
		})
	}
}

func TestSessionKeys(t *testing.T) {
	for _, keys := range [][][]byte{nil, testKeys[:1], {[]byte("h"), []byte("not 16, 24 or 32")[:5]}} {
		if _, err := newBrowserSessions(true, keys, "session", sessionLife); err == nil {
			t.Errorf("newBrowserSessions with keys of lengths %v gave no error", lengths(keys))
		}
	}
}

func lengths(keys [][]byte) (n []int) {
	for _, k := range keys {
		n = append(n, len(k))
	}
	return n
}
