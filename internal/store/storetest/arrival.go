package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

func (s *suite) arrive(digest string, change ...func(*onboard.Arrival)) onboard.Arrival {
	s.Helper()
	a := onboard.Arrival{Digest: digest, Type: onboard.AuthorizedEvent, CreatedAt: wechat(0), ReceivedAt: t0, Payload: secret.New("payload of " + digest)}
	for _, f := range change {
		f(&a)
	}
	if !must(s.SaveArrival(s.ctx, a))(s) {
		s.Fatalf("SaveArrival(%q) = false, want new", digest)
	}
	return a
}

func digests(arrivals []onboard.Arrival) (out []string) {
	for _, a := range arrivals {
		out = append(out, a.Digest)
	}
	return out
}

func (s *suite) saveArrival() {
	want := s.arrive("d", func(a *onboard.Arrival) {
		a.AppID, a.CodeHash, a.HandoffID, a.AttemptID = "wx1", "code", "h", "no such attempt"
	})
	s.same("SaveArrival of a known digest", must(s.SaveArrival(s.ctx, onboard.Arrival{Digest: "d", ReceivedAt: at(time.Hour)}))(s), false)
	got := must(s.ClaimArrivals(s.ctx, t0, at(time.Minute), 10, ""))(s)
	if len(got) != 1 {
		s.Fatalf("ClaimArrivals = %d arrivals, want 1", len(got))
	}
	want.ID, want.Tries, want.Fence = got[0].ID, 1, got[0].Fence
	s.same("ClaimArrivals", got[0], want)
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{{ID: got[0].ID, Fence: got[0].Fence, Outcome: onboard.Handled}}, t0))
	s.same("SaveArrival of a handled digest", must(s.SaveArrival(s.ctx, want))(s), false)
}

// saveArrivalRace has 25 pushes come four times each, all at once.
func (s *suite) saveArrivalRace() {
	s.saveAttempt("a")
	var isNew atomic.Int64
	s.race(100, func(i int, st onboard.Store) error {
		ok, err := st.SaveArrival(s.ctx, onboard.Arrival{Digest: fmt.Sprint(i / 4), AttemptID: "a", ReceivedAt: at(time.Duration(i/4) * time.Millisecond), Payload: secret.New("p")})
		if ok {
			isNew.Add(1)
		}
		return err
	})
	s.same("new arrivals", isNew.Load(), int64(25))
	got := must(s.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), 1000, ""))(s)
	unique := digests(got)
	slices.Sort(unique)
	s.same("stored arrivals", len(slices.Compact(unique)), 25)
	s.same("Version of the attempt they name", s.attempt("a").Version, int64(2))
}

func (s *suite) arrivalMovesAttempt() {
	s.saveAttempt("a")
	s.saveAttempt("done", func(a *onboard.Attempt) { a.FinishedAt = t0 })
	s.arrive("1", func(a *onboard.Arrival) { a.AttemptID = "a" })
	s.arrive("2", func(a *onboard.Arrival) { a.AttemptID, a.ReceivedAt = "a", at(time.Minute) })
	s.arrive("3", func(a *onboard.Arrival) { a.AttemptID = "done" })
	a := s.attempt("a")
	s.same("ArrivedAt, Version", []any{a.ArrivedAt, a.Version}, []any{t0, int64(2)})
	s.same("ArrivedAt of a finished attempt", s.attempt("done").ArrivedAt, time.Time{})
}

func (s *suite) claimArrivals() {
	for i := range 4 {
		s.arrive(fmt.Sprint(i), func(a *onboard.Arrival) { a.ReceivedAt = at(time.Duration(i) * time.Second) })
	}
	claim := func(now, until time.Duration, limit int) []onboard.Arrival {
		s.Helper()
		return must(s.ClaimArrivals(s.ctx, at(now), at(until), limit, ""))(s)
	}
	s.same("before any is due", digests(claim(-time.Second, time.Minute, 9)), []string(nil))
	first := claim(2*time.Second, 30*time.Second, 2)
	s.same("the two oldest", digests(first), []string{"0", "1"})
	s.same("those that are due and free", digests(claim(2*time.Second, 40*time.Second, 9)), []string{"2"})
	s.same("a moment before a lease ends", digests(claim(30*time.Second-time.Millisecond, 60*time.Second, 9)), []string{"3"})
	again := claim(30*time.Second, 70*time.Second, 9)
	s.same("when a lease has ended", digests(again), []string{"0", "1"})
	s.same("Tries", []int{first[0].Tries, again[0].Tries}, []int{1, 2})
	if again[0].Fence <= first[0].Fence {
		s.Errorf("Fence went from %d to %d, want it to grow", first[0].Fence, again[0].Fence)
	}
}

