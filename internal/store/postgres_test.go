package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"usher/internal/onboard"
	"usher/internal/store"
)

// TestPostgreSQL_DroppedConnections: the server drops every connection, as in a
// restart or a failover. Nobody who comes afterwards notices.
func TestPostgreSQL_DroppedConnections(t *testing.T) {
	address := postgres.Start(t).Database(t)
	s := openAt(t, address, newRing(t))
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	for i := range 5 {
		if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: t0}); err != nil {
			t.Errorf("SaveArrival after dropping connections %d times = %v", i, err)
		}
		if _, err := s.ClaimOpened(t.Context(), "none", t0); err != nil {
			t.Errorf("ClaimOpened after dropping connections %d times = %v", i, err)
		}
		if _, err := c.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPostgreSQL_OpenTogether: several processes that start at once on a new
// database make one schema and one hash key.
func TestPostgreSQL_OpenTogether(t *testing.T) {
	address, ring := postgres.Start(t).Database(t), newRing(t)
	type opened struct {
		s   *store.Store
		err error
	}
	all := make(chan opened)
	const n = 4
	for range n {
		go func() {
			s, err := store.Open(t.Context(), store.Options{Database: address, Platform: platform, Ring: ring})
			all <- opened{s, err}
		}()
	}
	hashes := map[string]bool{}
	for range n {
		o := <-all
		if o.err != nil {
			t.Errorf("Open = %v", o.err)
			continue
		}
		hashes[o.s.Hasher().Hash("p", "v")] = true
		if err := o.s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(hashes) != 1 {
		t.Errorf("%d hash keys, want one", len(hashes))
	}
}

// TestPostgreSQL_Deadlock: two transactions that lock the same rows in opposite
// orders both succeed, because the one that PostgreSQL breaks off is done again.
func TestPostgreSQL_Deadlock(t *testing.T) {
	address, ring := postgres.Start(t).Database(t), newRing(t)
	a, b := openAt(t, address, ring), openAt(t, address, ring)
	for _, id := range []string{"1", "2"} {
		if err := a.SaveAttempt(t.Context(), onboard.Attempt{ID: id, PhoneCode: id}); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	both.Add(2)
	ended := make(chan error, 2)
	cross := func(s *store.Store, first, second string) {
		met := false
		ended <- s.Cross(t.Context(), func(exec func(string) error) error {
			if err := exec(`UPDATE attempt SET version = version + 1 WHERE id = '` + first + `'`); err != nil {
				return err
			}
			if !met { // the first time wait until both hold a row
				met = true
				both.Done()
				both.Wait()
			}
			return exec(`UPDATE attempt SET version = version + 1 WHERE id = '` + second + `'`)
		})
	}
	go cross(a, "1", "2")
	go cross(b, "2", "1")
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("a transaction that met a deadlock = %v", err)
		}
	}
	got, err := a.Strings(t.Context(), `SELECT CAST(version AS TEXT) FROM attempt ORDER BY id`)
	if err != nil || len(got) != 2 || got[0] != "2" || got[1] != "2" {
		t.Errorf("versions = %q, %v; want 2 and 2", got, err)
	}
}
