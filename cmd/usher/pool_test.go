//go:build unix

package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// TestPool_Exhaustion lets WeChat hang while 100 readers ask for tokens that have
// to be refreshed, far more than there are connections to PostgreSQL. No connection
// is held, and none is in a transaction, while WeChat is waited for; pushes are
// stored and answered as ever.
func TestPool_Exhaustion(t *testing.T) {
	t.Parallel()
	const readers = 100
	server := pgtest.Start(t)
	w := startAll(t, options{quiet: true, database: server.Database(t), simulator: func(c *simulator.Config) { c.Crowd = readers }})
	w.ticket()
	for i := range readers {
		if err := w.sim.AuthorizeSilently(t.Context(), simulator.CrowdAppID(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	w.faults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.Hang, Path: refreshCall}}})
	w.exec(`UPDATE account SET access_expires_at = 1`)
	before := w.sim.Calls(refreshCall)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			if _, _, err := w.svc.AccessToken(t.Context(), onboard.AppID(simulator.CrowdAppID(i))); err == nil {
				t.Error("a token is served although WeChat hangs")
			} else if kind, _ := onboard.Explain(err); kind != onboard.Unavailable {
				t.Errorf("AccessToken = %v, want unavailable", err)
			}
		})
	}
	for late := time.Now().Add(time.Minute); w.sim.Calls(refreshCall)-before < 20; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d refreshes hang, want 20", w.sim.Calls(refreshCall)-before)
		}
	}
	db, err := w.raw()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var took []time.Duration
	for i := range 100 {
		begun := time.Now()
		if status, answer := w.push(fmt.Sprintf("pool_%d", i), ""); status != http.StatusOK || answer != "success" {
			t.Errorf("a push is answered %d %q, want success", status, answer)
		}
		took = append(took, time.Since(begun))
		var held int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
			AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 second'`).Scan(&held); err != nil || held > 0 {
			t.Errorf("%d transactions are open and idle, %v", held, err)
		}
	}
	all.Wait()
	slices.Sort(took)
	t.Logf("pushes: half within %v, 99 %% within %v", took[50], took[98])
	if took[98] > time.Second && !raced {
		t.Errorf("99 %% of pushes took up to %v, want less than a second", took[98])
	}
}

// TestPG_RestartStorm kills PostgreSQL three times within seconds while tokens are
// refreshed and merchants withdraw and authorize, of a WeChat that is hostile. The
// site reconnects by itself; one sweep after WeChat has calmed down nothing is lost,
// nobody who withdrew is served and no dead token is kept.
func TestPG_RestartStorm(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	c := newCrash(t, habits[1], server.Database(t), 3)
	c.start("")
	c.ticket()
	for _, id := range crowd {
		c.authorize(id)
	}
	c.dealt()
	for round := range 3 {
		before := c.sim.Calls(refreshCall)
		c.due()
		c.eventually("a refresh", func() error {
			if c.sim.Calls(refreshCall) == before {
				return fmt.Errorf("none yet")
			}
			return nil
		})
		gone := make(chan error, 1)
		go func() { gone <- c.sim.Revoke(t.Context(), crowd[1+round]) }() // its push may meet a database that is not there
		server.Restart(t)
		c.forgetLeases()
		if err := <-gone; err != nil {
			t.Logf("the withdrawal of %s was not taken at once: %v", crowd[1+round], err)
		}
		path, link := c.attempt()
		redirect := c.consent(path, link, crowd[0])
		c.eventually("redirect", func() error {
			_, err := c.call(http.MethodGet, redirect, nil, 1)
			return err
		})
	}
	if !c.alive() {
		t.Fatal("the program ended when the database was away")
	}
	c.idleAfter()
	c.stop()
	c.check()
}

// idleAfter waits until nothing is left to do, a sweep included.
func (c *crash) idleAfter() {
	c.t.Helper()
	c.exec(`DELETE FROM setting WHERE name = 'swept_at'`)
	c.idle()
}
