package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// full makes every write to accounts fail, as a full disk does, until it is
// dropped.
const (
	full    = `CREATE TRIGGER full BEFORE INSERT ON account BEGIN SELECT RAISE(ABORT, 'full'); END`
	notFull = `DROP TRIGGER full`
)

// begin opens a store that the test closes itself.
func begin(t *testing.T, path string, ring *secret.Ring) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func exchangeOf(t *testing.T, s *store.Store, appID onboard.AppID) onboard.Arrived {
	t.Helper()
	code := "code of " + string(appID)
	claim, err := s.ClaimExchange(t.Context(), code, "", t0, t0.Add(time.Minute))
	if err != nil || !claim.Won {
		t.Fatalf("ClaimExchange = %+v, %v; want won", claim, err)
	}
	return onboard.Arrived{
		CodeHash: code, Fence: claim.Fence, AppID: appID, Grants: onboard.Grants{{ID: 1}, {ID: 18, Confirm: &onboard.Confirm{Need: true}}},
		Tokens: onboard.Tokens{Access: secret.New("canary-access"), Life: 2 * time.Hour, Refresh: secret.New("canary-refresh")},
		At:     t0, Standing: onboard.Active, DueAt: t0.Add(time.Hour), Now: t0, Verdict: onboard.Connected,
	}
}

// checkKept compares what is stored of an account with what exchangeOf made.
func checkKept(t *testing.T, s *store.Store, appID onboard.AppID) {
	t.Helper()
	a, err := s.Account(t.Context(), appID)
	if err != nil {
		t.Errorf("Account(%s) = %v", appID, err)
		return
	}
	c, err := s.Credentials(t.Context(), appID)
	if err != nil || c.Refresh.Reveal() != "canary-refresh" || c.Access.Reveal() != "canary-access" || !c.AccessExpiresAt.Equal(t0.Add(2*time.Hour)) ||
		a.Standing != onboard.Active || len(a.Grants) != 2 || a.Grants[1].Confirm == nil || !a.Grants[1].Confirm.Need || !a.AuthorizedAt.Equal(t0) {
		t.Errorf("account %s = %+v, %+v, %v; want what was kept", appID, a, c, err)
	}
}

// TestKeep_DatabaseRecovers: an answer that the database does not take is stored
// as soon as it takes something again, and the caller learns of that.
func TestKeep_DatabaseRecovers(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	a := exchangeOf(t, s, "wx1")
	if err := s.Write(t.Context(), nil, full); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.FinishExchange(t.Context(), a)
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("FinishExchange = %v while the database takes nothing, want it to wait", err)
	case <-time.After(150 * time.Millisecond): // it has been tried at least twice
	}
	if err := s.Write(t.Context(), nil, notFull); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("FinishExchange = %v, want nil", err)
	}
	checkKept(t, s, "wx1")
}

// TestKeep_CallerLeaves: the answer is stored although nobody waits for it any
// more.
func TestKeep_CallerLeaves(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	a := exchangeOf(t, s, "wx1")
	if err := s.Write(t.Context(), nil, full); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.FinishExchange(ctx, a); err == nil {
		t.Error("FinishExchange = nil while the database takes nothing, want its error")
	}
	if err := s.Write(t.Context(), nil, notFull); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := s.Account(t.Context(), "wx1"); err == nil {
			break
		} else if !errors.Is(err, onboard.ErrNoRow) || time.Now().After(late) {
			t.Fatalf("Account = %v, want what was kept", err)
		}
	}
	checkKept(t, s, "wx1")
}

