package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store"
)

// TestDay_Calm runs the whole program through 24 hours of its own clock with
// 1,000 accounts that all authorize within the first minutes. Every token that is
// read works at WeChat and lives for at least another minute; upkeep costs little
// more than it must and never comes in a herd. With the race detector, under which
// it takes five times as long, there are 200 accounts and three hours.
func TestDay_Calm(t *testing.T) {
	if testing.Short() {
		t.Skip("a day takes about 20 seconds")
	}
	if raced {
		t.Skip("the detector watches TestDay_Hostile")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, 1)
		const long = 24 * time.Hour
		d.live(long)
		d.judge(long)
		if peak := d.peak(); peak > crowdSize*6/100 {
			t.Errorf("%d refreshes in one minute, want at most 6%% of %d accounts", peak, crowdSize)
		}
	})
}

// TestDay_Hostile is the same on a bad day: of the calls to WeChat 5 % are refused,
// 2 % never answered, 2 % answered with garbage, 1 % cut off and 3 % answered too
// late; once nothing answers for 19 minutes; pushes come twice and overtake one
// another. Nobody who reads a token notices, but where cutOff explains it. USHER_DAYS
// makes it longer, as 90, and USHER_SEED another one.
func TestDay_Hostile(t *testing.T) {
	if testing.Short() {
		t.Skip("a day takes about a minute")
	}
	t.Parallel()
	seed := int64(long("USHER_SEED", 1, 1))
	days := long("USHER_DAYS", 1, 90)
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("again with USHER_SEED=%d", seed)
			}
		})
		d := newDay(t, seed)
		faults := simulator.HostileFaults()
		long := time.Duration(days) * 24 * time.Hour
		if raced {
			long, faults.Outage.After = 3*time.Hour, time.Hour
		}
		if err := d.sim.SetFaults(faults); err != nil {
			t.Fatal(err)
		}
		d.live(long)
		d.judge(long)
		d.flagged()
		t.Logf("%d of %d reads gave a token that a lost answer had replaced just before an outage", d.lost, d.reads)
		if d.lost*1000 > d.reads {
			t.Error("that is more than one in a thousand")
		}
	})
}

// day is a site with a crowd of merchants in the bubble of a test.
type day struct {
	t   *testing.T
	svc *onboard.Service
	db  *store.Store
	sim *simulator.Simulator

	mu        sync.Mutex
	perMinute map[int64]int // calls for a refresh by the minute they were made in

	reads int
	lost  int // reads that cutOff explains
	said  recent
}

// recent keeps the newest lines of a log.
type recent struct {
	mu    sync.Mutex
	lines []string
}

func (r *recent) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) >= 20_000 {
		r.lines = slices.Clone(r.lines[len(r.lines)/2:])
	}
	r.lines = append(r.lines, string(line))
	return len(line), nil
}

// about returns the lines in which text stands.
func (r *recent) about(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.DeleteFunc(slices.Clone(r.lines), func(line string) bool { return !strings.Contains(line, text) }), "")
}

