package web

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

// press posts a form of one button and returns the page that the browser is sent to.
func (w *consoleWorld) press(path, cookie string, form url.Values) string {
	w.Helper()
	got := w.post(path, cookie, form)
	if got.Code != http.StatusSeeOther {
		w.Fatalf("POST %s = %d:\n%s", path, got.Code, got.Body)
	}
	page := w.get(got.Header().Get("Location"), cookie)
	if page.Code != http.StatusOK {
		w.Fatalf("%s after POST %s = %d", got.Header().Get("Location"), path, page.Code)
	}
	return page.Body.String()
}

// TestHealthPage_Roles: everybody who is signed in sees, an owner acts.
func TestHealthPage_Roles(t *testing.T) {
	w := newConsole(t, nil)
	for _, role := range admin.Roles() {
		got := w.get("/admin/health", w.signedIn(role))
		body := got.Body.String()
		if got.Code != http.StatusOK || !strings.Contains(body, "无法工作") || !strings.Contains(body, "https://open.example.com/wechat/events") {
			t.Errorf("%s: %d\n%s", role, got.Code, body)
		}
		for _, button := range []string{`action="/admin/health/check"`, `href="/admin/wizard"`} {
			if strings.Contains(body, button) != (role == admin.Owner) {
				t.Errorf("%s: %s is there: %v", role, button, role != admin.Owner)
			}
		}
		if strings.Contains(w.get("/admin/health/quota", w.signedIn(role)).Body.String(), "/quota/clear") != (role == admin.Owner) {
			t.Errorf("%s: the reset of the quotas is offered to the wrong ones", role)
		}
	}
}

// TestTicketBanner: every page says that there is no ticket, but those that say why.
func TestTicketBanner(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	says := func(path string) bool {
		t.Helper()
		got := w.get(path, cookie)
		if got.Code != http.StatusOK {
			t.Fatalf("GET %s = %d", path, got.Code)
		}
		return strings.Contains(got.Body.String(), "没有收到微信票据")
	}
	for path, want := range map[string]bool{"/admin/settings": true, "/admin/audit": true, "/admin/health": false, "/admin/wizard": false} {
		if got := says(path); got != want {
			t.Errorf("GET %s says that there is no ticket: %v, want %v", path, got, want)
		}
	}
	_, err := w.db.SaveTicket(t.Context(), onboard.Ticket{Value: secret.New("t"), CreatedAt: w.now, ReceivedAt: w.now})
	w.ok(err)
	w.now = w.now.Add(20 * time.Minute)
	if says("/admin/settings") {
		t.Error("a page says that there is no ticket, 20 minutes after one")
	}
	w.now = w.now.Add(45 * time.Minute)
	cookie = w.signedIn(admin.Owner)
	if !says("/admin/settings") {
		t.Error("no page says that tickets have stopped")
	}
	if strings.Contains(w.get("/admin/sign-in", "").Body.String(), "没有收到微信票据") {
		t.Error("somebody who is signed out is told about the ticket")
	}
}

// TestHealthPage_Buttons presses what an owner can, with WeChat refusing and serving.
func TestHealthPage_Buttons(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	page := w.press("/admin/health/check", cookie, nil)
	if !strings.Contains(page, "<p>凭证还没有填全</p>") {
		t.Errorf("WeChat is asked without an AppSecret:\n%s", page)
	}
	w.ok(w.site.Console.SaveCredential(t.Context(), admin.ComponentSecret, secret.New("secretsecretsecret")))
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.24"} })
	page = w.press("/admin/health/check", cookie, nil)
	if !strings.Contains(page, "微信拒绝了来自 127.0.0.1 的请求（61004）") || !strings.Contains(page, `value="127.0.0.1"`) {
		t.Errorf("the page does not say which address is refused:\n%s", page)
	}
	if e, _ := w.lastAudit(); e.Action != "health.check" || e.After != "failed" {
		t.Errorf("the audit says %+v", e)
	}
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil })
	w.now = w.now.Add(time.Second)
	page = w.press("/admin/health/push", cookie, nil)
	if strings.Contains(page, "（61004）") || !strings.Contains(page, "已请微信推送票据") {
		t.Errorf("the page after WeChat has served us:\n%s", page)
	}
	// Without a ticket there is no token to ask about quotas with.
	if page = w.press("/admin/health/quota", cookie, nil); !strings.Contains(page, "没有可用的票据") || !strings.Contains(page, "还没有查过") {
		t.Errorf("quotas without a ticket:\n%s", page)
	}
	if page = w.press("/admin/health/quota/clear", cookie, nil); !strings.Contains(page, "已重置") {
		t.Errorf("a reset:\n%s", page)
	}
	for range 9 {
		w.press("/admin/health/quota/clear", cookie, nil)
	}
	if page = w.press("/admin/health/quota/clear", cookie, nil); !strings.Contains(page, "10 次重置用完了") {
		t.Errorf("the eleventh reset of a month:\n%s", page)
	}
	if strings.Contains(w.log.String(), "secretsecretsecret") {
		t.Error("the log holds the AppSecret")
	}
}