func (s *suite) claimArrivalsOfCode() {
	s.arrive("push", func(a *onboard.Arrival) { a.CodeHash = "x" })
	s.arrive("other", func(a *onboard.Arrival) { a.CodeHash = "y" })
	s.arrive("none")
	s.arrive("redirect", func(a *onboard.Arrival) { a.CodeHash, a.ReceivedAt = "x", at(time.Second) })
	got := must(s.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), 9, "x"))(s)
	s.same("ClaimArrivals of code x", digests(got), []string{"push", "redirect"})
	s.same("ClaimArrivals of code x again", len(must(s.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), 9, "x"))(s)), 0)
	s.same("ClaimArrivals of the rest", digests(must(s.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), 9, ""))(s)), []string{"other", "none"})
}

// claimArrivalsRace has eight workers drain an inbox at once.
func (s *suite) claimArrivalsRace() {
	const n = 120
	s.race(n, func(i int, st onboard.Store) error {
		_, err := st.SaveArrival(s.ctx, onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: at(time.Duration(i) * time.Millisecond)})
		return err
	})
	var mu sync.Mutex
	times := map[string]int{}
	s.race(8, func(_ int, st onboard.Store) error {
		for {
			batch, err := st.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), 7, "")
			if err != nil {
				return err
			}
			mu.Lock()
			for _, a := range batch {
				times[a.Digest]++
			}
			mu.Unlock()
			if len(batch) == 0 {
				return nil
			}
		}
	})
	// A worker that lost every row it asked for to another one gets none.
	for _, a := range must(s.ClaimArrivals(s.ctx, at(time.Second), at(time.Minute), n, ""))(s) {
		times[a.Digest]++
	}
	s.same("arrivals claimed", len(times), n)
	for digest, k := range times {
		if k != 1 {
			s.Errorf("arrival %s was claimed %d times, want once", digest, k)
		}
	}
}

func (s *suite) finishArrivals() {
	for _, digest := range []string{"done", "again", "parked", "lost"} {
		s.arrive(digest)
	}
	ends := map[string]onboard.ArrivalEnd{}
	for _, a := range must(s.ClaimArrivals(s.ctx, t0, at(time.Minute), 9, ""))(s) {
		ends[a.Digest] = onboard.ArrivalEnd{ID: a.ID, Fence: a.Fence}
	}
	later := must(s.ClaimArrivals(s.ctx, at(time.Minute), at(2*time.Minute), 9, ""))(s) // every claim above is lost
	s.same("claimed again", len(later), 4)
	stale := ends["lost"]
	stale.Outcome = onboard.Handled
	for _, a := range later {
		ends[a.Digest] = onboard.ArrivalEnd{ID: a.ID, Fence: a.Fence}
	}
	done, again, parked := ends["done"], ends["again"], ends["parked"]
	done.Outcome, done.AppID = onboard.Handled, "wx1"
	again.RetryAt, again.Reason = at(10*time.Minute), "api_query_auth -1"
	parked.Outcome, parked.Reason = onboard.Parked, "internal"
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{stale, done, again, parked}, at(time.Minute)))
	s.ok(s.FinishArrivals(s.ctx, nil, t0))

	h := must(s.Health(s.ctx, t0))(s)
	s.same("Waiting, Parked", []int{h.Waiting, h.Parked}, []int{2, 1})
	s.same("due after the lease", digests(must(s.ClaimArrivals(s.ctx, at(2*time.Minute), at(3*time.Minute), 9, ""))(s)), []string{"lost"})
	back := must(s.ClaimArrivals(s.ctx, at(10*time.Minute), at(time.Hour), 1, ""))(s)
	s.same("due when given back", digests(back), []string{"again"})
	s.same("its payload", back[0].Payload, secret.New("payload of again"))
	s.same("tries, the lost one counted", back[0].Tries, 3)
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{{ID: back[0].ID, Fence: back[0].Fence, RetryAt: at(11 * time.Minute), Untried: true}}, at(10*time.Minute)))
	back = must(s.ClaimArrivals(s.ctx, at(11*time.Minute), at(time.Hour), 1, ""))(s)
	s.same("tries after one that was none", back[0].Tries, 3)

	twice := done
	twice.Outcome = onboard.Ignored
	s.ok(s.FinishArrivals(s.ctx, []onboard.ArrivalEnd{twice, {ID: done.ID, Fence: done.Fence, RetryAt: t0}}, at(time.Hour)))
	s.same("a handled arrival is never due", digests(must(s.ClaimArrivals(s.ctx, at(24*time.Hour), at(25*time.Hour), 9, ""))(s)), []string{"again", "lost"})
}
