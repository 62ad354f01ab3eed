package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"usher/internal/onboard"
	"usher/internal/store"
	"usher/internal/store/pgtest"
	"usher/internal/store/storetest"
)

// postgres serves all tests of the package; each has a database of its own.
var postgres pgtest.Shared

// TestMain fails when a goroutine outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	err := postgres.Stop()
	if code == 0 {
		err = errors.Join(err, goleak.Find())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "after the tests:", err)
		code = 1
	}
	os.Exit(code)
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t testing.TB) []onboard.Store {
		return []onboard.Store{openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))}
	})
}

func TestPostgreSQL(t *testing.T) {
	// All tests share one database, each as a platform of its own: what one of
	// them leaves there must not be seen by another.
	address, n := postgres.Start(t).Database(t), 0
	storetest.Run(t, func(t testing.TB) []onboard.Store {
		ring := newRing(t)
		n++
		stores := make([]onboard.Store, 2)
		for i := range stores {
			stores[i] = open(t, store.Options{Database: address, Platform: onboard.AppID(fmt.Sprintf("wx%016x", n)), Ring: ring})
		}
		return stores
	})
}
