package onboard_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/store"
	"usher/internal/wechat"
)

const ourAppID = "wx00000000000000aa"

// world is a service on a real store, with WeChat's stand-in behind a transport
// without sockets. All of them go by one clock, which the test moves.
type world struct {
	t   *testing.T
	svc *onboard.Service
	db  *store.Store
	sim *simulator.Simulator

	path   string // of the database
	client *edited
	rate   float64 // of upkeep in calls per second; 0: as fast as can be

	passed atomic.Int64 // nanoseconds since begun
	set    atomic.Int64 // by which the service's clock is ahead of WeChat's
	// intercept, when set, gets WeChat's pushes instead of the service.
	intercept func(query string, body []byte)
	receiver  *wechat.Receiver
}

var begun = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func (w *world) now() time.Time { return begun.Add(time.Duration(w.passed.Load())) }

// ours is the service's clock.
func (w *world) ours() time.Time { return w.now().Add(time.Duration(w.set.Load())) }

func (w *world) pass(d time.Duration) { w.passed.Add(int64(d)) }

// edited is WeChat with its list changed on the way.
type edited struct {
	*wechat.Client
	list func([]onboard.Authorizer) []onboard.Authorizer
}

func (e *edited) Authorizers(ctx context.Context, token secret.Secret, offset, count int) ([]onboard.Authorizer, int, error) {
	rows, total, err := e.Client.Authorizers(ctx, token, offset, count)
	if err == nil && e.list != nil {
		was := len(rows)
		rows = e.list(rows)
		total += len(rows) - was
	}
	return rows, total, err
}

func newWorld(t *testing.T) (*world, *edited) { return newWorldOf(t, nil) }

// newCrowdedWorld has Mini Programs beside the named merchants, and a database
// with a key that the test knows.
func newCrowdedWorld(t *testing.T, crowd int, key string) (*world, *edited) {
	return newWorldWith(t, key, func(c *simulator.Config) { c.Crowd = crowd })
}

// newWorldOf lets change alter the stand-in.
func newWorldOf(t *testing.T, change func(*simulator.Config)) (*world, *edited) {
	return newWorldWith(t, secret.NewKey(), change)
}

func newWorldWith(t *testing.T, key string, change func(*simulator.Config)) (*world, *edited) {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "usher.db")}
	keys := msgcrypt.Keys{AppID: ourAppID, Token: "pushtoken", AESKey: strings.Repeat("A", 43)}
	crypt, err := msgcrypt.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	w.receiver = &wechat.Receiver{Cipher: crypt, AppID: ourAppID}
	cfg := simulator.Config{
		AppID: ourAppID, Secret: "platformsecret", Token: keys.Token, AESKey: keys.AESKey, LaunchDomain: "site.test",
		EventURL: "http://site.test/wechat/events", BaseURL: "http://wechat.test", TicketOnDemand: true, Seed: int64(number("USHER_SEED", 1)), Now: w.now,
		Client: &http.Client{Transport: pushed(func(r *http.Request, body []byte) error {
			if w.intercept != nil {
				w.intercept(r.URL.RawQuery, body)
				return nil
			}
			return w.receive(r.Context(), r.URL.RawQuery, body)
		})},
	}
	if change != nil {
		change(&cfg)
	}
	if w.sim, err = simulator.New(cfg); err != nil {
		t.Fatal(err)
	}
	w.client = &edited{Client: &wechat.Client{AppID: ourAppID, Secret: secret.New("platformsecret"), API: "http://wechat.test", PC: "http://wechat.test",
		H5: "http://wechat.test", HTTP: &http.Client{Transport: w.sim.Transport(), Timeout: 10 * time.Second}}}
	w.begin(key)
	t.Cleanup(func() {
		if w.db != nil {
			w.end()
		}
	})
	w.ticket()
	return w, w.client
}

