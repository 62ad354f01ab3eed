package store_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/store"
)

// TestForget: the key is lost. What it sealed is listed, then removed; the rest
// stays, and no token is served before a sweep.
func TestForget(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := begin(t, database, newRing(t))
		plant(t, s)
		a, err := s.AttemptByPhoneCode(t.Context(), "none")
		if !errors.Is(err, onboard.ErrNoRow) {
			t.Fatal(a, err)
		}
		if err := errors.Join(s.SaveAttempt(t.Context(), onboard.Attempt{ID: "id", PhoneCode: "code", InviteCode: "invite", CreatedAt: t0, ExpiresAt: t0}), s.Close()); err != nil {
			t.Fatal(err)
		}
		o := store.Options{Database: database, Platform: platform, Ring: newRing(t)}
		opens := func() error { return openAndClose(t, database, o.Ring) }
		for range 2 { // looking changes nothing
			f, err := store.Forget(t.Context(), o, false, t0)
			if err != nil || len(f.Values) != len(store.SealedPlaces()) || !f.Hashes || !slices.Equal(f.Credentials, []string{string(admin.ComponentSecret)}) || !slices.Equal(f.SecondFactors, []string{"Ann"}) {
				t.Errorf("Forget = %+v, %v; want everything that was planted", f, err)
			}
			if err := opens(); !errors.Is(err, store.ErrWrongKey) {
				t.Errorf("Open = %v, want ErrWrongKey", err)
			}
		}
		if f, err := store.Forget(t.Context(), o, true, t0); err != nil || !f.Any() {
			t.Fatalf("Forget = %+v, %v", f, err)
		}
		if f, err := store.Forget(t.Context(), o, false, t0); err != nil || f.Any() {
			t.Errorf("Forget afterwards = %+v, %v; want nothing", f, err)
		}
		s = open(t, o)
		if state, err := s.SweepState(t.Context()); err != nil || !state.Unverified {
			t.Errorf("SweepState = %+v, %v; want it unverified", state, err)
		}
		held, err := s.Holdings(t.Context())
		if err != nil || len(held) != 2 {
			t.Fatalf("Holdings = %+v, %v; want both accounts", held, err)
		}
		for _, h := range held {
			c, err := s.Credentials(t.Context(), h.AppID)
			if err != nil || h.Damaged || h.Standing != onboard.Active || !h.Refresh.Empty() || !c.Access.Empty() {
				t.Errorf("%+v, %+v, %v; want it active without a token", h, c, err)
			}
		}
		person, err := s.AdminByID(t.Context(), "a")
		if err != nil || !person.TOTP.Empty() || len(person.Recovery) > 0 || person.Role != admin.Owner {
			t.Errorf("AdminByID = %+v, %v; want an owner without a second factor", person, err)
		}
		if all, err := s.PlatformSecrets(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("PlatformSecrets = %v, %v; want none", all, err)
		}
		if a, err := s.AttemptByInviteCode(t.Context(), "invite"); err != nil || a.ID != "id" {
			t.Errorf("AttemptByInviteCode = %+v, %v; want the invite kept", a, err)
		}
		if got, err := s.ClaimArrivals(t.Context(), t0.Add(1e12), t0.Add(2e12), 9, ""); err != nil || len(got) != 0 {
			t.Errorf("ClaimArrivals = %+v, %v; want none that cannot be read", got, err)
		}
		// Links to dashboards can be made again.
		if err := s.SaveLink(t.Context(), onboard.DashboardLink{Hash: "h2", AppID: "wx1", CreatedAt: t0}); err != nil {
			t.Errorf("SaveLink = %v", err)
		}
	})
}

// TestForget_OneValue: while the key is there, only what is damaged goes.
func TestForget_OneValue(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := begin(t, path, ring)
	plant(t, s)
	if err := errors.Join(s.Write(t.Context(), nil, `UPDATE admin SET totp = substr(totp, 1, 20) || 'AAAA' || substr(totp, 25)`), s.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := store.Forget(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}, true, t0)
	if err != nil || len(f.Values) != 1 || f.Hashes || len(f.Credentials) > 0 {
		t.Errorf("Forget = %+v, %v; want one value", f, err)
	}
	s = openAt(t, path, ring)
	if c, err := s.Credentials(t.Context(), "wx1"); err != nil || c.Refresh.Empty() {
		t.Errorf("Credentials = %+v, %v; want them kept", c, err)
	}
	if all, err := s.Sessions(t.Context(), "a"); err != nil || len(all) != 1 {
		t.Errorf("%d sessions, %v; want it kept", len(all), err)
	}
}

// TestForget_Running: nothing is wiped under a program that runs.
func TestForget_Running(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	openAt(t, path, newRing(t))
	if _, err := store.Forget(t.Context(), store.Options{Database: path, Platform: platform, Ring: newRing(t)}, true, t0); !errors.Is(err, store.ErrLocked) {
		t.Errorf("Forget = %v, want ErrLocked", err)
	}
}
