package store_test

import (
	"path/filepath"
	"testing"
	"time"

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

// openAt opens a database and closes it with the test.
func openAt(t testing.TB, database string, ring *secret.Ring) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Database: database, Platform: platform, Ring: ring})
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

func TestSmoke(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "data", "usher.db"), newRing(t))
	isNew, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: "d", ReceivedAt: time.Now(), Payload: secret.New("x")})
	if !isNew || err != nil {
		t.Fatal(isNew, err)
	}
	got, err := s.ClaimArrivals(t.Context(), time.Now(), time.Now().Add(time.Minute), 10, "")
	if err != nil || len(got) != 1 || got[0].Payload.Reveal() != "x" {
		t.Fatal(got, err)
	}
	h, err := s.Health(t.Context(), time.Now())
	t.Log(h, err)
}
