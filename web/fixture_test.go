package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// The domain's service is what the pages ask for.
var _ Service = (*onboard.Service)(nil)

// oneAttempt answers as a service would that knows a single attempt. Whatever it
// does not define is not to be called: it panics.
type oneAttempt struct {
	Service
	read    func() (onboard.Attempt, error)
	handOff func() (string, error)
	push    func(onboard.Push) error
	found   bool // by Check
	account *onboard.Account
	known   *onboard.Account // by Known
	others  []onboard.OwnAccount
	partner bool // every browser with a session took part
	ready   onboard.Readiness
	changes chan struct{}
}

func (o oneAttempt) Attempt(context.Context, string) (onboard.Attempt, error)       { return o.read() }
func (o oneAttempt) PhoneAttempt(context.Context, string) (onboard.Attempt, error)  { return o.read() }
func (o oneAttempt) InviteAttempt(context.Context, string) (onboard.Attempt, error) { return o.read() }
func (o oneAttempt) Check(context.Context, string) (bool, error)                    { return o.found, nil }
func (o oneAttempt) PlatformAppID() onboard.AppID                                   { return "wx00000000000000ff" }
func (o oneAttempt) Ready(context.Context) onboard.Readiness                        { return o.ready }
func (o oneAttempt) Watch(string) (<-chan struct{}, func())                         { return o.changes, func() {} }

func (o oneAttempt) Known(context.Context, onboard.Attempt) (*onboard.Account, error) {
	return o.known, nil
}

func (o oneAttempt) Others(context.Context, string, onboard.AppID) ([]onboard.OwnAccount, error) {
	return o.others, nil
}

func (o oneAttempt) Picture(_ context.Context, hash string) ([]byte, error) {
	if hash != "aaaa" {
		return nil, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "none")
	}
	return []byte("\x89PNG"), nil
}

func (o oneAttempt) Opened(context.Context, string) error { return nil }

func (o oneAttempt) Result(context.Context, string) (onboard.Result, error) {
	a, err := o.read()
	return onboard.Result{Attempt: a, Account: o.account}, err
}

func (o oneAttempt) TookPart(_ context.Context, _ onboard.Attempt, session string) bool {
	return o.partner && session != ""
}

func (o oneAttempt) DashboardLink(context.Context, onboard.AppID) (secret.Secret, error) {
	return secret.New("dashboardtoken"), nil
}

func (o oneAttempt) RecentAttempts(context.Context, string) ([]onboard.Attempt, error) {
	return nil, nil
}

func (o oneAttempt) Dashboard(context.Context, string) (onboard.Dashboard, error) {
	_, err := o.read()
	return onboard.Dashboard{Account: onboard.Account{AppID: "wx0123456789abcdef", Standing: onboard.Active}}, err
}

func (o oneAttempt) HandOff(context.Context, string, onboard.Channel, string) (string, error) {
	return o.handOff()
}

func (o oneAttempt) ReceivePush(_ context.Context, p onboard.Push) error { return o.push(p) }

func (o oneAttempt) Redirected(context.Context, string, secret.Secret) (string, error) {
	a, err := o.read()
	return a.ID, err
}

func (o oneAttempt) Again(context.Context, string, string, string) (onboard.Attempt, error) {
	return o.read()
}

func (o oneAttempt) Begin(context.Context, onboard.Wish) (onboard.Attempt, error) { return o.read() }

// noon is when the tests happen.
var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// waiting is an attempt that was just begun.
func waiting() onboard.Attempt {
	return onboard.Attempt{
		ID: "abcdefghijklmnopqrstuvwxyz", PhoneCode: "7K3M9Q2X", InviteCode: "7K3M9Q2XAB",
		AuthType: onboard.MiniPrograms, Language: "zh-CN",
		CreatedAt: noon, ExpiresAt: noon.Add(onboard.DeskLife), Version: 1,
	}
}

// reading makes a service that knows a, or fails with err.
func reading(a onboard.Attempt, err error) oneAttempt {
	return oneAttempt{read: func() (onboard.Attempt, error) { return a, err }}
}

var testKeys = [][]byte{bytes.Repeat([]byte("h"), 32), bytes.Repeat([]byte("b"), 32)}

// site serves service at an https address, without a network; change may alter
// the server before it starts. The log of the site is returned as well.
func site(t testing.TB, service Service, change func(*Server)) (http.Handler, *Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s := &Server{
		Service: service, PublicURL: "https://open.example.com", SessionKeys: testKeys,
		FormTargets: []string{"https://mp.weixin.qq.com", "https://open.weixin.qq.com"},
		Receive: func(string, []byte) (onboard.Push, error) {
			return onboard.Push{}, errors.New("refused for a test")
		},
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Now: func() time.Time { return noon },
	}
	if change != nil {
		change(s)
	}
	h, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h, s, &log
}

// ask sends one request to h. header is pairs of name and value.
func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Host = "open.example.com"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// endless is a body that does not say how long it is.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

var _ io.Reader = endless{}
