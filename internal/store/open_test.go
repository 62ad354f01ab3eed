package store_test

import (
	"testing"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

const platform = onboard.AppID("wx00000000000000aa")

func newRing(t testing.TB) *secret.Ring {
	t.Helper()
	r, err := secret.ParseRing(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// open opens a store and closes it with the test.
func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return s
}

func openAt(t testing.TB, database string, ring *secret.Ring) *store.Store {
	t.Helper()
	return open(t, store.Options{Database: database, Platform: platform, Ring: ring})
}
