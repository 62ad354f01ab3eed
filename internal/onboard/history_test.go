package onboard_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// number reads an environment variable, for tests that can be made longer.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// historiesAtOnce is how many accounts live through a history each in one world.
const historiesAtOnce = 100

// TestEvents_Order: merchants authorize, change what they grant and withdraw, in
// every order and at every distance. What WeChat pushes of it comes shuffled, up
// to three times or not at all (up to 30 % are lost), in between upkeep runs, and
// the API is as hostile as on the bad day. One sweep after that has ended the store
// agrees with WeChat for every account, and pushes that come once more change
// nothing. USHER_HISTORIES says how many histories there are and USHER_SEED where
// they begin.
func TestEvents_Order(t *testing.T) {
	many := 2000
	if testing.Short() || raced { // the gate runs it without the detector too
		many = 200
	}
	many = number("USHER_HISTORIES", many)
	seed := uint64(number("USHER_SEED", 1))
	t.Cleanup(func() { t.Logf("%d histories", many) })
	for done := 0; done < many; done += historiesAtOnce {
		seed := seed + uint64(done/historiesAtOnce) // of its own: it runs when the loop is over
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { histories(t, seed) })
			if t.Failed() {
				t.Logf("again with USHER_HISTORIES=%d USHER_SEED=%d", historiesAtOnce, seed)
			}
		})
	}
}

// told is a push on its way.
type told struct {
	query string
	body  []byte
}

// chronicle is what happened in one world.
type chronicle struct {
	*world
	random *rand.Rand
	pushes []told
	text   map[string][]string // what happened, by account
}

func histories(t *testing.T, seed uint64) {
	w, _ := newWorldOf(t, func(c *simulator.Config) { c.Crowd, c.Seed = historiesAtOnce, int64(seed) })
	c := &chronicle{world: w, random: rand.New(rand.NewPCG(seed, 5)), text: map[string][]string{}}
	rotate := c.random.IntN(2) == 0
	w.sim.Change(func(o *simulator.Options) {
		o.RotateRefreshToken, o.DailyQuota = rotate, 1_000_000
		if c.random.IntN(2) == 0 {
			o.RefreshGrace = 0
		}
	})
	w.intercept = func(query string, body []byte) { c.pushes = append(c.pushes, told{query, body}) }
	w.misbehave()
	lost := c.random.IntN(31)
	for range 6 { // rounds, in which most accounts do something
		for i := range historiesAtOnce {
			c.happen(simulator.CrowdAppID(i))
		}
		if c.random.IntN(2) == 0 {
			c.arrive(lost)
		}
	}
	c.arrive(lost)
	c.rest()
	if w.sim.Spoiled("") == 0 {
		t.Error("WeChat was never hostile")
	}
	c.calm()
	swept, err := w.svc.Sweep(t.Context())
	w.ok(err)
	if swept.Failures > 0 {
		t.Errorf("Sweep = %+v, want no failures", swept)
	}
	w.ok(w.svc.KeepFresh(t.Context()))
	c.compare("after one sweep")
	for _, p := range c.pushes { // WeChat sends everything again, the lost ones too
		w.ok(w.receive(t.Context(), p.query, p.body))
	}
	c.rest()
	w.ok(w.svc.KeepFresh(t.Context()))
	c.compare("after everything came again")
}

// happen lets one account do something, or nothing.
func (c *chronicle) happen(appID string) {
	truth, _ := c.sim.Account(appID)
	// Events of the same second, the same minute and the same day.
	c.pass([]time.Duration{0, 0, 0, 300 * time.Millisecond, time.Second, 20 * time.Second}[c.random.IntN(6)])
	ctx := context.Background()
	sets := []int{17, 18, 25}[:1+c.random.IntN(3)]
	var what string
	var err error
	switch n := c.random.IntN(10); {
	case n < 3:
		return
	case !truth.Authorized || n < 6:
		what, err = "authorize", c.sim.AuthorizeSilently(ctx, appID, sets)
	case n < 8:
		what, err = "change", c.sim.ChangePermissions(ctx, appID, sets)
	default:
		what, err = "withdraw", c.sim.Revoke(ctx, appID)
	}
	c.ok(err)
	c.text[appID] = append(c.text[appID], fmt.Sprintf("%s %v at %v", what, sets, c.now().Format("15:04:05.000")))
}

// arrive delivers what is on its way, in no order, some of it more than once, and
// some never. Upkeep runs in between.
func (c *chronicle) arrive(lost int) {
	c.t.Helper()
	var due []told
	for _, p := range c.pushes {
		if c.random.IntN(100) < lost {
			continue
		}
		for range 1 + c.random.IntN(3) {
			due = append(due, p)
		}
	}
	if c.random.IntN(4) > 0 {
		c.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	}
	for _, p := range due {
		c.ok(c.receive(c.t.Context(), p.query, p.body))
		if c.random.IntN(40) == 0 {
			c.ok(c.svc.HandleArrivals(c.t.Context()))
			c.pass(time.Duration(c.random.IntN(5000)) * time.Millisecond)
		}
	}
}

// rest lets time pass until nothing waits.
func (c *chronicle) rest() {
	c.t.Helper()
	for range 20 {
		c.ok(c.svc.HandleArrivals(c.t.Context()))
		h, err := c.db.Health(c.t.Context(), c.now())
		c.ok(err)
		if h.Parked > 0 {
			c.t.Errorf("%d arrivals are parked", h.Parked)
		}
		c.pass(11 * time.Minute) // longer than anything waits for another try
		if h.Waiting == 0 {
			return
		}
	}
	c.t.Error("arrivals still wait after hours")
}

// compare holds every account against the truth.
func (c *chronicle) compare(when string) {
	c.t.Helper()
	for i := range historiesAtOnce {
		id := simulator.CrowdAppID(i)
		truth, _ := c.sim.Account(id)
		if differs := c.differs(id, truth); differs != "" {
			c.t.Errorf("%s: %s %s\n\t%s", when, id, differs, strings.Join(c.text[id], "\n\t"))
		}
	}
}

func (c *chronicle) differs(id string, truth simulator.TrueAccount) string {
	a, err := c.db.Account(c.t.Context(), onboard.AppID(id))
	if !truth.Authorized {
		if err == nil && a.Standing != onboard.Revoked {
			return fmt.Sprintf("is %q, want revoked", a.Standing)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("is lost: %v", err)
	}
	held, err := c.db.Credentials(c.t.Context(), onboard.AppID(id))
	var sets []int
	for _, g := range a.Grants {
		sets = append(sets, int(g.ID))
	}
	switch {
	case err != nil:
		return fmt.Sprintf("has no tokens: %v", err)
	case a.Standing != onboard.Active:
		return fmt.Sprintf("is %q, want active", a.Standing)
	case held.Refresh.Reveal() != truth.RefreshToken:
		return "has another refresh token than WeChat"
	case c.now().Before(held.AccessExpiresAt) && !c.sim.Works(held.Access.Reveal()):
		return "has an access token that WeChat refuses"
	case fmt.Sprint(sets) != fmt.Sprint(truth.Permissions):
		return fmt.Sprintf("granted %v, want %v", sets, truth.Permissions)
	}
	return ""
}
