package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/secret"
)

// setCookie is the console's cookie in an answer, or nil.
func setCookie(w *httptest.ResponseRecorder) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-usher-admin" {
			return c
		}
	}
	return nil
}

func TestSignIn_Cookie(t *testing.T) {
	w := newConsole(t, nil)
	form := url.Values{"name": {"owner"}, "password": {ownersPassword}, "next": {"/admin/audit?actor=a"}}
	seen := map[string]bool{}
	planted := w.cookie("a token of somebody else's choosing")
	for range 2 {
		got := w.post("/admin/sign-in", planted, form)
		c := setCookie(got)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/admin/audit?actor=a" || c == nil {
			t.Fatalf("sign-in = %d to %q, cookie %v", got.Code, got.Header().Get("Location"), c)
		}
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != int(admin.SessionLife/time.Second) {
			t.Errorf("the cookie is %s", c)
		}
		cookie := c.Name + "=" + c.Value
		if seen[cookie] || cookie == planted {
			t.Error("a sign-in takes over an id that was there before")
		}
		seen[cookie] = true
		if page := w.get("/admin/profile", cookie); page.Code != http.StatusOK {
			t.Errorf("the page after the sign-in = %d", page.Code)
		}
		out := w.post("/admin/sign-out", cookie, nil)
		if gone := setCookie(out); out.Code != http.StatusSeeOther || gone == nil || gone.MaxAge >= 0 {
			t.Errorf("sign-out = %d, cookie %v; want it gone", out.Code, gone)
		}
		if page := w.get("/admin/profile", cookie); page.Code != http.StatusSeeOther {
			t.Errorf("the page after the sign-out = %d, want the sign-in", page.Code)
		}
	}
	// A merchant's session opens nothing here, nor the other way round.
	if page := w.get("/admin/profile", "__Host-usher-session="+strings.SplitN(w.signedIn(admin.Owner), "=", 2)[1]); page.Code != http.StatusSeeOther {
		t.Errorf("the cookie under another name = %d", page.Code)
	}
}

