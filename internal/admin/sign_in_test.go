package admin_test

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/admin"
)

func TestSession_IDChangesOnLogin(t *testing.T) {
	c := open(t, at(noon))
	c.owner(t, "陈晓")
	seen := map[string]bool{}
	for i := range 3 {
		in, err := c.SignIn(from(t.Context(), i), "陈晓", password)
		if err != nil {
			t.Fatal(err)
		}
		if seen[in.Token] || len(in.Token) < 43 {
			t.Errorf("sign-in %d: token of %d characters, seen before: %v", i, len(in.Token), seen[in.Token])
		}
		seen[in.Token] = true
	}
}

func TestSession_OldIDDead(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	me := c.owner(t, "owner")
	signIn := func() string {
		in, err := c.SignIn(from(t.Context(), 1), "owner", password)
		if err != nil {
			t.Fatal(err)
		}
		return in.Token
	}
	alive := func(token string) bool {
		_, _, err := c.Session(t.Context(), token)
		if err != nil && !errors.Is(err, admin.ErrSignedOut) {
			t.Fatal(err)
		}
		return err == nil
	}

	out := signIn()
	if err := c.SignOut(from(t.Context(), 1), out); err != nil || alive(out) {
		t.Errorf("after SignOut = %v the session is alive: %v", err, alive(out))
	}

	before := signIn()
	in, err := c.ChangePassword(as(t.Context(), me), password, password+" 2")
	if err != nil {
		t.Fatal(err)
	}
	if alive(before) || !alive(in.Token) || in.Token == before {
		t.Errorf("after a new password: old session alive %v, new alive %v", alive(before), alive(in.Token))
	}

	// Idle 30 minutes; used at 29 it goes on, but never beyond 12 hours.
	token := in.Token
	now = noon.Add(29 * time.Minute)
	if !alive(token) {
		t.Error("a session used for 29 minutes is dead")
	}
	for now.Before(noon.Add(admin.SessionLife - time.Minute)) {
		now = now.Add(29 * time.Minute)
		if now.Before(noon.Add(admin.SessionLife)) != alive(token) {
			t.Fatalf("at %v alive = %v", now.Sub(noon), alive(token))
		}
	}
	now = noon.Add(admin.SessionLife)
	if alive(token) {
		t.Error("a session is alive after 12 hours")
	}
}

func TestSession_IdleEnds(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	c.owner(t, "owner")
	in, err := c.SignIn(from(t.Context(), 1), "owner", password)
	if err != nil {
		t.Fatal(err)
	}
	now = noon.Add(admin.IdleLife)
	if _, _, err := c.Session(t.Context(), in.Token); !errors.Is(err, admin.ErrSignedOut) {
		t.Errorf("Session after %v without a request = %v, want ErrSignedOut", admin.IdleLife, err)
	}
}

