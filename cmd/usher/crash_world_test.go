//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/wechat"
)

// crashProgram builds the program with its failpoints, once for all tests.
var crashProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-crash")
	if err != nil {
		return "", err
	}
	crashDir = dir
	path := filepath.Join(dir, "usher")
	out, err := exec.Command("go", "build", "-tags", "failpoint", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// crashDir is what TestMain removes.
var crashDir string

// TestMain fails when a goroutine outlives the tests.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			status = 1
		}
	}
	if crashDir != "" {
		_ = os.RemoveAll(crashDir)
	}
	os.Exit(status)
}

// A habit is how WeChat behaves where its documentation is silent.
type habit struct {
	name           string
	rotate, repush bool
}

var habits = []habit{
	{"plain", false, true},
	{"rotating", true, true},
	{"no re-push", false, false},
}

// crash is the real program in a process of its own, with WeChat's stand-in and a
// supervisor around it.
type crash struct {
	t         *testing.T
	habit     habit
	database  string // path or address
	listen    string
	env       []string
	sim       *simulator.Simulator
	raw       *sql.DB // beside the program's own connections
	client    *http.Client
	child     *child
	killed    int  // times the program was killed
	stillborn bool // its last run panicked before it served
	acked     acks // pushes that the program answered with success
	consents  []consent
	seed      int64
	faults    simulator.Faults // what WeChat does wrong unless it is calm
	spoiled   int              // calls that WeChat had spoiled when pauses were forgotten last

	counting sync.Mutex
	given    map[string]int // times an account was authorized
	codes    int            // authorization codes that WeChat gave out

	restartDatabase func(testing.TB) // nil when the database cannot be killed
}

// child is one run of the program.
type child struct {
	cmd   *exec.Cmd
	log   syncBuffer
	begun time.Time
	ended chan struct{} // closed when it is over
}

// newCrash prepares a world in which the program does not run yet and WeChat is
// hostile, until calm. Without a database it has a SQLite file of its own.
func newCrash(t *testing.T, h habit, database string, seed int64) *crash {
	t.Helper()
	seed = seedOf(t, seed)
	if _, err := crashProgram(); err != nil {
		t.Fatal(err)
	}
	c := &crash{t: t, habit: h, database: database, listen: freeAddress(t), given: map[string]int{}, seed: seed}
	if database == "" {
		c.database = filepath.Join(t.TempDir(), "usher.db")
	}
	base := "http://" + c.listen
	sim, err := simulator.New(simulator.Config{
		AppID: platformAppID, Secret: platformSecret, Token: pushToken, AESKey: pushKey,
		LaunchDomain: "127.0.0.1", EventURL: base + "/wechat/events", TicketOnDemand: true, Seed: seed,
		// WeChat's clock is behind ours: so it may be, and so no authorization is
		// too young for a sweep.
		Now:    func() time.Time { return time.Now().Add(-3 * time.Minute) },
		Client: &http.Client{Timeout: 5 * time.Second, Transport: &c.acked},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.sim = sim
	c.acked.open = pushOpener(t)
	c.faults = hostileFaults(seed, sim.Truth().Now)
	c.faults.Push.Retries, c.faults.Push.RetryPace = 3, 400*time.Millisecond
	if !h.repush { // it forgives nothing
		c.faults.Push.Duplicate, c.faults.Push.Retries = 0, 0
	}
	c.misbehave()
	sim.Change(func(o *simulator.Options) {
		o.RotateRefreshToken, o.RefreshGrace = h.rotate, 0
		o.DailyQuota = 1_000_000
	})
	wechat := httptest.NewServer(sim)
	sim.SetBaseURL(wechat.URL)
	ctx, cancel := context.WithCancel(context.Background())
	var pushing sync.WaitGroup
	pushing.Go(func() { sim.Run(ctx) })
	c.env = append(os.Environ(),
		"USHER_PUBLIC_URL="+base, "USHER_DATABASE="+c.database, "USHER_SECRET_KEY="+sealingKey,
		"USHER_COMPONENT_APPID="+platformAppID, "USHER_COMPONENT_SECRET="+platformSecret,
		"USHER_PUSH_TOKEN="+pushToken, "USHER_AES_KEY="+pushKey, "USHER_TRUSTED_PROXIES=127.0.0.1",
		"USHER_WECHAT_API="+wechat.URL, "USHER_WECHAT_PC="+wechat.URL, "USHER_WECHAT_H5="+wechat.URL,
		"USHER_LOG_FORMAT=json", "USHER_LOG_LEVEL=info", "GOMAXPROCS=2")
	driver, address := "sqlite", "file:"+c.database+"?_busy_timeout=5000"
	if strings.HasPrefix(c.database, "postgres") {
		driver, address = "pgx", c.database
	}
	if c.raw, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	c.raw.SetMaxOpenConns(1)
	c.client = &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() {
		if c.child != nil {
			_ = c.child.cmd.Process.Kill()
			<-c.child.ended
		}
		cancel()
		pushing.Wait()
		wechat.Close()
		if err := c.raw.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("WeChat is %s; calls %+v", h.name, sim.Truth().Calls)
			if c.child != nil {
				t.Logf("log of the last run:\n%s", &c.child.log)
			}
		}
	})
	return c
}

