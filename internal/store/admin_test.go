package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/store"
	"usher/internal/store/storetest"
)

func TestSQLite_Admin(t *testing.T) {
	storetest.RunAdmin(t, func(t testing.TB) []admin.Store {
		return []admin.Store{openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))}
	})
}

func TestPostgreSQL_Admin(t *testing.T) {
	address, n := postgres.Start(t).Database(t), 0
	storetest.RunAdmin(t, func(t testing.TB) []admin.Store {
		ring := newRing(t)
		n++
		stores := make([]admin.Store, 2)
		for i := range stores {
			stores[i] = open(t, store.Options{Database: address, Platform: onboard.AppID(fmt.Sprintf("wy%016x", n)), Ring: ring})
		}
		return stores
	})
}