func TestSession_RevokeAll(t *testing.T) {
	c := open(t, at(noon))
	me := c.owner(t, "owner")
	var tokens []string
	for i := range 4 {
		in, err := c.SignIn(from(t.Context(), i), "owner", password)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, in.Token)
	}
	mine, _, err := c.Session(t.Context(), tokens[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx := admin.With(t.Context(), admin.Actor{Admin: me, SessionID: mine.ID})
	if err := c.SignOutEverywhere(ctx, me.ID); err != nil {
		t.Fatal(err)
	}
	for i, token := range tokens {
		_, _, err := c.Session(t.Context(), token)
		if want := i == 0; (err == nil) != want {
			t.Errorf("session %d after all others were ended: %v", i, err)
		}
	}
	// Another admin's session is not one's own to end.
	other := c.owner(t, "other")
	if err := c.EndSession(as(t.Context(), other), mine.ID); key(err) == "" {
		t.Error("EndSession of another admin's session = nil, want NotFound")
	}
	if _, _, err := c.Session(t.Context(), tokens[0]); err != nil {
		t.Errorf("a session that another admin tried to end: %v", err)
	}
}

// TestLogin_UnknownUserSameTiming counts hashes instead of measuring: a name that
// does not exist costs the same one as a wrong password, and is told the same.
func TestLogin_UnknownUserSameTiming(t *testing.T) {
	c := open(t, at(noon))
	c.owner(t, "owner")
	if _, _, err := c.Create(t.Context(), "invited", admin.Viewer); err != nil { // has no password yet
		t.Fatal(err)
	}
	tests := []struct{ what, name, password string }{
		{"wrong password", "owner", "wrong wrong wrong"},
		{"unknown name", "nobody", password},
		{"no password chosen", "invited", password},
		{"empty password of somebody without one", "invited", ""},
		{"a password of a megabyte", "owner", strings.Repeat("x", 1<<20)},
	}
	for i, tt := range tests {
		before := c.HashesComputed()
		_, err := c.SignIn(from(t.Context(), i), tt.name, tt.password)
		if n := c.HashesComputed() - before; n != 1 || key(err) != admin.KeySignIn {
			t.Errorf("%s: %d hashes and %q, want 1 and %q", tt.what, n, key(err), admin.KeySignIn)
		}
	}
	// What was typed as an unknown name may be a password: it is not written down.
	rows, err := c.AuditRows(t.Context(), admin.Filter{Action: "session.refuse", Limit: 10})
	if err != nil || len(rows) != len(tests) {
		t.Fatalf("AuditRows = %d rows, %v; want %d", len(rows), err, len(tests))
	}
	for _, e := range rows {
		if strings.Contains(fmt.Sprint(e), "nobody") {
			t.Errorf("the audit holds a name that does not exist: %+v", e)
		}
	}
}

// TestLogin_DelayLadder climbs the ladder by one name, from a new network each time,
// which shows that the networks do not matter.
func TestLogin_DelayLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, nil)
		c.owner(t, "owner")
		network := 0
		try := func(name, password string) (admin.Entrance, error) {
			network++
			return c.SignIn(from(t.Context(), network), name, password)
		}
		climb := func(waits []time.Duration) {
			t.Helper()
			for i, wait := range waits {
				if _, err := try("owner", "wrong wrong wrong"); key(err) != admin.KeySignIn {
					t.Fatalf("failure %d = %v, want a wrong password", i+1, err)
				}
				if wait == 0 {
					continue
				}
				hashes := c.HashesComputed()
				in, err := try("ＯＷＮＥＲ ", password)
				if left := time.Until(in.RetryAt); key(err) != admin.KeySlowDown || left != wait {
					t.Fatalf("after %d failures = %v, wait %v; want to wait %v", i+1, err, left, wait)
				}
				if c.HashesComputed() != hashes {
					t.Error("a try that has to wait costs a hash")
				}
				if _, err := try("somebody else", password); key(err) != admin.KeySignIn {
					t.Errorf("another name = %v while one waits", err)
				}
				time.Sleep(wait)
			}
		}
		climb([]time.Duration{0, 0, 0, 0, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second,
			64 * time.Second, 128 * time.Second, 256 * time.Second, 512 * time.Second, 15 * time.Minute, 15 * time.Minute})
		// Never for ever: after the longest wait the right password counts, and ends it.
		if _, err := try("owner", password); err != nil {
			t.Fatalf("the right password after the wait = %v", err)
		}
		climb([]time.Duration{0, 0, 0, 0, 2 * time.Second})
		// A day of quiet is forgotten.
		time.Sleep(24 * time.Hour)
		climb([]time.Duration{0, 0, 0, 0, 2 * time.Second})
	})
}

// TestLogin_NoDenialOfService guesses at a name from ever new networks without end.
// The admin, at the usual desk, still gets in.
func TestLogin_NoDenialOfService(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	c.owner(t, "owner")
	const desk = 1
	if _, err := c.SignIn(from(t.Context(), desk), "owner", password); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		in, err := c.SignIn(from(t.Context(), 100+i), "owner", "guess guess guess")
		if key(err) == admin.KeySlowDown {
			now = in.RetryAt
			if in, err = c.SignIn(from(t.Context(), 200+i), "owner", "guess guess guess"); key(err) != admin.KeySignIn {
				t.Fatalf("guess %d = %v, %v", i, in.RetryAt, err)
			}
		}
	}
	if _, err := c.SignIn(from(t.Context(), 300), "owner", password); key(err) != admin.KeySlowDown {
		t.Errorf("a network nobody knows, while others guess = %v, want to wait", err)
	}
	if _, err := c.SignIn(from(t.Context(), desk), "owner", password); err != nil {
		t.Errorf("the usual desk, while others guess = %v", err)
	}
	// The desk has a ladder of its own.
	for range 5 {
		if _, err := c.SignIn(from(t.Context(), desk), "owner", "wrong wrong wrong"); key(err) != admin.KeySignIn {
			t.Fatal(err)
		}
	}
	if _, err := c.SignIn(from(t.Context(), desk), "owner", password); key(err) != admin.KeySlowDown {
		t.Errorf("the usual desk after 5 failures = %v, want to wait", err)
	}
}