// misbehave lets WeChat be hostile; calm ends that. Pushes come late, twice and again
// in both cases, as the habit has it.
func (c *crash) misbehave() { c.setFaults(c.faults) }

func (c *crash) calm() { c.setFaults(simulator.Faults{Push: c.faults.Push}) }

// loseNothing lets pushes arrive; loseAll lets none arrive.
func (c *crash) loseNothing() {
	f := c.sim.Faults()
	f.Push = c.faults.Push
	c.setFaults(f)
}

func (c *crash) loseAll() {
	f := c.sim.Faults()
	f.Push = simulator.PushFaults{DropShare: 100}
	c.setFaults(f)
}

func (c *crash) setFaults(f simulator.Faults) {
	c.t.Helper()
	if err := c.sim.SetFaults(f); err != nil {
		c.t.Fatal(err)
	}
}

// start runs the program until it says that it listens, or ends.
func (c *crash) start(failpoints string) {
	c.t.Helper()
	c.child = c.launch(c.listen, failpoints)
}

// launch does so at an address.
func (c *crash) launch(listen, failpoints string) *child {
	c.t.Helper()
	program, err := crashProgram()
	if err != nil {
		c.t.Fatal(err)
	}
	ch := &child{begun: time.Now(), ended: make(chan struct{})}
	ch.cmd = exec.Command(program, "serve", "--listen", listen)
	ch.cmd.Env = append(c.env, "USHER_FAILPOINT="+failpoints)
	started := &notice{text: "\"started\"", seen: make(chan struct{})}
	ch.cmd.Stdout, ch.cmd.Stderr = &ch.log, tee{&ch.log, started}
	if err := ch.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		_ = ch.cmd.Wait() // the state tells
		close(ch.ended)
	}()
	select {
	case <-started.seen:
	case <-ch.ended:
	case <-time.After(5 * time.Minute):
		c.t.Fatalf("the program did not start:\n%s", &ch.log)
	}
	return ch
}

// tee writes to both; notice closes seen when text came by.
type tee struct {
	a, b interface{ Write([]byte) (int, error) }
}

func (w tee) Write(p []byte) (int, error) { _, _ = w.b.Write(p); return w.a.Write(p) }

type notice struct {
	text string
	once sync.Once
	seen chan struct{}
}

func (n *notice) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(n.text)) {
		n.once.Do(func() { close(n.seen) })
	}
	return len(p), nil
}

// acks takes note of the pushes that are answered with success, by their digests: the
// same push may come twice.
type acks struct {
	open func(query string, body []byte) (onboard.Push, error)

	mu    sync.Mutex
	seen  map[string]bool // by digest
	codes map[string]bool // the authorization codes in them
}

// consent is what a merchant agreed to.
type consent struct{ attempt, appID, code string }

// pushOpener opens pushes as the program does.
func pushOpener(t testing.TB) func(query string, body []byte) (onboard.Push, error) {
	t.Helper()
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: platformAppID, Token: pushToken, AESKey: pushKey})
	if err != nil {
		t.Fatal(err)
	}
	return (&wechat.Receiver{Cipher: crypt, AppID: platformAppID}).OpenPush
}

func (a *acks) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := pushTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK && string(body) == "success" {
		p, err := a.open(r.URL.RawQuery, sent)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		if a.seen == nil {
			a.seen, a.codes = map[string]bool{}, map[string]bool{}
		}
		a.seen[p.Digest], a.codes[p.Event.AuthCode.Reveal()] = true, true
		a.mu.Unlock()
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// told reports whether a push with this code was taken.
func (a *acks) told(code string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.codes[code]
}

// digests are those of the pushes so far.
func (a *acks) digests() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.seen)
}

// pushTransport makes a connection for each push: the site dies too often to keep any.
var pushTransport = &http.Transport{DisableKeepAlives: true}