// TestLogin_XFFRotationDoesNotReset guesses from one address that claims to be
// another each time.
func TestLogin_XFFRotationDoesNotReset(t *testing.T) {
	guess := func(w *consoleWorld, i int, forwarded string) int {
		form := url.Values{"name": {fmt.Sprint("name ", i)}, "password": {"guess guess guess"}}
		return ask(w, http.MethodPost, "/admin/sign-in", form.Encode(), "X-Forwarded-For", forwarded, "X-Real-Ip", forwarded, "Forwarded", "for="+forwarded).Code
	}
	want := []int{422, 422, 422, 422, 422, 429}
	w := newConsole(t, nil)
	for i, code := range want {
		if got := guess(w, i, fmt.Sprintf("198.51.%d.7", i)); got != code {
			t.Errorf("guess %d = %d, want %d", i+1, got, code)
		}
	}
	// Behind a proxy that is trusted, what it appended counts and not what was sent
	// along; neighbors in a /24 are one.
	w = newConsole(t, func(s *Server) { s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	for i, code := range want {
		if got := guess(w, i, fmt.Sprintf("198.51.%d.7, 203.0.113.%d", i, i)); got != code {
			t.Errorf("guess %d through the proxy = %d, want %d", i+1, got, code)
		}
	}
	if got := guess(w, 9, "203.0.113.9, 198.51.100.1"); got != 422 {
		t.Errorf("a guess from another network = %d, want 422", got)
	}
}

func TestOwnPath(t *testing.T) {
	for in, want := range map[string]string{
		"/admin/accounts?q=1&x=%2F": "/admin/accounts?q=1&x=%2F", "/admin": "/admin", "": "/admin", "/": "/admin", "/c/x": "/admin",
		"//evil.example/admin": "/admin", "https://evil.example/admin": "/admin", `/\evil.example`: "/admin", `/admin\..\x`: "/admin",
		"/admin/../c/x": "/admin", "/admin//evil.example": "/admin", "/administrator": "/admin", "javascript:alert(1)": "/admin",
		"/admin/sign-in?next=/admin": "/admin", "/admin/x\r\nSet-Cookie: a=b": "/admin", "/admin/%2e%2e/c": "/admin", "/admin/..": "/admin",
	} {
		if got := ownPath(in); got != want {
			t.Errorf("ownPath(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSignIn_KeepsForm loses the session while a form is filled in.
func TestSignIn_KeepsForm(t *testing.T) {
	w := newConsole(t, nil)
	got := w.post("/admin/admins", "", url.Values{"name": {"新 <人>"}, "role": {"operator"}, "password": {"typedsecret"}})
	body := got.Body.String()
	if got.Code != http.StatusUnauthorized || !strings.Contains(body, "刚才填的内容还在") || strings.Contains(body, "typedsecret") {
		t.Fatalf("a form of a lost session = %d:\n%s", got.Code, body)
	}
	hidden := url.Values{"name": {"owner"}, "password": {ownersPassword}}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		hidden.Add(m[1], strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(m[2]))
	}
	in := w.post("/admin/sign-in", "", hidden)
	body = in.Body.String()
	c := setCookie(in)
	if in.Code != http.StatusOK || c == nil || !strings.Contains(body, `action="/admin/admins"`) ||
		!strings.Contains(body, `name="name" value="新 &lt;人&gt;"`) || strings.Contains(body, ownersPassword) {
		t.Fatalf("after the sign-in = %d:\n%s", in.Code, body)
	}
	again := w.post("/admin/admins", c.Name+"="+c.Value, url.Values{"name": {"新 <人>"}, "role": {"operator"}})
	if again.Code != http.StatusOK || !strings.Contains(again.Body.String(), "/admin/setup?token=") {
		t.Errorf("submitted again = %d:\n%s", again.Code, again.Body)
	}
	// Where the form goes is ours to say.
	for _, action := range []string{"https://evil.example/admin", "//evil.example", "/connect", "/admin/sign-in"} {
		in := w.post("/admin/sign-in", "", url.Values{"name": {"owner"}, "password": {ownersPassword}, "kept": {action}, "kept.a": {"b"}})
		if in.Code != http.StatusSeeOther {
			t.Errorf("a kept form for %q = %d, want it dropped", action, in.Code)
		}
	}
}

// TestSetup walks the way of the first owner by the pages.
func TestSetup(t *testing.T) {
	w := newConsole(t, nil)
	for _, a := range w.admins {
		execConsole(w, `DELETE FROM admin WHERE id = '`+a.ID+`'`)
	}
	token, err := w.site.Console.Bootstrap(t.Context())
	w.ok(err)
	for range 2 { // a preview of the link spends nothing
		page := w.get("/admin/setup?token="+token.Reveal(), "")
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `value="`+token.Reveal()+`"`) || strings.Contains(page.Body.String(), "token="+token.Reveal()+"&amp;lang") {
			t.Fatalf("the setup page = %d:\n%s", page.Code, page.Body)
		}
	}
	form := url.Values{"token": {token.Reveal()}, "name": {"陈晓"}, "password": {ownersPassword}, "repeat": {"something else"}}
	if got := w.post("/admin/setup", "", form); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "两次输入的密码不一样") || strings.Contains(got.Body.String(), ownersPassword) {
		t.Errorf("two different passwords = %d:\n%s", got.Code, got.Body)
	}
	form.Set("repeat", ownersPassword)
	got := w.post("/admin/setup", "", form)
	c := setCookie(got)
	if got.Code != http.StatusSeeOther || c == nil {
		t.Fatalf("setup = %d:\n%s", got.Code, got.Body)
	}
	cookie := c.Name + "=" + c.Value
	if page := w.get("/admin/profile", cookie); !strings.Contains(page.Body.String(), "欢迎，陈晓") {
		t.Errorf("the first page does not say welcome:\n%s", page.Body)
	}
	if page := w.get("/admin/profile", cookie); strings.Contains(page.Body.String(), "欢迎，陈晓") {
		t.Error("welcome is said twice")
	}
	if got := w.post("/admin/setup", "", form); got.Code != http.StatusUnprocessableEntity || setCookie(got) != nil {
		t.Errorf("the token again = %d", got.Code)
	}
	if strings.Contains(w.log.String(), token.Reveal()) {
		t.Error("the log holds the token")
	}
}

// TestSettings_TakeEffect changes what merchants see, without a restart.
func TestSettings_TakeEffect(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	form := settingsValues(w)
	form.Set("brand", "青禾 <云>")
	if got := w.post("/admin/settings", cookie, form); got.Code != http.StatusSeeOther {
		t.Fatalf("save = %d:\n%s", got.Code, got.Body)
	}
	home := ask(w, http.MethodGet, "/", "", "Accept-Language", "fr").Body.String()
	if !strings.Contains(home, "青禾 &lt;云&gt;") || !strings.Contains(home, `lang="en"`) {
		t.Errorf("the merchants' page lacks the new name or language:\n%s", home)
	}
	begun := ask(w, http.MethodPost, "/connect", "auth_type=2")
	a, err := w.svc.Attempt(t.Context(), strings.TrimPrefix(begun.Header().Get("Location"), "/c/"))
	w.ok(err)
	if a.ExpiresAt.Sub(a.CreatedAt) != 20*time.Minute || fmt.Sprint(a.Wanted) != "[17 18]" {
		t.Errorf("an attempt lives %v and asks for %v, want 20m and [17 18]", a.ExpiresAt.Sub(a.CreatedAt), a.Wanted)
	}
	invite, err := w.svc.Invite(t.Context(), a.ID, "王")
	w.ok(err)
	if invite.ExpiresAt.Sub(w.now) != 48*time.Hour {
		t.Errorf("an invite lives %v, want 48h", invite.ExpiresAt.Sub(w.now))
	}

	// The same form again was made from settings that are replaced.
	form.Set("brand", "别的名字")
	got := w.post("/admin/settings", cookie, form)
	if body := got.Body.String(); got.Code != http.StatusConflict || !strings.Contains(body, "owner just changed this") || !strings.Contains(body, "青禾 &lt;云&gt;") || !strings.Contains(body, `value="别的名字"`) {
		t.Fatalf("a form of older settings = %d:\n%s", got.Code, body)
	}
	form.Set("version", regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(got.Body.String())[1])
	form.Set("invite_only", "1")
	if got := w.post("/admin/settings", cookie, form); got.Code != http.StatusSeeOther {
		t.Fatalf("saved once more = %d:\n%s", got.Code, got.Body)
	}
	if got := ask(w, http.MethodPost, "/connect", "auth_type=2"); got.Code != http.StatusForbidden {
		t.Errorf("the public form while only invites count = %d, want 403", got.Code)
	}
	if got := ask(w, http.MethodGet, "/", ""); strings.Contains(got.Body.String(), `action="/connect"`) {
		t.Error("the public form is shown while only invites count")
	}
	if got := ask(w, http.MethodPost, "/c/"+a.ID+"/again", "_="); got.Code == http.StatusSeeOther {
		t.Errorf("beginning again while only invites count = %d", got.Code)
	}
	form.Set("days", "3")
	form.Set("hosts", "https://x")
	form.Set("sets", "one")
	got = w.post("/admin/settings", cookie, form)
	for _, id := range []string{"sets", "hosts", "days"} {
		if !strings.Contains(got.Body.String(), `href="#`+id+`"`) || got.Code != http.StatusUnprocessableEntity {
			t.Errorf("wrong %s = %d without a link to the field", id, got.Code)
		}
	}
}

func TestSettings_Logo(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	picture := image.NewNRGBA(image.Rect(0, 0, 600, 300))
	for i := range picture.Pix {
		picture.Pix[i] = 200
	}
	picture.Set(0, 0, color.Black)
	var b bytes.Buffer
	w.ok(png.Encode(&b, picture))
	if got := w.upload("/admin/settings/logo", cookie, "logo", append(b.Bytes(), "<script>"...), url.Values{"version": {"0"}}); got.Code != http.StatusSeeOther {
		t.Fatalf("upload = %d:\n%s", got.Code, got.Body)
	}
	src := regexp.MustCompile(`/brand/[0-9a-f]{32}\.png`).FindString(w.get("/", "").Body.String())
	got := w.get(src, "")
	drawn, err := png.Decode(bytes.NewReader(got.Body.Bytes()))
	if err != nil || drawn.Bounds().Dx() != 256 || got.Header().Get("Content-Type") != "image/png" || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("GET %q = %d %v %v, %v", src, got.Code, got.Header(), drawn, err)
	}
	for what, file := range map[string][]byte{"an SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "nothing": nil} {
		if got := w.upload("/admin/settings/logo", cookie, "logo", file, url.Values{"version": {settingsVersion(w)}}); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("upload of %s = %d, want 422", what, got.Code)
		}
	}
	if got := w.upload("/admin/settings/logo", cookie, "logo", make([]byte, 300<<10), url.Values{"version": {settingsVersion(w)}}); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("upload of 300 KiB = %d, want 413", got.Code)
	}
	if got := w.post("/admin/settings/logo/remove", cookie, url.Values{"version": {settingsVersion(w)}}); got.Code != http.StatusSeeOther {
		t.Errorf("remove = %d", got.Code)
	}
	if strings.Contains(w.get("/", "").Body.String(), "/brand/") {
		t.Error("the logo is still shown")
	}
}