// newDay starts the program and authorizes everybody.
func newDay(t *testing.T, seed int64) *day {
	// A bubble begins in the year 2000, when WeChat's timestamps had nine digits.
	time.Sleep(time.Until(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)))
	d := &day{t: t, perMinute: map[int64]int{}}
	ln := newPipes()
	pushes := ln.transport()
	sim, err := simulator.New(simulator.Config{
		AppID: platformAppID, Secret: platformSecret, Token: pushToken, AESKey: pushKey,
		LaunchDomain: "127.0.0.1", EventURL: "http://127.0.0.1/wechat/events", BaseURL: "http://wechat.test",
		Crowd: crowdSize, Seed: seed, Client: &http.Client{Transport: pushes, Timeout: 5 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.sim = sim
	sim.Change(func(o *simulator.Options) { o.DailyQuota = 50 * crowdSize })
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	var all sync.WaitGroup
	p := program{
		cfg: config.Config{
			PublicURL: "http://127.0.0.1", Database: config.Database(filepath.Join(t.TempDir(), "usher.db")), SecretKey: config.Hide(sealingKey),
			AppID: platformAppID, Secret: config.Hide(platformSecret), PushToken: config.Hide(pushToken), AESKey: config.Hide(pushKey),
			WeChatAPI: "http://wechat.test", WeChatPC: "http://wechat.test", WeChatH5: "http://wechat.test", TokenParam: "access_token",
		},
		log: slog.New(slog.NewTextHandler(&d.said, nil)), listener: ln, now: time.Now, wechat: counted{d, sim.Transport()},
		ready: func(svc *onboard.Service, db *store.Store) {
			d.svc, d.db = svc, db
			close(ready)
		},
	}
	all.Go(func() {
		if err := p.run(ctx); err != nil {
			t.Errorf("run = %v", err)
		}
	})
	<-ready
	all.Go(func() { sim.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
		pushes.CloseIdleConnections()
	})
	d.authorizeAll()
	return d
}

// authorizeAll brings every account in by a link of its own and WeChat's push.
func (d *day) authorizeAll() {
	d.t.Helper()
	ctx := d.t.Context()
	for deadline := time.Now().Add(time.Hour); !d.svc.Ready(ctx).OK; time.Sleep(time.Second) { // of the bubble
		if time.Now().After(deadline) {
			d.t.Fatalf("not ready after an hour: %v; pushes %+v", d.svc.Ready(ctx).Reasons, d.sim.Truth().Pushes)
		}
	}
	var all sync.WaitGroup
	next := make(chan string)
	for range 32 {
		all.Go(func() {
			for appID := range next {
				if err := d.authorize(ctx, appID); err != nil {
					d.t.Errorf("authorize %s: %v", appID, err)
				}
			}
		})
	}
	for i := range crowdSize {
		next <- simulator.CrowdAppID(i)
	}
	close(next)
	all.Wait()
	for i := range crowdSize {
		for {
			_, _, err := d.svc.AccessToken(ctx, onboard.AppID(simulator.CrowdAppID(i)))
			if err == nil {
				break
			}
			if e, ok := errors.AsType[*onboard.Error](err); !ok || e.Kind != onboard.NotFound {
				d.t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
	}
}

func (d *day) authorize(ctx context.Context, appID string) error {
	a, err := d.svc.Begin(ctx, onboard.Wish{AuthType: onboard.MiniPrograms, Wanted: []onboard.PermissionID{18}})
	if err != nil {
		return err
	}
	link, err := d.svc.HandOff(ctx, a.ID, onboard.H5, appID)
	if err != nil {
		return err
	}
	_, err = d.sim.Consent(simulator.Consent{Link: link, AppID: appID})
	return err
}

// live lets the time pass and reads a token about once a second.
func (d *day) live(long time.Duration) {
	d.t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(d.reads)))
	for end := time.Now().Add(long); time.Now().Before(end); d.reads++ {
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
		appID := simulator.CrowdAppID(random.IntN(crowdSize))
		token, expires, err := d.svc.AccessToken(d.t.Context(), onboard.AppID(appID))
		fail := func(format string, args ...any) {
			d.t.Fatalf("AccessToken(%q) at %v: %s\n%s", appID, time.Now(), fmt.Sprintf(format, args...), d.said.about(appID))
		}
		switch left := time.Until(expires); {
		case err != nil:
			fail("%v", err)
		case !d.sim.Works(token.Reveal()) && d.cutOff(appID, token.Reveal()):
			d.lost++
		case !d.sim.Works(token.Reveal()):
			fail("a token that WeChat refuses")
		case left < time.Minute:
			fail("a token that lives for %v", left)
		}
	}
}

// judge compares the number of refreshes in a time with the ideal: one for each token,
// asked for 40 minutes before its end, which is about the middle of the time at which
// upkeep aims so that WeChat may be away for a while. A token lives two hours, so
// that is one in 80 minutes.
func (d *day) judge(long time.Duration) {
	d.t.Helper()
	calls := 0
	for _, n := range d.perMinute {
		calls += n
	}
	ideal := int(crowdSize * long / (80 * time.Minute))
	d.t.Logf("%d reads; %d refreshes, %.3f × the ideal %d; at most %d in a minute", d.reads, calls, float64(calls)/float64(ideal), ideal,
		d.peak())
	if calls > ideal*5/4 {
		d.t.Errorf("%d calls for refreshes, want at most 1.25 × %d", calls, ideal)
	}
}

// cutOff explains a token that WeChat refuses: WeChat had replaced it, the answer
// was lost, and before we could ask again the day's outage began, in which the five
// minutes ended for which the old one goes on working. Nobody can know that.
func (d *day) cutOff(appID, token string) bool {
	truth, _ := d.sim.Account(appID)
	o := d.sim.Faults().Outage
	if o.For == 0 {
		return false
	}
	in := time.Duration(time.Now().UnixNano() % int64(o.Every))
	return truth.AccessToken != token && in >= o.After && in < o.After+o.For+2*time.Minute
}

// flagged looks for merchants that would be asked to scan again.
func (d *day) flagged() {
	d.t.Helper()
	held, err := d.db.Holdings(d.t.Context())
	if err != nil || len(held) != crowdSize {
		d.t.Errorf("%d accounts are held, %v; want %d", len(held), err, crowdSize)
	}
	for _, h := range held {
		if h.Standing != onboard.Active {
			d.t.Errorf("%s is %s, want active", h.AppID, h.Standing)
		}
	}
}

// peak is the largest number of refreshes in a minute.
func (d *day) peak() int { return slices.Max(slices.Collect(maps.Values(d.perMinute))) }

// counted counts the refreshes on their way to WeChat.
type counted struct {
	d    *day
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == refreshCall {
		c.d.mu.Lock()
		c.d.perMinute[time.Now().Unix()/60]++
		c.d.mu.Unlock()
	}
	return c.next.RoundTrip(r)
}