// TestHealthLive reads the stream of the page until it is cut.
func TestHealthLive(t *testing.T) {
	w := newConsole(t, nil)
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // for a stream that says something else
	defer cancel()
	open := func(cookie string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/admin/health/live", nil)
		w.ok(err)
		req.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(req)
		w.ok(err)
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	cookie := w.signedIn(admin.Viewer)
	resp := open(cookie)
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(ct, "text/event-stream") {
		t.Fatalf("the stream = %d, %s", resp.StatusCode, ct)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	until := func(part string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), part) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", part, lines.Err())
	}
	until("event: state")
	until("凭证还没有填全")
	// The session ends: so does the stream, and the page goes to the sign-in.
	w.ok(w.site.Console.SignOutEverywhere(admin.With(t.Context(), admin.Actor{Admin: w.admins[admin.Owner]}), w.admins[admin.Viewer].ID))
	until("event: go")
	until("data: /admin/sign-in?next=%2Fadmin%2Fhealth")
	if lines.Scan() && lines.Text() != "" || lines.Scan() {
		t.Errorf("the stream goes on with %q", lines.Text())
	}
	if got := open(cookie); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("the stream without a session = %d, want 401", got.StatusCode)
	}
}

// TestLive_KeepsNoSession: a page that updates itself is nobody at work.
func TestLive_KeepsNoSession(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	for range 4 {
		w.now = w.now.Add(admin.IdleLife / 4)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the browser goes away after the first look
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/admin/health/live", nil)
		r.Header.Set("Cookie", cookie)
		w.ServeHTTP(httptest.NewRecorder(), r)
	}
	if got := w.get("/admin/health", cookie); got.Code != http.StatusSeeOther {
		t.Errorf("the page after half an hour of updates = %d, want the sign-in", got.Code)
	}
}

// TestReachSelf looks for itself behind its public address.
func TestReachSelf(t *testing.T) {
	answer := func(status int, body string, header ...string) func(*http.Request) *http.Response {
		return func(*http.Request) *http.Response {
			got := httptest.NewRecorder()
			for i := 0; i+1 < len(header); i += 2 {
				got.Header().Set(header[i], header[i+1])
			}
			got.WriteHeader(status)
			_, _ = got.WriteString(body)
			return got.Result()
		}
	}
	stranger := newConsole(t, nil) // an Usher with another key
	for _, tt := range []struct {
		name string
		way  http.RoundTripper // nil: the site itself
		want string
	}{
		{"the site itself", nil, ""},
		{"nobody", closed{}, reachClosed},
		{"a redirect", answered(answer(301, "", "Location", "http://169.254.169.254/")), reachRedirect},
		{"an error of a proxy", answered(answer(502, "<html>")), reachStatus},
		{"a page", answered(answer(200, "<html>")), reachOther},
		{"a health without proof", answered(answer(200, `{"status":"ok"}`)), reachOther},
		{"an answer without end", answered(answer(200, `{"proof":"`+strings.Repeat("x", 1<<20)+`"}`)), reachOther},
		{"another Usher", answered(func(r *http.Request) *http.Response {
			got := httptest.NewRecorder()
			stranger.ServeHTTP(got, r)
			return got.Result()
		}), reachOther},
	} {
		asked := 0
		w := newConsole(t, func(s *Server) {
			way := tt.way
			if way == nil {
				way = s.Self
			}
			s.Self = spying{way, func(r *http.Request) {
				asked++
				if r.URL.Scheme+"://"+r.URL.Host+r.URL.Path != "https://open.example.com/healthz" || r.Method != http.MethodGet {
					t.Errorf("%s: asks %s %s", tt.name, r.Method, r.URL)
				}
			}}
		})
		cookie := w.signedIn(admin.Owner)
		// What a request says decides nothing.
		page := w.press("/admin/wizard/address?url=http://127.0.0.1:1/", cookie, url.Values{"url": {"http://127.0.0.1:1/"}, "public_url": {"http://127.0.0.1:1/"}})
		setup, err := w.site.Console.Setup(t.Context(), w.site.PublicURL)
		w.ok(err)
		if c := setup.Checks[admin.CheckAddress]; c.What != tt.want || c.Proven() != (tt.want == "") {
			t.Errorf("%s: the check is %+v, want %q", tt.name, c, tt.want)
		}
		if asked != 1 {
			t.Errorf("%s: asked %d times, want 1", tt.name, asked)
		}
		if strings.Contains(page, "169.254") || strings.Contains(page, "<html>x") {
			t.Errorf("%s: the page shows what was answered", tt.name)
		}
	}
}