// alive reports whether the program runs.
func (c *crash) alive() bool {
	select {
	case <-c.child.ended:
		return false
	default:
		return true
	}
}

// revive starts the program again if it was killed, or panicked before it served:
// what cannot begin ends. Any other end is a failure.
func (c *crash) revive() {
	c.t.Helper()
	if c.alive() {
		return
	}
	status, _ := c.child.cmd.ProcessState.Sys().(syscall.WaitStatus)
	log := c.child.log.String()
	c.stillborn = strings.Contains(log, " panic\n") && !strings.Contains(log, "\"started\"")
	if !c.stillborn && (!status.Signaled() || status.Signal() != syscall.SIGKILL) {
		c.t.Fatalf("the program ended by itself: %v\n%s", c.child.cmd.ProcessState, &c.child.log)
	}
	c.killed++
	c.misbehave()
	c.forgetLeases()
	c.start("")
}

// forgetLeases lets the claims of the dead run out on PostgreSQL, where another
// process could hold them, and the pauses after what WeChat refused on both engines:
// it saves the test from waiting for their ends. The claims on SQLite the program
// lets run out itself.
func (c *crash) forgetLeases() {
	c.t.Helper()
	postgres := strings.HasPrefix(c.database, "postgres")
	tables := `SELECT COUNT(*) = 2 FROM sqlite_master WHERE name IN ('arrival', 'platform_token')`
	if postgres {
		tables = `SELECT to_regclass('arrival') IS NOT NULL AND to_regclass('platform_token') IS NOT NULL`
	}
	var made bool
	for try := 1; ; try++ { // after a restart of the database the first tries meet dead connections
		err := c.raw.QueryRow(tables).Scan(&made)
		if err == nil {
			break
		}
		if try == 5 {
			c.t.Fatal(err)
		}
	}
	if !made {
		return
	}
	all := []string{`UPDATE arrival SET due_at = 0 WHERE outcome = ''`, `UPDATE account SET profile_tried_at = 0 WHERE profile_at = 0`}
	if postgres {
		all = append(all, `UPDATE exchange SET lease_until = 0 WHERE state = 'open'`, `UPDATE account SET lease_until = 0`, `UPDATE platform_token SET lease_until = 0`)
	}
	for _, text := range all {
		c.exec(text)
	}
	c.spoiled = c.sim.Spoiled("")
}

// exec changes the database behind the program's back. It may meet the last
// statements of a program that was just killed, and lose to them.
func (c *crash) exec(text string) {
	c.t.Helper()
	for try := 1; ; try++ {
		_, err := c.raw.Exec(text)
		if err == nil {
			return
		}
		if try == 5 {
			c.t.Fatalf("%s: %v", text, err)
		}
	}
}

// stop ends the program in order.
func (c *crash) stop() {
	c.t.Helper()
	if err := c.child.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.t.Fatal(err)
	}
	select {
	case <-c.child.ended:
	case <-time.After(5 * time.Minute):
		c.t.Fatalf("the program did not stop:\n%s", &c.child.log)
	}
	if !c.child.cmd.ProcessState.Success() {
		c.t.Fatalf("stopping: %v\n%s", c.child.cmd.ProcessState, &c.child.log)
	}
}

// eventually does step until it succeeds, and starts the program again whenever
// it was killed.
func (c *crash) eventually(what string, step func() error) {
	c.t.Helper()
	late := time.Now().Add(5 * time.Minute) // longer than several pauses after failures
	for {
		err := step()
		if err == nil {
			return
		}
		if time.Now().After(late) {
			c.t.Fatalf("%s: %v", what, err)
		}
		c.revive()
		time.Sleep(25 * time.Millisecond)
	}
}

// call makes one request as a browser at address n would and returns where it is
// sent on to.
func (c *crash) call(method, target string, form url.Values, n int) (location string, err error) {
	if strings.HasPrefix(target, "/") {
		target = "http://" + c.listen + target
	}
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.1", n/250%250, n%250))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("%s %s = %s", method, r.URL.Path, resp.Status)
	}
	return resp.Header.Get("Location"), nil
}

// ticket gives the program tickets until there is a platform token: with each, the
// program asks for one.
func (c *crash) ticket() {
	c.t.Helper()
	var next time.Time
	c.eventually("platform token", func() error {
		if time.Now().After(next) {
			if err := c.sim.PushTicket(context.Background()); err != nil {
				return err
			}
			next = time.Now().Add(time.Second)
		}
		return c.is(`SELECT COUNT(*) FROM platform_token WHERE value <> ''`, 1)
	})
}