// begin starts the service with a key; end stops it.
func (w *world) begin(key string) {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), w.options(key))
	w.ok(err)
	w.db = db
	rate := w.rate
	if rate == 0 {
		rate = 1e6
	}
	w.svc = onboard.NewService(onboard.Options{AppID: ourAppID, Store: w.db, Platform: w.client, Parse: wechat.ParseEvent,
		Hasher: w.db.Hasher(), Now: w.ours, PublicURL: "http://site.test", RefreshRate: rate})
}

func (w *world) end() {
	w.t.Helper()
	w.svc.Wait()
	w.ok(w.db.Close())
	w.db = nil
}

func (w *world) options(key string) store.Options {
	w.t.Helper()
	ring, err := secret.ParseRing(key)
	w.ok(err)
	return store.Options{Database: w.path, Platform: ourAppID, Ring: ring}
}

// ticket brings a fresh one.
func (w *world) ticket() {
	w.t.Helper()
	w.ok(w.sim.PushTicket(w.t.Context()))
	w.ok(w.svc.HandleArrivals(w.t.Context()))
}

// receive hands a push to the service.
func (w *world) receive(ctx context.Context, query string, body []byte) error {
	p, err := w.receiver.OpenPush(query, body)
	if err != nil {
		return err
	}
	return w.svc.ReceivePush(ctx, p)
}

// pushed takes WeChat's pushes.
type pushed func(r *http.Request, body []byte) error

func (p pushed) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = p(r, body)
	}
	status, text := http.StatusOK, "success"
	if err != nil {
		status, text = http.StatusInternalServerError, ""
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// authorize brings accounts in by a push.
func (w *world) authorize(appIDs ...string) {
	w.t.Helper()
	for _, id := range appIDs {
		w.ok(w.sim.AuthorizeSilently(w.t.Context(), id, nil))
	}
	w.ok(w.svc.HandleArrivals(w.t.Context()))
	for _, id := range appIDs {
		w.agrees(id)
	}
}

// untold does what no push tells.
func (w *world) untold(do func() error) {
	w.t.Helper()
	w.ok(w.sim.SetFaults(simulator.Faults{Push: simulator.PushFaults{DropShare: 100}}))
	w.ok(do())
	w.ok(w.sim.SetFaults(simulator.Faults{}))
}

// misbehave lets WeChat's API be as hostile as on the bad day, whose outage begins
// within an hour. Pushes are left to the test. Waits have their full length, so this
// belongs into a bubble.
func (w *world) misbehave() {
	w.t.Helper()
	f := simulator.HostileFaults()
	f.Push = simulator.PushFaults{}
	f.Outage.After = w.now().Sub(w.now().Truncate(f.Outage.Every)) + time.Duration(w.sim.Truth().Seed*7%50)*time.Minute
	w.ok(w.sim.SetFaults(f))
}

// calm ends that.
func (w *world) calm() { w.ok(w.sim.SetFaults(simulator.Faults{})) }

// agrees compares one account with the truth.
func (w *world) agrees(appID string) {
	w.t.Helper()
	truth, _ := w.sim.Account(appID)
	a, err := w.db.Account(w.t.Context(), onboard.AppID(appID))
	switch {
	case err != nil:
		w.t.Errorf("Account(%s) = %v; authorized is %v", appID, err, truth.Authorized)
		return
	case !truth.Authorized:
		if a.Standing != onboard.Revoked {
			w.t.Errorf("%s is %s, want revoked", appID, a.Standing)
		}
		return
	}
	c, err := w.db.Credentials(w.t.Context(), onboard.AppID(appID))
	if err != nil || a.Standing != onboard.Active || c.Refresh.Reveal() != truth.RefreshToken || c.Access.Reveal() != truth.AccessToken || len(a.Grants) != len(truth.Permissions) {
		w.t.Errorf("%s is %s with %d grants, %v, %v; want it active with %d grants and WeChat's tokens",
			appID, a.Standing, len(a.Grants), c.Refresh, err, len(truth.Permissions))
	}
}

const (
	listPath    = "/cgi-bin/component/api_get_authorizer_list"
	refreshPath = "/cgi-bin/component/api_authorizer_token"
	infoPath    = "/cgi-bin/component/api_get_authorizer_info"
)
