package onboard_test

import (
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestAccessToken_Waits: who reads a token that somebody else is refreshing gets what
// that brings, with no call of its own; and when it brings nothing, what a call of its
// own brings.
func TestAccessToken_Waits(t *testing.T) {
	for name, row := range map[string]struct {
		fault simulator.Fault
		calls int
		first bool // the first reader gets a token too
	}{
		"it comes":  {simulator.Fault{Kind: simulator.Latency, Delay: 5100 * time.Millisecond}, 1, true},
		"it is cut": {simulator.Fault{Kind: simulator.Hang, Delay: 5 * time.Second}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := newWorld(t)
				w.authorize(simulator.TeaHouse)
				w.pass(2*time.Hour - 30*time.Second) // still alive, but not for as long as it must be
				row.fault.Path, row.fault.Next = refreshPath, 1
				w.fault(row.fault, simulator.Fault{Kind: simulator.Latency, Delay: time.Second, Path: tokenPath})
				before := w.sim.Calls(refreshPath)
				first := make(chan error)
				go func() {
					_, _, err := w.svc.AccessToken(t.Context(), simulator.TeaHouse)
					first <- err
				}()
				synctest.Wait() // it holds the account now
				token, expires, err := w.svc.AccessToken(t.Context(), simulator.TeaHouse)
				if err != nil || !w.sim.Works(token.Reveal()) || expires.Sub(w.now()) < time.Hour {
					t.Errorf("the second reader got %v until %v, %v; want a fresh token that works", token, expires, err)
				}
				if err := <-first; (err == nil) != row.first {
					t.Errorf("the first reader got %v, want a token: %t", err, row.first)
				}
				if n := w.sim.Calls(refreshPath) - before; n != row.calls {
					t.Errorf("%d refreshes, want %d", n, row.calls)
				}
			})
		})
	}
}

// TestAccessToken_WaitsNotForEver: a process that holds an account and is gone makes
// nobody wait as long as its lease.
func TestAccessToken_WaitsNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t)
		w.authorize(simulator.TeaHouse)
		w.pass(2*time.Hour - 30*time.Second)
		if _, ok, err := w.db.ClaimAccount(t.Context(), simulator.TeaHouse, w.now(), w.now().Add(2*time.Minute)); err != nil || !ok {
			t.Fatalf("ClaimAccount = %t, %v", ok, err)
		}
		from := time.Now()
		token, _, err := w.svc.AccessToken(t.Context(), simulator.TeaHouse)
		if kind, _ := onboard.Explain(err); kind != onboard.Unavailable || !token.Empty() {
			t.Errorf("AccessToken = %v, %v; want Unavailable", token, err)
		}
		if took := time.Since(from); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("that took %v, want longer than a call to WeChat and not much longer", took)
		}
	})
}
