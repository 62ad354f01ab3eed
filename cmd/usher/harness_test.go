package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/store"
)

// The platform of the journeys, as registered with the stand-in for WeChat.
const (
	platformAppID  = "wx00000000000000aa"
	platformSecret = "canarysecret5f2b8c91d04e7a36"
	pushToken      = "canarytoken7e1"
	pushKey        = "canarykeyabcdefghijklmnopqrstuvwxyz01234567"
	sealingKey     = "Y2FuYXJ5c2VhbGluZ2tleTAxMjM0NTY3ODlhYmNkZWY="
)

// options of startAll. The zero value is a site with a database of its own and a
// stand-in for WeChat that pushes by itself.
type options struct {
	database  string                  // default: a new file
	quiet     bool                    // the stand-in pushes only when the test calls PushTicket, Deliver and the like
	hostile   bool                    // the stand-in is, until w.faults says otherwise
	config    func(*config.Config)    // changes the settings
	simulator func(*simulator.Config) // changes the stand-in
	now       func() time.Time        // the site's clock
	host      func() time.Time        // that of the site's machine
	still     bool                    // no job has a turn but those that the test takes itself
}

// manyAddresses lets every request name the address that it comes from, as a proxy
// would: many merchants, and many pages, stay within limits that are for one each.
func manyAddresses(c *config.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

// engine makes the options of a quiet world with a new database of one kind.
type engine func(*testing.T) options

// sqlite is the engine of a file.
func sqlite(*testing.T) options { return options{quiet: true} }

// world is the running program with WeChat around it.
type world struct {
	t        *testing.T
	base     string // address of the site as browsers see it, without a slash at the end
	address  string // host:port the site listens on
	sim      *simulator.Simulator
	svc      *onboard.Service
	db       *store.Store
	cfg      config.Config
	log      *syncBuffer
	wire     *wire      // between the site and WeChat
	browsers []*browser // made by browser
	logger   *slog.Logger
	now      func() time.Time
	stopSite func() error // stops the site in order and returns what run returned
}

// startAll starts the site with a real database and WeChat's stand-in, each on a
// port of its own, and stops both at the end of the test.
func startAll(t *testing.T, o options) *world {
	t.Helper()
	site, wechat := listenLocal(t), listenLocal(t)
	cfg := config.Config{
		PublicURL: "http://" + site.Addr().String(),
		Database:  config.Database(o.database),
		SecretKey: config.Hide(sealingKey),
		AppID:     platformAppID, Secret: config.Hide(platformSecret),
		PushToken: config.Hide(pushToken), AESKey: config.Hide(pushKey),
		WeChatAPI: "http://" + wechat.Addr().String(), WeChatPC: localhost(wechat), WeChatH5: localhost(wechat),
		TokenParam: "access_token", Brand: "Usher",
	}
	if o.database == "" {
		cfg.Database = config.Database(filepath.Join(t.TempDir(), "data", "usher.db"))
	}
	if o.config != nil {
		o.config(&cfg)
	}
	w := &world{t: t, base: cfg.PublicURL, address: site.Addr().String(), cfg: cfg, log: &syncBuffer{}, wire: &wire{}}
	w.logger, w.now = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), o.now
	simCfg := simulator.Config{
		AppID: platformAppID, Secret: platformSecret, Token: pushToken, AESKey: pushKey,
		LaunchDomain: cfg.Host(), EventURL: "http://" + site.Addr().String() + "/wechat/events", BaseURL: localhost(wechat),
		TicketOnDemand: o.quiet, Seed: 1,
	}
	if o.hostile {
		simCfg.Seed = seedOf(t, 1)
	}
	if o.simulator != nil {
		o.simulator(&simCfg)
	}
	sim, err := simulator.New(simCfg)
	if err != nil {
		t.Fatal(err)
	}
	w.sim = sim
	if o.hostile {
		w.misbehave()
	}
	w.serveSimulator(wechat, !o.quiet)
	t.Cleanup(w.keptSecrets) // after the site has stopped
	p := program{cfg: cfg, log: w.logger, listener: site, now: o.now, host: o.host}
	if o.still {
		p.jobs = func(*onboard.Service, *admin.Service) map[string]job { return nil }
	}
	w.serveSite(p)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the site:\n%s", w.log)
		}
	})
	return w
}

// serveSimulator answers for WeChat; pushing also runs its pushes.
func (w *world) serveSimulator(ln net.Listener, pushing bool) {
	// Without a time-out for headers, which cuts off a connection that was made for
	// later, just when it is used.
	server := &http.Server{Handler: w.wire.tap(w.sim)}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			w.t.Errorf("the stand-in for WeChat ended: %v", err)
		}
	})
	if pushing {
		all.Go(func() { w.sim.Run(ctx) })
	}
	w.t.Cleanup(func() {
		cancel()
		server.Close()
		all.Wait()
	})
}

