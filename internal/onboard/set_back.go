package onboard

import (
	"context"
	"sync"
	"time"
)

// setBackLeast is how far a clock must have been set back to matter: a token is
// not served in its last minute anyway.
const setBackLeast = 30 * time.Second

// steady compares the clock with one that nobody can set.
type steady struct {
	mu   sync.Mutex
	wall time.Time // by the clock that counts
	real time.Time // with a monotonic reading
}

// setBack returns by how much the clock was set back since it was last asked,
// zero when it was not.
func (c *steady) setBack(wall, real time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var by time.Duration
	if !c.wall.IsZero() {
		by = real.Sub(c.real) - wall.Sub(c.wall)
	}
	c.wall, c.real = wall.Round(0), real
	if by < setBackLeast {
		return 0
	}
	return by
}

// KeepTime notices when the clock was set back, also while the program was off.
// Then every end that was written down lies too far ahead: tokens would be served
// that have long ended, and leases would never end. All tokens are fetched anew, and
// whatever waits for a time is due at once. A clock that is set forward does no harm:
// everything ends early. It is called every few seconds.
func (s *Service) KeepTime(ctx context.Context) error {
	now := s.now()
	by := s.steady.setBack(now, time.Now())
	changed, err := s.store.SaveSetBack(ctx, now, by > 0)
	if err != nil {
		return err
	}
	if by == 0 && !changed {
		return nil
	}
	s.log.WarnContext(ctx, "the clock was set back; every token is fetched anew", "by", by.Round(time.Second).String())
	s.TryAgain()
	s.tokens.forgetAll()
	s.platform.mu.Lock()
	s.platform.token, s.platform.askedAt = PlatformToken{}, time.Time{}
	s.platform.mu.Unlock()
	if err := s.roster.lock(ctx); err != nil {
		return err
	}
	s.roster.rows = nil
	s.roster.unlock()
	return nil
}