// TestKeep_Spool: what the database never took is in the spool, sealed, and is
// stored at the next start, also when another worker took the claim over.
func TestKeep_Spool(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := begin(t, path, ring)
	if err := s.Write(t.Context(), nil, full); err != nil {
		t.Fatal(err)
	}
	appIDs := []onboard.AppID{"wx1", "wx2", "wx3"}
	var all []onboard.Arrived
	for _, id := range appIDs {
		a := exchangeOf(t, s, id)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := s.FinishExchange(ctx, a); err == nil {
			t.Fatal("FinishExchange = nil while the database takes nothing")
		}
		cancel()
		all = append(all, a)
	}
	// The claim of wx3 was lost meanwhile to one that found the code spent.
	claim, err := s.ClaimExchange(t.Context(), all[2].CodeHash, "", t0.Add(time.Hour), t0.Add(2*time.Hour))
	if err != nil || !claim.Won {
		t.Fatalf("ClaimExchange = %+v, %v", claim, err)
	}
	if err := s.FailExchange(t.Context(), all[2].CodeHash, claim.Fence, true, t0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path + ".spool")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"canary", "wx1", "Access"} {
		if strings.Contains(string(b), word) {
			t.Errorf("the spool shows %q", word)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(notFull); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = begin(t, path, ring)
	for _, id := range appIDs {
		checkKept(t, s, id)
	}
	claim, err = s.ClaimExchange(t.Context(), all[0].CodeHash, "", t0.Add(3*time.Hour), t0.Add(4*time.Hour))
	if err != nil || !claim.Done {
		t.Errorf("ClaimExchange after the replay = %+v, %v; want done", claim, err)
	}
	// A record is done once: a withdrawal after it stays.
	if _, err := s.SaveRevoked(t.Context(), "wx1", t0, t0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path, ring)
	if a, err := s.Account(t.Context(), "wx1"); err != nil || a.Standing != onboard.Revoked {
		t.Errorf("Account after another start = %+v, %v; want it revoked", a, err)
	}
}

// TestKeep_Refresh: the same for the tokens of a refresh.
func TestKeep_Refresh(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := begin(t, path, ring)
	var results []onboard.Refreshed
	for i := range 3 {
		id := onboard.AppID(fmt.Sprint("wx", i))
		if _, err := s.FinishExchange(t.Context(), exchangeOf(t, s, id)); err != nil {
			t.Fatal(err)
		}
		d, ok, err := s.ClaimAccount(t.Context(), id, t0, t0.Add(time.Minute))
		if err != nil || !ok {
			t.Fatalf("ClaimAccount = %v, %v", ok, err)
		}
		results = append(results, onboard.Refreshed{AppID: id, Fence: d.Fence, WasDueAt: d.DueAt, DueAt: t0.Add(3 * time.Hour), Now: t0,
			Tokens: onboard.Tokens{Access: secret.New("new"), Life: time.Hour, Refresh: secret.New(fmt.Sprint("rotated ", i))}})
	}
	if err := s.Write(t.Context(), nil, `CREATE TRIGGER full BEFORE UPDATE ON account BEGIN SELECT RAISE(ABORT, 'full'); END`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.SaveRefreshed(ctx, results); err == nil {
		t.Fatal("SaveRefreshed = nil while the database takes nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(notFull); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path, ring)
	for i, r := range results {
		c, err := s.Credentials(t.Context(), r.AppID)
		if want := fmt.Sprint("rotated ", i); err != nil || c.Refresh.Reveal() != want {
			t.Errorf("refresh token of %s = %v, %v; want %q", r.AppID, c.Refresh, err, want)
		}
	}
}

// TestOpen_GivesClaimsBack: after a crash the work of the dead process need not
// wait for the end of its leases. Nobody else can have the file.
func TestOpen_GivesClaimsBack(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := begin(t, path, ring)
	if _, err := s.FinishExchange(t.Context(), exchangeOf(t, s, "wx1")); err != nil {
		t.Fatal(err)
	}
	later := t0.Add(24 * time.Hour)
	exchangeOf(t, s, "wx2") // claimed and not finished
	if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: "d", ReceivedAt: t0}); err != nil {
		t.Fatal(err)
	}
	claim := func(s *store.Store) string {
		t.Helper()
		arrivals, err := s.ClaimArrivals(t.Context(), t0, later, 9, "")
		if err != nil {
			t.Fatal(err)
		}
		_, account, err := s.ClaimAccount(t.Context(), "wx1", t0, later)
		if err != nil {
			t.Fatal(err)
		}
		_, token, err := s.ClaimPlatformToken(t.Context(), t0, later)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(len(arrivals), account, token)
	}
	if got := claim(s); got != "1 true true" {
		t.Errorf("claims of the first process = %s, want all", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A note of a good end would be a lie after a crash.
	if err := os.Truncate(path+".lock", 0); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path, ring)
	if got := claim(s); got != "1 true true" {
		t.Errorf("claims after a crash = %s, want all", got)
	}
	if c, err := s.ClaimExchange(t.Context(), "code of wx2", "", t0, later); err != nil || !c.Won {
		t.Errorf("ClaimExchange after a crash = %+v, %v; want won", c, err)
	}
	if got := claim(s); got != "0 false false" {
		t.Errorf("claims while others hold them = %s, want none", got)
	}
}
