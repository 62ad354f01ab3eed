//go:build unix

package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// TestRestore_PostgreSQL goes by the manual: pg_dump while the site runs, pg_restore
// into an empty database, then the command that lets nothing of it be trusted. A
// merchant withdrew and one was given another token since the dump.
func TestRestore_PostgreSQL(t *testing.T) {
	server := pgtest.Start(t)
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(name); err != nil {
			pgtest.Missing(t, err)
		}
	}
	w := startAll(t, options{quiet: true, database: server.Database(t), simulator: func(c *simulator.Config) {
		c.Now = func() time.Time { return time.Now().Add(-3 * time.Minute) } // no authorization is too young for a sweep
	}})
	w.ticket()
	for _, id := range []string{simulator.TeaHouse, simulator.Takeaway, simulator.Personal} {
		w.merchant(anyMini()).agree(id)
		w.deliver()
	}
	dump := filepath.Join(t.TempDir(), "usher.dump")
	tool := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %s = %v\n%s", name, args, err, out)
		}
	}
	tool("pg_dump", "--format=custom", "--file="+dump, string(w.cfg.Database))
	if err := w.sim.Revoke(t.Context(), simulator.Takeaway); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.ReplaceRefreshToken(simulator.Personal); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Database = config.Database(server.Database(t)) // of another server, after a disk was lost
	tool("pg_restore", "--clean", "--if-exists", "--dbname="+string(w.cfg.Database), dump)
	if status, out := w.shell("restore", "--after-pg-restore"); status != 0 || !strings.Contains(out, "once it has compared") {
		t.Fatalf("usher restore --after-pg-restore = %d:\n%s", status, out)
	}
	w.restart()
	w.eventually("the site never compares WeChat's list", func(ctx context.Context) (bool, error) {
		state, err := w.db.SweepState(ctx)
		return !state.Unverified, err
	})
	for _, id := range []string{simulator.TeaHouse, simulator.Personal} {
		if !w.sim.Works(w.token(id)) {
			t.Errorf("a token of %s is served that WeChat refuses", id)
		}
		w.holds(id)
	}
	if a, err := w.db.Account(t.Context(), simulator.Takeaway); err != nil || a.Standing != onboard.Revoked {
		t.Errorf("Account = %s, %v; want it revoked, as WeChat has it", a.Standing, err)
	}
}