// TestLogin_NetworkLadder guesses many names from one network.
func TestLogin_NetworkLadder(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	c.owner(t, "owner")
	for i := range 5 {
		if _, err := c.SignIn(from(t.Context(), 1), fmt.Sprint("name ", i), password); key(err) != admin.KeySignIn {
			t.Fatalf("failure %d = %v", i+1, err)
		}
	}
	if in, err := c.SignIn(from(t.Context(), 1), "owner", password); key(err) != admin.KeySlowDown || in.RetryAt.Sub(now) != 2*time.Second {
		t.Errorf("the network after 5 failures = %v, wait %v; want 2s", err, in.RetryAt.Sub(now))
	}
	if _, err := c.SignIn(from(t.Context(), 2), "owner", password); err != nil {
		t.Errorf("another network = %v", err)
	}
	// A success of one's own does not wipe out the guesses at others.
	now = now.Add(2 * time.Second)
	if _, err := c.SignIn(from(t.Context(), 1), "owner", password); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignIn(from(t.Context(), 1), "name 9", password); key(err) != admin.KeySignIn {
		t.Fatal(err)
	}
	if in, err := c.SignIn(from(t.Context(), 1), "owner", password); key(err) != admin.KeySlowDown || in.RetryAt.Sub(now) != 4*time.Second {
		t.Errorf("the network after 6 failures with a success between = %v, wait %v; want 4s", err, in.RetryAt.Sub(now))
	}
}

// TestLogin_200ParallelBoundedMemory checks the promise of 19 MiB for each processor:
// hundreds at once wait for their turn.
func TestLogin_200ParallelBoundedMemory(t *testing.T) {
	c := open(t, at(noon))
	c.owner(t, "owner")
	runtime.GC()
	inUse := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := inUse()
	var peak atomic.Uint64
	var all sync.WaitGroup
	hashes := c.HashesComputed()
	for i := range 200 {
		all.Go(func() {
			if _, err := c.SignIn(from(t.Context(), i), fmt.Sprint("name ", i), password); key(err) != admin.KeySignIn {
				t.Errorf("SignIn %d = %v", i, err)
			}
			for now := inUse(); ; { // while the others are at it
				if old := peak.Load(); now <= old || peak.CompareAndSwap(old, now) {
					break
				}
			}
		})
	}
	all.Wait()
	if n := c.HashesComputed() - hashes; n != 200 {
		t.Fatalf("%d hashes for 200 sign-ins", n)
	}
	// Each processor holds one at a time. What is done with is collected when the heap
	// has doubled, so the ceiling is twice that and some room; without turns it would
	// be 3800 MiB.
	ceiling := uint64(runtime.NumCPU()*2*19+64) << 20
	if took := peak.Load() - min(peak.Load(), before); took > ceiling {
		t.Errorf("200 sign-ins at once took %d MiB, want at most %d", took>>20, ceiling>>20)
	}
}

// TestSignIn_NFC signs in with the same text composed differently.
func TestSignIn_NFC(t *testing.T) {
	c := open(t, at(noon))
	if _, err := c.CreateWithPassword(t.Context(), "Zo\u00eb", "caf\u00e9 caf\u00e9 caf\u00e9", admin.Viewer); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignIn(from(t.Context(), 1), "zoe\u0308", "cafe\u0301 cafe\u0301 cafe\u0301"); err != nil {
		t.Errorf("SignIn with decomposed letters = %v", err)
	}
}