// serveSite runs p until stopSite or the end of the test.
func (w *world) serveSite(p program) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan struct{})
	var result error
	p.ready = func(svc *onboard.Service, db *store.Store) {
		w.svc, w.db = svc, db
		close(ready)
	}
	go func() {
		result = p.run(ctx)
		close(ended)
	}()
	w.stopSite = func() error {
		cancel()
		<-ended
		return result
	}
	w.t.Cleanup(func() {
		if err := w.stopSite(); err != nil {
			w.t.Errorf("run = %v after it was told to stop, want nil", err)
		}
	})
	select {
	case <-ready:
	case <-ended:
		w.t.Fatalf("run = %v before it was ready", result)
	}
}

// storeOptions open a database as the site does.
func storeOptions(t testing.TB, database string) store.Options {
	t.Helper()
	ring, err := secret.ParseRing(sealingKey)
	if err != nil {
		t.Fatal(err)
	}
	return store.Options{Database: database, Platform: platformAppID, Ring: ring}
}

// again stops the site and starts it, whose jobs all have a turn then.
func (w *world) again() {
	w.t.Helper()
	if err := w.stopSite(); err != nil {
		w.t.Fatal(err)
	}
	w.restart()
}

// restart starts the site again at the same address with the same database, after
// stopSite.
func (w *world) restart() {
	w.t.Helper()
	w.restartWith(func(*program) {})
}

// restartWith is restart with a change of the program.
func (w *world) restartWith(change func(*program)) {
	w.t.Helper()
	ln, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	p := program{cfg: w.cfg, log: w.logger, listener: ln, now: w.now}
	change(&p)
	w.serveSite(p)
}

// Ports of the tests are below those that the system hands out, and each run of the
// tests has a thousand of its own, so that nobody takes the one of a program that is
// between two lives. Whoever listens on the first has the others.
var (
	firstPort = sync.OnceValue(func() net.Listener {
		for port := 20000; port < 30000; port += 1000 {
			if ln, err := listenOn(port); err == nil {
				return ln
			}
		}
		return nil
	})
	portsUsed atomic.Int64
)

func listenOn(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// listenLocal takes a free port.
func listenLocal(t testing.TB) net.Listener {
	t.Helper()
	first := firstPort()
	if first == nil {
		t.Fatal("ten runs of these tests at once are too many")
	}
	for range 999 {
		if ln, err := listenOn(first.Addr().(*net.TCPAddr).Port + 1 + int(portsUsed.Add(1)%999)); err == nil {
			return ln
		}
	}
	t.Fatalf("no free port above %s", first.Addr())
	return nil
}

// freeAddress is of a free port, for another program.
func freeAddress(t testing.TB) string {
	t.Helper()
	ln := listenLocal(t)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// ticket gives the site its first ticket and waits until it is dealt with.
func (w *world) ticket() {
	w.t.Helper()
	if err := w.sim.PushTicket(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// deliver sends the pushes that wait and lets the site deal with them.
func (w *world) deliver() {
	w.t.Helper()
	if err := w.sim.Deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// settle waits until the site has dealt with everything it has stored.
func (w *world) settle() {
	w.t.Helper()
	w.eventually("arrivals still wait", func(ctx context.Context) (bool, error) {
		if err := w.svc.HandleArrivals(ctx); err != nil {
			return false, err
		}
		h, err := w.db.Health(ctx, time.Now())
		return h.Waiting == 0, err // a worker of the site may hold the rest
	})
}

// profiled waits until the site knows more of an account than its AppID, which
// it reads after the tokens are safe.
func (w *world) profiled(appID string) {
	w.t.Helper()
	w.eventually("no profile of "+appID, func(ctx context.Context) (bool, error) {
		a, err := w.db.Account(ctx, onboard.AppID(appID))
		return err == nil && !a.ProfileAt.IsZero(), err
	})
}

// eventually waits for what a worker of the site does in its own time.
func (w *world) eventually(otherwise string, done func(context.Context) (bool, error)) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	for {
		ok, err := done(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatal(otherwise)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// phoneURL is the address behind the QR code of a desk page.
func (w *world) phoneURL(desk *browser) string {
	w.t.Helper()
	return w.base + mustFind(w.t, `/q/[0-9A-Z]{8}`, desk.body)
}

// mustFind returns the first match of pattern in text.
func mustFind(t *testing.T, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindString(text)
	if found == "" {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return found
}