// is reads a number and compares it.
func (c *crash) is(text string, want int) error {
	var got int
	if err := c.raw.QueryRow(text).Scan(&got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s = %d, want %d", text, got, want)
	}
	return nil
}

// visitors counts those who come from addresses of their own, which have a limit.
var visitors atomic.Int64

// attempt begins one and returns its path and the link to WeChat.
func (c *crash) attempt() (path, link string) {
	c.t.Helper()
	c.eventually("begin", func() (err error) {
		path, err = c.call(http.MethodPost, "/connect", url.Values{"auth_type": {"6"}}, int(visitors.Add(1)))
		return err
	})
	c.eventually("hand off", func() (err error) {
		link, err = c.call(http.MethodPost, path+"/pc", nil, int(visitors.Add(1)))
		if err == nil && !strings.Contains(link, "pre_auth_code=") {
			err = fmt.Errorf("sent to %s", link)
		}
		return err
	})
	return path, link
}

// consent agrees for an account; the push goes its way and the browser's way back
// is returned.
func (c *crash) consent(path, link, appID string) (redirect string) {
	c.t.Helper()
	redirect, err := c.sim.Consent(simulator.Consent{Link: link, AppID: appID})
	if err != nil {
		c.t.Fatal(err)
	}
	back, err := url.Parse(redirect)
	if err != nil || back.Query().Get("auth_code") == "" {
		c.t.Fatalf("WeChat sent the browser on without a code: %v", err)
	}
	c.consents = append(c.consents, consent{path[strings.LastIndex(path, "/")+1:], appID, back.Query().Get("auth_code")})
	c.count(appID)
	return redirect
}

// count notes that WeChat gave out a code for an account.
func (c *crash) count(appID string) {
	c.counting.Lock()
	defer c.counting.Unlock()
	c.given[appID]++
	c.codes++
}

// authorize brings one account in. A browser that meets a dead site reloads,
// unless this WeChat forgives nothing.
func (c *crash) authorize(appID string) {
	c.t.Helper()
	path, link := c.attempt()
	redirect := c.consent(path, link, appID)
	visit := func() error {
		_, err := c.call(http.MethodGet, redirect, nil, 1)
		return err
	}
	if c.habit.repush {
		c.eventually("redirect", visit)
	} else if err := visit(); err != nil {
		c.t.Logf("the redirect was lost: %v", err)
	}
}

// awaitKill waits until the program was killed once more than before.
func (c *crash) awaitKill(before int) {
	c.t.Helper()
	if c.killed > before {
		return
	}
	select {
	case <-c.child.ended:
		c.revive()
	case <-time.After(5 * time.Minute):
		c.t.Fatalf("the failpoint was not reached")
	}
}

// idle ends what WeChat does wrong and waits until the program has nothing left to
// do, and has compared WeChat's list since its start. Where WeChat has spoiled calls
// whose pauses are still in force, it takes one sweep more, which the next run begins with.
func (c *crash) idle() {
	c.t.Helper()
	c.calm()
	if c.sim.Spoiled("") > c.spoiled {
		c.stop()
		c.forgetLeases()
		c.start("")
	}
	c.quiet()
	c.eventually("sweep", func() error {
		var swept int64
		err := c.raw.QueryRow(`SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'swept_at'`).Scan(&swept)
		if begun := c.child.begun.UnixMilli(); err == nil && swept < begun {
			err = fmt.Errorf("last swept %d ms before the start", begun-swept)
		}
		return err
	})
	c.quiet()
}

// dealt waits until no arrival waits and no push is on its way.
func (c *crash) dealt() {
	c.t.Helper()
	c.eventually("no arrival waits", c.busy)
}

func (c *crash) busy() error {
	if !c.alive() {
		return errors.New("killed")
	}
	if n := c.sim.Truth().Pending; n > 0 {
		return fmt.Errorf("%d pushes are on their way", n)
	}
	return c.is(`SELECT COUNT(*) FROM arrival WHERE outcome = ''`, 0)
}

// quiet waits until besides nobody is due and every profile is read.
func (c *crash) quiet() {
	c.t.Helper()
	c.eventually("quiet", func() error {
		return errors.Join(c.busy(),
			c.is(fmt.Sprintf(`SELECT COUNT(*) FROM account WHERE due_at > 0 AND due_at <= %d`, time.Now().UnixMilli()), 0),
			c.is(`SELECT COUNT(*) FROM account WHERE standing = 'active' AND profile_at = 0`, 0))
	})
}
