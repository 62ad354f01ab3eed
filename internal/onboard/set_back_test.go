package onboard_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestClock_Jumps sets our clock forward and back by up to three hours at any time,
// while WeChat's goes on. No token is ever served that WeChat refuses, a minute
// later everything is served again, and nothing waits for a time that does not come.
func TestClock_Jumps(t *testing.T) {
	seeds := uint64(4)
	if raced { // the gate runs it without the detector too
		seeds = 1
	}
	for seed := range seeds {
		w, _ := newWorldOf(t, func(c *simulator.Config) { c.Crowd = 10 })
		random := rand.New(rand.NewPCG(seed, 3))
		w.authorize(crowdOf(9)...)
		w.ok(w.svc.KeepTime(t.Context()))
		for range 30 {
			w.pass(time.Duration(random.Int64N(int64(time.Hour))))
			w.keepTicket()
			w.upkeep(2 * time.Minute)
			w.ok(w.svc.KeepTime(t.Context())) // every few seconds in the program
			w.set.Add(random.Int64N(int64(6*time.Hour)) - int64(3*time.Hour))
			w.ok(w.svc.KeepTime(t.Context()))
			for _, id := range crowdOf(9) {
				w.serves(id)
			}
			w.keepTicket()
			w.upkeep(2 * time.Minute)
			for _, id := range crowdOf(9) {
				if !w.serves(id) {
					t.Fatalf("seed %d: %s is not served two minutes after the clock was set", seed, id)
				}
			}
		}
		w.ok(w.sim.AuthorizeSilently(t.Context(), simulator.CrowdAppID(9), nil))
		w.upkeep(2 * time.Minute)
		for _, id := range crowdOf(10) {
			if a, err := w.db.Account(t.Context(), onboard.AppID(id)); err != nil || a.Standing != onboard.Active {
				t.Errorf("seed %d: %s is %s, %v; want active", seed, id, a.Standing, err)
			}
		}
	}
}

// TestClock_SetBack sets our clock back by three hours once. By what was written
// down, the tokens in hand would live for five more hours.
func TestClock_SetBack(t *testing.T) {
	w, _ := newWorldOf(t, nil)
	w.authorize(simulator.TeaHouse)
	w.ok(w.svc.KeepTime(t.Context()))
	w.serves(simulator.TeaHouse)
	w.set.Add(-int64(3 * time.Hour))
	w.ok(w.svc.KeepTime(t.Context()))
	for range 24 {
		w.keepTicket()
		w.upkeep(10 * time.Minute)
		if !w.serves(simulator.TeaHouse) {
			t.Errorf("nothing is served at %v", w.now())
		}
	}
}