// TestSettings_SecretsStayIn looks for what was entered in every page, in the audit,
// in the log and in the database.
func TestSettings_SecretsStayIn(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	canaries := map[admin.CredentialName]string{
		admin.ComponentSecret: "canarycanary5f2b8c91d04e7a36", admin.PushToken: "canarytoken7e1", admin.AESKey: "canarykeyabcdefghijklmnopqrstuvwxyz01234567",
	}
	for name, value := range canaries {
		got := w.post("/admin/settings/credentials/"+string(name), cookie, url.Values{"secret-" + string(name): {value}})
		if got.Code != http.StatusSeeOther {
			t.Fatalf("%s = %d:\n%s", name, got.Code, got.Body)
		}
	}
	if p := w.site.Console.Platform(); p.Secret.Reveal() != canaries[admin.ComponentSecret] || p.AESKey.Reveal() != canaries[admin.AESKey] {
		t.Error("what was entered does not count")
	}
	bad := w.post("/admin/settings/credentials/aes_key", cookie, url.Values{"secret-aes_key": {"canaryshort"}})
	if bad.Code != http.StatusUnprocessableEntity {
		t.Errorf("a key of the wrong length = %d", bad.Code)
	}
	texts := map[string]string{"the log": w.log.String(), "the refusal": bad.Body.String()}
	for _, r := range w.site.console.routes {
		if r.method == http.MethodGet {
			path, _ := address(w, r, false)
			look := w.get
			if strings.HasSuffix(path, liveSuffix) {
				look = w.glimpse
			}
			texts[path] = look(path, cookie).Body.String()
		}
	}
	for table, rows := range w.dump() {
		texts["table "+table] = rows
	}
	for where, text := range texts {
		if strings.Contains(text, "canary") {
			t.Errorf("%s shows a secret", where)
		}
	}
	if page := texts["/admin/settings"]; strings.Count(page, w.site.Console.Fingerprint(secret.New(canaries[admin.AESKey]))) != 1 {
		t.Error("the page lacks the fingerprint of the key")
	}
}

