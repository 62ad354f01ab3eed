package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"database/sql"
	"encoding/base32"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/store"
	"usher/internal/wechat"
)

// The console is tested with the real domain on a real database, and WeChat's
// stand-in behind it.

// ownersPassword signs in the owner; the other admins get their sessions directly.
const ownersPassword = "correct horse battery staplers"

const consolePlatform = "wx00000000000000ff"

// consoleWorld is the site with its console and one admin of each role.
type consoleWorld struct {
	testing.TB
	http.Handler
	site   *Server
	svc    *onboard.Service
	db     *store.Store
	path   string // of the database file
	sim    *simulator.Simulator
	log    *bytes.Buffer
	now    time.Time
	admins map[admin.Role]admin.Admin
	// recovery is a code that replaces the owner's authenticator, after turnOnTOTP.
	recovery string
}

// newConsole opens the site; change may alter the server before it starts.
func newConsole(t testing.TB, change func(*Server)) *consoleWorld {
	t.Helper()
	return newConsoleOn(t, filepath.Join(t.TempDir(), "usher.db"), change)
}

// newConsoleOn is newConsole on a new database, the path of a file or an address.
func newConsoleOn(t testing.TB, database string, change func(*Server)) *consoleWorld {
	t.Helper()
	w := &consoleWorld{TB: t, path: database, log: &bytes.Buffer{}, now: noon, admins: map[admin.Role]admin.Admin{}}
	ring, err := secret.ParseRing(secret.NewKey())
	w.ok(err)
	w.db, err = store.Open(t.Context(), store.Options{Database: w.path, Platform: consolePlatform, Ring: ring})
	w.ok(err)
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.sim, err = simulator.New(simulator.Config{
		AppID: consolePlatform, Secret: "secretsecretsecret", Token: "token", AESKey: strings.Repeat("k", 43),
		LaunchDomain: "open.example.com", EventURL: "http://127.0.0.1:1/wechat/events", TicketOnDemand: true, Seed: 1,
	})
	w.ok(err)
	weChat := httptest.NewServer(w.sim)
	t.Cleanup(weChat.Close)
	clock := func() time.Time { return w.now }
	console := admin.NewService(admin.Options{Store: w.db, Hasher: w.db.Hasher(), Now: clock})
	w.ok(console.Reload(t.Context()))
	w.svc = onboard.NewService(onboard.Options{
		AppID: consolePlatform, Store: w.db, Parse: wechat.ParseEvent, Fields: wechat.Fields, Hasher: w.db.Hasher(), Now: clock, PublicURL: "https://open.example.com",
		Platform: console.Observe(&wechat.Client{AppID: consolePlatform, Secret: secret.New("secretsecretsecret"), API: weChat.URL, PC: weChat.URL, H5: weChat.URL}),
		Rules:    func() onboard.Rules { return console.Settings().Rules() },
	})
	w.Handler, w.site, _ = site(t, w.svc, func(s *Server) {
		s.Console, s.Now = console, clock
		s.Reconcile = admin.NewReconciler(w.svc, console, slog.New(slog.DiscardHandler))
		s.Self = answered(func(r *http.Request) *http.Response {
			got := httptest.NewRecorder()
			w.ServeHTTP(got, r)
			return got.Result()
		})
		s.Log = slog.New(slog.NewTextHandler(w.log, nil))
		if change != nil {
			change(s)
		}
	})
	for _, role := range admin.Roles() {
		a := admin.Admin{ID: "ID" + string(role), Name: string(role), Role: role, Password: "$unknown", CreatedAt: noon, Version: 1}
		if role == admin.Owner {
			a = admin.Admin{}
			a, err = console.CreateWithPassword(t.Context(), string(role), ownersPassword, role)
			w.ok(err)
			a, err = console.Admin(t.Context(), a.ID)
			w.ok(err)
		} else {
			w.ok(w.db.CreateAdmin(t.Context(), a))
		}
		w.admins[role] = a
	}
	return w
}

