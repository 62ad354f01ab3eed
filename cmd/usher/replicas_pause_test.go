//go:build unix

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// TestReplicas_FenceUnderPause runs several programs on one PostgreSQL and stops
// one of them, as a virtual machine may be, in the middle of a refresh, until its
// lease is over and another has the account. Then it goes on. What it writes comes
// too late and is refused; nobody is told to scan again, and one sweep after the
// hostile WeChat has calmed down no token that is dead is kept. Where nobody was
// stopped, each due token is refreshed once: that is counted while WeChat is calm,
// because every call that it spoils is followed by another.
func TestReplicas_FenceUnderPause(t *testing.T) {
	withoutDetector(t)
	t.Parallel()
	server := pgtest.Start(t)
	some := habits[1:2] // rotating, which forgives least
	if long("USHER_REPLICAS_SECONDS", 0, 300) > 0 {
		some = habits[:2]
	}
	for _, h := range some {
		t.Run(h.name, func(t *testing.T) {
			c := newCrash(t, h, server.Database(t), 11)
			paused(t, c, long("USHER_REPLICAS", 2, 3), time.Duration(long("USHER_REPLICAS_SECONDS", 0, 300))*time.Second)
		})
	}
}

// replicas are programs on the database of one world.
type replicas struct {
	*crash
	all []*child
}

// paused lets n programs refresh for a time.
func paused(t *testing.T, c *crash, n int, long time.Duration) {
	r := &replicas{crash: c}
	r.start("")
	r.all = []*child{r.child}
	for range n - 1 {
		r.all = append(r.all, r.launch(freeAddress(t), ""))
	}
	t.Cleanup(func() {
		for _, ch := range r.all[1:] {
			_ = ch.cmd.Process.Kill()
			<-ch.ended
			if t.Failed() {
				t.Logf("log of another program:\n%s", &ch.log)
			}
		}
	})
	r.ticket()
	for _, id := range crowd {
		r.authorize(id)
	}
	r.dealt()
	slow := simulator.Fault{Kind: simulator.Late, Path: refreshCall, Delay: 300 * time.Millisecond, Spread: 300 * time.Millisecond}
	r.faults.API = append(r.faults.API, slow)
	random := rand.New(rand.NewPCG(uint64(r.seed), 11))
	calm, calls, stops := 0, 0, 0
	for round, end := 0, time.Now().Add(long); round < 3 || r.lateWrites() == 0 && round < 30 || time.Now().Before(end); round++ {
		if round%3 == 0 { // nobody is stopped
			r.setFaults(simulator.Faults{Push: r.faults.Push, API: []simulator.Fault{slow}})
			r.anew() // what was lost before is put right, and not counted
			before := r.sim.Calls(refreshCall)
			r.anew()
			calm += len(crowd)
			calls += r.sim.Calls(refreshCall) - before
			continue
		}
		r.misbehave()
		before := r.sim.Calls(refreshCall)
		holder := random.IntN(n)
		r.signal(syscall.SIGSTOP, func(i int) bool { return i != holder })
		r.due()
		r.eventually("a refresh", func() error {
			if r.sim.Calls(refreshCall) == before {
				return errors.New("none yet")
			}
			return nil
		})
		r.signal(syscall.SIGSTOP, func(i int) bool { return i == holder })
		r.forgetLeases() // as if the time of the leases had passed
		r.signal(syscall.SIGCONT, func(i int) bool { return i != holder })
		r.refreshed()
		r.signal(syscall.SIGCONT, func(i int) bool { return i == holder })
		stops++
	}
	r.dealt()
	for _, ch := range r.all[1:] {
		if err := ch.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ch.ended
	}
	r.idle()
	r.stop()
	r.check()
	if err := r.is(`SELECT COUNT(*) FROM account WHERE standing <> 'active'`, 0); err != nil {
		t.Errorf("a merchant was told to scan again: %v", err)
	}
	if calls < calm || calls*100 > calm*105 {
		t.Errorf("%d refreshes for %d due tokens, want 1 to 1.05 for each", calls, calm)
	}
	late := r.lateWrites()
	if late == 0 {
		t.Error("no late write was refused, so this proves nothing")
	}
	t.Logf("%d programs, %d refreshes for %d due tokens in calm rounds; stopped %d times, %d times late writes were refused", n, calls, calm, stops, late)
}

// signal sends a signal to some of the programs.
func (r *replicas) signal(s syscall.Signal, to func(i int) bool) {
	r.t.Helper()
	for i, ch := range r.all {
		if !to(i) {
			continue
		}
		if err := ch.cmd.Process.Signal(s); err != nil {
			r.t.Fatal(err)
		}
	}
}

// anew has every account refreshed.
func (r *replicas) anew() {
	r.t.Helper()
	r.due()
	r.refreshed()
}

// refreshed waits until no account is due, and none of them never.
func (r *replicas) refreshed() {
	r.t.Helper()
	r.eventually("refreshes", func() error {
		return errors.Join(
			r.is(fmt.Sprintf(`SELECT COUNT(*) FROM account WHERE due_at <= %d`, time.Now().UnixMilli()), 0), // 0 is never
			r.is(fmt.Sprintf(`SELECT COUNT(*) FROM account WHERE lease_until > %d`, time.Now().UnixMilli()), 0))
	})
}

// lateWrites counts the writes that came too late and were refused.
func (r *replicas) lateWrites() (n int) {
	for _, ch := range r.all {
		n += strings.Count(ch.log.String(), "refreshes came too late and were not stored")
	}
	return n
}
