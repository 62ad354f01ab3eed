package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"usher/internal/simulator"
)

// TestFlows_Flat authorizes again and again, as TestRush does, and counts goroutines
// and open files when all is quiet: after many flows there are no more than after the
// first, but for some connections that happen to be kept: far fewer than one for each
// flow. USHER_FLOWS says how many, as 10000; with the race detector, a third of them.
func TestFlows_Flat(t *testing.T) {
	const first = 50
	flows := long("USHER_FLOWS", 300, 10_000)
	if raced {
		flows /= 3
	}
	w := startAll(t, options{quiet: true, config: manyAddresses})
	w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 100 * (first + flows) })
	w.ticket()
	w.flows(0, first)
	before := w.use()
	w.flows(first, flows)
	kept := flows / 5
	var after use
	defer func() {
		t.Logf("%d goroutines and %d open files after %d flows, %d and %d after %d more", before.goroutines, before.files, first, after.goroutines, after.files, flows)
	}()
	w.eventually("goroutines or files are kept", func(context.Context) (bool, error) {
		after = w.use()
		return after.goroutines <= before.goroutines+kept && after.files <= before.files+kept, nil
	})
}

// flows goes through n authorizations, those of several accounts side by side.
func (w *world) flows(from, n int) {
	w.t.Helper()
	apps := []string{simulator.TeaHouse, simulator.Takeaway, simulator.Personal, simulator.MiniShop}
	var all sync.WaitGroup
	for k, appID := range apps {
		all.Go(func() {
			r := newRusher(w, false)
			defer r.client.CloseIdleConnections()
			for i := k; i < n; i += len(apps) {
				flow := from + i
				var sets []int // all, and every second time one: WeChat pushes what changed
				if (flow/len(apps))%2 == 0 {
					sets = []int{17}
				}
				r.address = fmt.Sprintf("10.%d.%d.1", flow>>8, flow&255)
				if err := r.rush(appID, sets); err != nil {
					w.t.Errorf("flow %d, of %s: %v", flow, appID, err)
					return
				}
			}
		})
	}
	all.Wait()
	w.settle()
}

// use is what the process holds.
type use struct{ goroutines, files int }

func (w *world) use() use {
	w.t.Helper()
	u := use{goroutines: runtime.NumGoroutine()}
	if runtime.GOOS == "linux" {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			w.t.Fatal(err)
		}
		u.files = len(files)
	}
	return u
}
