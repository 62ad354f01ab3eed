package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"usher/internal/simulator"
)

// hurry is how many times shorter every wait of the bad day is in tests that go by
// the wall clock: a minute is a second, and a caller that WeChat leaves waiting is
// cut off after a sixth of a second. The shares are those of the day.
const hurry = 60

// hostileFaults are what WeChat does wrong in a test of reliability that goes by the
// wall clock. The outage of the day lasts a second and begins within a few.
func hostileFaults(seed int64, now time.Time) simulator.Faults {
	f := simulator.HostileFaults().Hurried(hurry)
	const turn, long = time.Hour, time.Second
	in := now.Sub(now.Truncate(turn)) + time.Duration(rand.New(rand.NewPCG(uint64(seed), 1)).Int64N(int64(4*time.Second)))
	f.Outage.Every, f.Outage.After, f.Outage.For = turn, min(in, turn-long), long
	return f
}

// seedOf is the seed of a test: what USHER_SEED says, or otherwise the number that
// it has of old. When the test fails it says how to have the same again.
func seedOf(t testing.TB, otherwise int64) int64 {
	t.Helper()
	seed := int64(long("USHER_SEED", int(otherwise), int(otherwise)))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again with USHER_SEED=%d", seed)
		}
	})
	return seed
}

// misbehave makes WeChat hostile.
func (w *world) misbehave() {
	w.t.Helper()
	truth := w.sim.Truth()
	w.faults(hostileFaults(truth.Seed, truth.Now))
}

// calmDown ends that, and lets one sweep and one refresh of everything put right what
// came of it.
func (w *world) calmDown() {
	w.t.Helper()
	w.faults(simulator.Faults{})
	w.svc.TryAgain() // as if the time had passed for which what failed is left alone
	w.deliver()
	if swept, err := w.svc.Sweep(w.t.Context()); err != nil || swept.Failures > 0 {
		w.t.Errorf("Sweep = %+v, %v after WeChat has calmed down", swept, err)
	}
	w.makeDue()
	if err := w.svc.KeepFresh(w.t.Context()); err != nil {
		w.t.Errorf("KeepFresh = %v after WeChat has calmed down", err)
	}
}
