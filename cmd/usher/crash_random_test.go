//go:build unix

package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// crowd are the merchants of the random test. Each has a loop of its own.
var crowd = []string{simulator.TeaHouse, simulator.Takeaway, simulator.ServiceAccount, simulator.Subscription,
	simulator.OldAccount, simulator.Personal, simulator.MiniShop, simulator.ChannelsLive}

// TestCrash_RandomKill kills the program at any time while merchants authorize,
// change what they grant, and withdraw, and WeChat is hostile.
func TestCrash_RandomKill(t *testing.T) {
	withoutDetector(t)
	t.Parallel()
	for i, h := range habits {
		t.Run("SQLite/"+h.name, func(t *testing.T) {
			randomKills(t, newCrash(t, h, "", int64(i)), long("USHER_CRASH_KILLS", 4, 170))
		})
	}
}

// TestCrash_RandomKillPostgreSQL does the same with PostgreSQL, which is killed
// and started again as well.
func TestCrash_RandomKillPostgreSQL(t *testing.T) {
	withoutDetector(t)
	t.Parallel()
	server := pgtest.Start(t)
	c := newCrash(t, habits[1], server.Database(t), 7)
	kills := long("USHER_CRASH_KILLS_PG", 3, 200)
	c.restartDatabase = server.Restart
	randomKills(t, c, kills)
}

// randomKills kills the program n times under load and lets it come to rest.
func randomKills(t *testing.T, c *crash, n int) {
	random := rand.New(rand.NewPCG(uint64(c.seed), 2))
	c.start("")
	c.ticket()
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for i, appID := range crowd {
		load.Go(func() { c.merchant(ctx, i, appID) })
	}
	defer load.Wait()
	defer cancel()
	slowest := time.Duration(0)
	for i := range n {
		time.Sleep(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
		if err := c.child.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-c.child.ended
		if c.restartDatabase != nil && i%4 == 3 {
			c.restartDatabase(t)
		}
		begun := time.Now()
		c.revive()
		slowest = max(slowest, time.Since(begun))
		if i%50 == 49 {
			t.Logf("%d kills", i+1)
		}
	}
	cancel()
	load.Wait()
	c.ticket()
	c.idle()
	c.stop()
	c.check()
	if c.killed < n {
		t.Errorf("killed %d times, want %d", c.killed, n)
	}
	t.Logf("killed %d times, %d pushes acknowledged, %d codes; ready again after at most %v", c.killed, len(c.acked.digests()), c.codes, slowest)
}

// merchant authorizes, changes what it grants and withdraws, over and over, and
// ends authorized or not as it comes. A failure is the site's being dead.
func (c *crash) merchant(ctx context.Context, i int, appID string) {
	for n := 0; ctx.Err() == nil; n++ {
		c.lightly(i*1000+n, appID)
		select {
		case <-ctx.Done():
			return
		// Two events of one kind in one second would be one and the same push.
		case <-time.After(1100 * time.Millisecond):
		}
		truth, _ := c.sim.Account(appID)
		if !truth.Authorized {
			continue
		}
		switch n % 3 {
		case 0:
			_ = c.sim.Revoke(ctx, appID)
		case 1:
			c.count(appID)
			_ = c.sim.ChangePermissions(ctx, appID, truth.Permissions[:1+n%len(truth.Permissions)])
		}
	}
}

// lightly authorizes an account in as far as the site lives to see it.
func (c *crash) lightly(n int, appID string) {
	path, err := c.call(http.MethodPost, "/connect", url.Values{"auth_type": {"6"}}, n)
	if err != nil {
		return
	}
	link, err := c.call(http.MethodPost, path+"/pc", nil, n)
	if err != nil {
		return
	}
	redirect, err := c.sim.Consent(simulator.Consent{Link: link, AppID: appID})
	if err != nil {
		return
	}
	c.count(appID)
	_, _ = c.call(http.MethodGet, redirect, nil, n)
}
