package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"usher/internal/simulator"
	"usher/internal/store"
)

// TestDatabase_DamagedWhileRunning damages the database in a way that the check at
// the start does not see. The check of every week does: the site says that it is not
// ready, and why, and goes on serving tokens; no backup is made of it. Once it is
// mended, the next check finds that too.
func TestDatabase_DamagedWhileRunning(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	w.readyz(`"status":"ok"`) // and checked, because nobody had
	w.eventually("the database was not checked", func(ctx context.Context) (bool, error) {
		checks, err := w.db.Checks(ctx)
		return strings.Contains(w.log.String(), `"the database is sound"`) && len(checks) > 0, err
	})

	w.exec(`DELETE FROM attempt`) // without a look at what refers to it
	w.again()                     // within the week: the start alone looks
	w.readyz(`"status":"ok"`)
	w.exec(`UPDATE health_check SET ok_at = 1 WHERE name = 'database'`) // a week passes
	w.again()
	w.readyz(`"reasons":["damaged"]`)
	if !strings.Contains(w.log.String(), "rows of handoff refer to rows that are not there") {
		t.Error("the log does not say what is damaged")
	}
	if token := w.token(simulator.TeaHouse); !w.sim.Works(token) {
		t.Error("the token is dead")
	}
	if _, err := store.Backup(t.Context(), storeOptions(t, string(w.cfg.Database)), filepath.Join(t.TempDir(), "backup.db")); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Backup = %v, want ErrDamaged", err)
	}

	w.exec(`DELETE FROM handoff`)
	w.again()
	w.readyz(`"status":"ok"`)
}

// readyz waits until the site says something of itself.
func (w *world) readyz(want string) {
	w.t.Helper()
	w.eventually("the site does not say "+want, func(context.Context) (bool, error) {
		resp, err := http.Get(w.base + "/readyz")
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return strings.Contains(string(body), want), err
	})
}
