package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"usher/internal/onboard"
)

// Limits bounds what one neighborhood of addresses (/24 or /64) may ask for, and
// how many live pages there may be. A zero member means the default.
type Limits struct {
	// PressesPerMinute bounds each kind of button that costs a call to WeChat or
	// a row: connect, go, check, plug-in, new dashboard link. Default 60; a third
	// of it may come at once.
	PressesPerMinute int
	// Streams bounds live pages of the whole process (default 2000),
	// StreamsPerAddress those of one address (20), StreamsPerAttempt those of one
	// attempt (3).
	Streams, StreamsPerAddress, StreamsPerAttempt int
}

// withDefaults fills in what is not set.
func (l Limits) withDefaults() Limits {
	set := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	set(&l.PressesPerMinute, 60)
	set(&l.Streams, 2000)
	set(&l.StreamsPerAddress, 20)
	set(&l.StreamsPerAttempt, 3)
	return l
}

// bucketsKept bounds the buckets of a limiter however many addresses come.
const bucketsKept = 10_000

// limiter counts one kind of request by neighborhood.
type limiter struct {
	now     func() time.Time
	every   rate.Limit
	burst   int
	buckets recent[*rate.Limiter]
}

func newLimiter(now func() time.Time, perMinute int) *limiter {
	return &limiter{
		now: now, every: rate.Limit(float64(perMinute) / 60), burst: max(1, perMinute/3),
		buckets: recent[*rate.Limiter]{keep: bucketsKept},
	}
}

// allow takes one token of key. When there is none, wait says when there will be.
func (l *limiter) allow(key string) (ok bool, wait time.Duration) {
	bucket := l.buckets.entry(key, func() *rate.Limiter { return rate.NewLimiter(l.every, l.burst) })
	now := l.now()
	if bucket.AllowN(now, 1) {
		return true, 0
	}
	r := bucket.ReserveN(now, 1)
	wait = r.DelayFrom(now)
	r.CancelAt(now)
	return false, wait
}

// limited wraps a handler whose presses are counted. Each call makes a limiter of
// its own, so one kind of button does not use up another.
func (s *Server) limited() echo.MiddlewareFunc {
	l := newLimiter(s.Now, s.Limits.PressesPerMinute)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ok, wait := l.allow(neighborhood(c.RealIP()))
			if !ok {
				c.Response().Header().Set("Retry-After", seconds(wait))
				return onboard.Errorf(onboard.Limited, onboard.KeyLimited, "%d presses a minute from %s", s.Limits.PressesPerMinute, neighborhood(c.RealIP()))
			}
			return next(c)
		}
	}
}

// seconds writes d for a Retry-After header, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// formLimit is the largest form; WeChat's pushes have a limit of their own.
const formLimit = 256 << 10

// limitBody refuses a body that says it is too large and cuts one that does not.
func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if kindOf(c) == pushAnswer {
			return next(c) // refuses in its own way
		}
		if r.ContentLength > formLimit {
			return echo.ErrStatusRequestEntityTooLarge
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(c.Response(), r.Body, formLimit)
		}
		return next(c)
	}
}