// TestTOTP_Picture reads the code out of the picture for the authenticator.
func TestTOTP_Picture(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	if got := w.get("/admin/profile/totp.png", cookie); got.Code != http.StatusNotFound {
		t.Errorf("the picture before anything is offered = %d, want 404", got.Code)
	}
	if got := w.post("/admin/profile/totp/offer", cookie, nil); got.Header().Get("Location") != "/admin/profile/totp" {
		t.Fatalf("offer = %d", got.Code)
	}
	me, err := w.site.Console.Admin(t.Context(), w.admins[admin.Owner].ID)
	w.ok(err)
	got := w.get("/admin/profile/totp.png", cookie)
	want := "otpauth://totp/Usher:owner?secret=" + me.NextTOTP.Reveal() + "&issuer=Usher&digits=6&period=30"
	if text := decodeQR(t, got.Body.Bytes()); text != want || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the picture says %q, want %q; %v", text, want, got.Header())
	}
}

func TestAudit_Export(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	as := admin.With(t.Context(), admin.Actor{Admin: admin.Admin{ID: "X", Name: "=cmd|' /C calc'!A0"}, Address: "192.0.2.9"})
	for i := range 1100 { // more than an export reads at a time
		w.ok(w.site.Console.Audit(as, admin.Entry{Action: "note.add", Target: fmt.Sprint("wx", i), After: "山茶花, \"茶舍\"\n第二行"}))
	}
	csv := w.get("/admin/audit/export.csv?action=note.", cookie)
	text := csv.Body.String()
	if !strings.HasPrefix(text, "\ufeffseq,time,") || strings.Contains(text, "\n=") || strings.Contains(text, ",=") || !strings.Contains(text, ",'=cmd") {
		t.Errorf("the CSV begins %q", text[:min(300, len(text))])
	}
	if n := strings.Count(text, "note.add"); n != 1100 || !strings.Contains(csv.Header().Get("Content-Disposition"), "audit.csv") {
		t.Errorf("the CSV has %d rows, want 1100; %v", n, csv.Header())
	}
	prev := ""
	lines := strings.Split(strings.TrimSpace(w.get("/admin/audit/export.jsonl", cookie).Body.String()), "\n")
	for i := len(lines) - 1; i >= 0; i-- { // the newest is first
		var l auditLine
		w.ok(json.Unmarshal([]byte(lines[i]), &l))
		e := admin.Entry{Seq: l.Seq, At: time.UnixMilli(l.AtMs), ActorID: l.ActorID, Actor: l.Actor, Action: l.Action, Target: l.Target,
			Before: l.Before, After: l.After, Address: l.Address, RequestID: l.RequestID}
		if l.Prev != prev || e.Sum(prev) != l.Hash {
			t.Fatalf("line %d does not follow from the one before: %+v", i, l)
		}
		prev = l.Hash
	}
	if len(lines) < 1100 {
		t.Errorf("%d lines, want at least 1100", len(lines))
	}
	for _, path := range []string{"/admin/audit?from=yesterday", "/admin/audit/export.csv?until=2026-13-01"} {
		if got := w.get(path, cookie); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("GET %s = %d, want 422", path, got.Code)
		}
	}
	page := w.get("/admin/audit?action=note.&target=wx1099", cookie).Body.String()
	if !strings.Contains(page, "wx1099") || strings.Contains(page, ">wx1098<") {
		t.Error("the filter of the page shows other rows")
	}
	next := regexp.MustCompile(`href="(/admin/audit\?before=\d+)"`).FindStringSubmatch(w.get("/admin/audit", cookie).Body.String())
	if next == nil || !strings.Contains(w.get(next[1], cookie).Body.String(), "wx1049") {
		t.Errorf("the page of older rows: %v", next)
	}
}

func TestPlainCell(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "wx1": "wx1", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", " =1": "' =1",
		"\u3000=1": "'\u3000=1", "＝1": "'＝1", "|x": "'|x", "%x": "'%x", "a=1": "a=1", "山茶花": "山茶花", "'=1": "'=1", "\n=1": "'\n=1",
	} {
		if got := plainCell(in); got != want {
			t.Errorf("plainCell(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestAudit_Fallback holds that a handler that forgets the audit leaves a trace.
func TestAudit_Fallback(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	if got := w.get("/admin/admins", w.signedIn(admin.Viewer)); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "只读") {
		t.Errorf("a viewer at the admins = %d:\n%s", got.Code, got.Body)
	}
	if e, _ := w.lastAudit(); e.Action != "access.refuse" || e.Actor != "viewer" || e.Target != "GET /admin/admins" {
		t.Errorf("the refusal wrote %+v", e)
	}
	_ = cookie
}