func (w *consoleWorld) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// signedIn begins a session of an admin and returns the Cookie header for it.
func (w *consoleWorld) signedIn(role admin.Role) string {
	w.Helper()
	token := fmt.Sprintf("token of %s %d", role, time.Now().UnixNano())
	w.ok(w.db.SaveSession(w.Context(), admin.Session{
		ID: "S" + token, Hash: w.db.Hasher().Hash("admin session", token), AdminID: w.admins[role].ID,
		CreatedAt: w.now, SeenAt: w.now, EndsAt: w.now.Add(admin.SessionLife), Address: "192.0.2.1", Browser: "Test",
	}))
	return w.cookie(token)
}

// cookie is the header by which a browser shows a token.
func (w *consoleWorld) cookie(token string) string {
	w.Helper()
	session, err := w.site.adminSessions.store.New(httptest.NewRequest(http.MethodGet, "/", nil), w.site.adminSessions.name)
	w.ok(err)
	session.Values[idKey] = token
	answer := httptest.NewRecorder()
	w.ok(w.site.adminSessions.store.Save(httptest.NewRequest(http.MethodGet, "/", nil), answer, session))
	return strings.SplitN(answer.Header().Get("Set-Cookie"), ";", 2)[0]
}

// get and post ask for a page with a cookie; an empty one is somebody signed out.
func (w *consoleWorld) get(path, cookie string) *httptest.ResponseRecorder {
	return ask(w, http.MethodGet, path, "", "Cookie", cookie)
}

func (w *consoleWorld) post(path, cookie string, form url.Values) *httptest.ResponseRecorder {
	body := form.Encode()
	if body == "" {
		body = "_="
	}
	return ask(w, http.MethodPost, path, body, "Cookie", cookie)
}

// upload posts a form with a file in it.
func (w *consoleWorld) upload(path, cookie, field string, file []byte, values url.Values) *httptest.ResponseRecorder {
	w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, "upload.png")
	w.ok(err)
	_, err = part.Write(file)
	w.ok(err)
	for name, all := range values {
		for _, v := range all {
			w.ok(form.WriteField(name, v))
		}
	}
	w.ok(form.Close())
	r := httptest.NewRequest(http.MethodPost, path, io.Reader(&body))
	r.Host = "open.example.com"
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Cookie", cookie)
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer
}

// lastAudit is the newest row of the audit, and how many there are.
func (w *consoleWorld) lastAudit() (admin.Entry, int64) {
	w.Helper()
	rows, err := w.db.Audit(context.Background(), admin.Filter{Limit: 1})
	w.ok(err)
	if len(rows) == 0 {
		return admin.Entry{}, 0
	}
	return rows[0], rows[0].Seq
}

// turnOnTOTP gives the owner a second factor with one recovery code.
func (w *consoleWorld) turnOnTOTP() {
	w.Helper()
	a, err := w.site.Console.Admin(w.Context(), w.admins[admin.Owner].ID)
	w.ok(err)
	w.recovery = "ABCDEFGHIJKLMNOP"
	a.TOTP, a.Recovery = secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), []string{w.db.Hasher().Hash("admin recovery", a.ID+"\x00"+w.recovery)}
	w.ok(w.db.SaveAdmin(w.Context(), a))
}

// totp is the code that an authenticator with key shows at t (RFC 6238), written
// again here, so that a mistake in ours does not go unnoticed.
func totp(key string, t time.Time) string {
	raw, err := base32.StdEncoding.DecodeString(key)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, raw)
	step := t.Unix() / 30
	for shift := 56; shift >= 0; shift -= 8 {
		mac.Write([]byte{byte(step >> shift)})
	}
	sum := mac.Sum(nil)
	at := sum[19] & 15
	n := int(sum[at]&127)<<24 | int(sum[at+1])<<16 | int(sum[at+2])<<8 | int(sum[at+3])
	return fmt.Sprintf("%06d", n%1000000)
}

// execConsole changes the database as somebody with a shell could.
func execConsole(w *consoleWorld, text string) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?_pragma=busy_timeout(5000)")
	w.ok(err)
	defer db.Close()
	_, err = db.ExecContext(w.Context(), text)
	w.ok(err)
}

// decodeQR reads the text of a picture as a phone would.
func decodeQR(t testing.TB, picture []byte) string {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found.GetText()
}

// answered is a network on which one server answers.
type answered func(*http.Request) *http.Response

func (a answered) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }
