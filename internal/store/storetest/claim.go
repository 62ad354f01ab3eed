package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"usher/internal/onboard"
)

func (s *suite) claim(code, handoff string, now, until time.Duration) onboard.ExchangeClaim {
	s.Helper()
	return must(s.ClaimExchange(s.ctx, code, handoff, at(now), at(until)))(s)
}

func (s *suite) claimExchange() {
	s.saveAttempt("a")
	s.saveHandoff("h", "a")
	first := s.claim("x", "h", 0, time.Minute)
	s.same("first claim", []any{first.Won, first.Tries}, []any{true, 1})
	s.same("while it is held", s.claim("x", "h", time.Second, time.Hour), onboard.ExchangeClaim{Tries: 1})
	s.same("another code of the hand-off", s.claim("y", "h", time.Second, time.Hour).Won, false)
	s.same("a code of no hand-off", s.claim("z", "", time.Second, time.Hour).Won, true)

	second := s.claim("x", "", time.Minute, 2*time.Minute)
	s.same("when the lease has ended", []any{second.Won, second.Tries}, []any{true, 2})
	if second.Fence <= first.Fence {
		s.Errorf("Fence went from %d to %d, want it to grow", first.Fence, second.Fence)
	}
	s.fails("FailExchange of the lost claim", s.FailExchange(s.ctx, "x", first.Fence, true, at(time.Minute)), onboard.ErrFenced)
	s.ok(s.FailExchange(s.ctx, "x", second.Fence, false, at(time.Minute)))
	third := s.claim("x", "h", time.Minute, 2*time.Minute)
	s.same("given back", []any{third.Won, third.Tries}, []any{true, 3})
	s.ok(s.FailExchange(s.ctx, "x", third.Fence, true, at(time.Minute)))
	s.same("a spent code", s.claim("x", "h", time.Hour, 2*time.Hour), onboard.ExchangeClaim{Failed: true, Tries: 3})

	other := s.claim("y", "h", time.Hour, 2*time.Hour)
	s.same("another code after one failed", other.Won, true)
	a := arrived("wx1", func(a *onboard.Arrived) { a.CodeHash, a.Fence, a.AttemptID = "y", other.Fence, "a" })
	must(s.FinishExchange(s.ctx, a))(s)
	done := onboard.ExchangeClaim{Done: true, AppID: "wx1", AttemptID: "a", Tries: 1}
	s.same("a code that is done", s.claim("y", "", 3*time.Hour, 4*time.Hour), done)
	s.same("another code of a hand-off that is done", s.claim("w", "h", 3*time.Hour, 4*time.Hour), done)
}

func (s *suite) claimExchangeRace() {
	var won atomic.Int64
	s.race(16, func(_ int, st onboard.Store) error {
		c, err := st.ClaimExchange(s.ctx, "x", "", t0, at(time.Minute))
		if c.Won {
			won.Add(1)
		}
		return err
	})
	s.same("claims won", won.Load(), int64(1))
}

// claimExchangeHandoffRace has two codes of one hand-off, which must count as one.
func (s *suite) claimExchangeHandoffRace() {
	s.saveAttempt("a")
	for round := range 10 {
		h := s.saveHandoff(fmt.Sprint("h", round), "a")
		var won atomic.Int64
		s.race(8, func(i int, st onboard.Store) error {
			c, err := st.ClaimExchange(s.ctx, fmt.Sprint(h.ID, " code ", i%4), h.ID, t0, at(time.Minute))
			if c.Won {
				won.Add(1)
			}
			return err
		})
		s.same("claims won for one hand-off", won.Load(), int64(1))
	}
}