type closed struct{}

func (closed) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// spying looks at requests on their way.
type spying struct {
	http.RoundTripper
	look func(*http.Request)
}

func (s spying) RoundTrip(r *http.Request) (*http.Response, error) {
	s.look(r)
	return s.RoundTripper.RoundTrip(r)
}

// TestHealthz_Proof answers a nonce of ours and nothing else.
func TestHealthz_Proof(t *testing.T) {
	w := newConsole(t, nil)
	for nonce, want := range map[string]bool{
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ": true, "": false, "ABC": false, "abcdefghijklmnopqrstuvwxyz": false, "ABCDEFGHIJKLMNOPQRSTUVWXY1": false,
	} {
		if got := w.get("/healthz?nonce="+nonce, ""); strings.Contains(got.Body.String(), "proof") != want || got.Code != http.StatusOK {
			t.Errorf("/healthz?nonce=%s = %s, want a proof: %v", nonce, got.Body, want)
		}
	}
}

// TestWizard_FirstOwner: whoever made the first owner goes on in the wizard, and
// others do not see it.
func TestWizard_FirstOwner(t *testing.T) {
	w := newConsole(t, nil)
	execConsole(w, `DELETE FROM admin`)
	token, err := w.site.Console.Bootstrap(t.Context())
	w.ok(err)
	got := w.post("/admin/setup", "", url.Values{"token": {token.Reveal()}, "name": {"陈晓"}, "password": {ownersPassword}, "repeat": {ownersPassword}})
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/admin/wizard" {
		t.Errorf("the first owner is sent to %d %q", got.Code, got.Header().Get("Location"))
	}
}

// TestWizard_Credentials keeps what the environment sets and what was there.
func TestWizard_Credentials(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	form := url.Values{"secret-component_secret": {"secretsecretsecret"}, "secret-push_token": {"to ken"}}
	got := w.post("/admin/wizard/credentials", cookie, form)
	body := got.Body.String()
	if got.Code != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#secret-push_token"`) || !strings.Contains(body, `href="#secret-aes_key"`) {
		t.Fatalf("a bad token and no key = %d:\n%s", got.Code, body)
	}
	if strings.Contains(body, "secretsecretsecret") || len(w.site.Console.Credentials()) != 0 {
		t.Error("a form with faults is stored, or comes back with a secret in it")
	}
	form = url.Values{"secret-component_secret": {" secretsecretsecret\n"}, "secret-push_token": {"token"}, "secret-aes_key": {strings.Repeat("k", 43)}}
	if page := w.press("/admin/wizard/credentials", cookie, form); !strings.Contains(page, "2 · ") {
		t.Errorf("the wizard goes on with:\n%s", page)
	}
	setup, err := w.site.Console.Setup(t.Context(), w.site.PublicURL)
	w.ok(err)
	if !setup.State(admin.StepCredentials).Done || !setup.State(admin.StepAllowList).Done {
		t.Errorf("after a good answer of WeChat: %+v", setup.Steps)
	}
	before := w.site.Console.Platform()
	w.press("/admin/wizard/credentials", cookie, url.Values{})
	if w.site.Console.Platform() != before {
		t.Error("empty fields change what is stored")
	}
}
