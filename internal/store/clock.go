package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	clockEvery = 10 * time.Second // between two readings of the server's clock
	clockOff   = 5 * time.Second  // from which on a host's clock is worth a warning
)

// clock is the time by which the processes on one database go. On PostgreSQL it
// is the server's: a lease that one process took ends at the same moment for all,
// however wrong the clocks of their hosts are. Between two readings it goes on
// with the monotonic clock of the host, so that setting the host's clock moves
// nothing. On SQLite, which one process has to itself, it is the host's.
type clock struct {
	host   func() time.Time
	server atomic.Pointer[reading] // nil without a server
	stop   context.CancelFunc
	ended  chan struct{}
}

// reading is one look at both clocks.
type reading struct{ server, host time.Time }

func (r reading) at(host time.Time) time.Time { return r.server.Add(host.Sub(r.host)) }

func newClock(host func() time.Time) *clock {
	if host == nil {
		host = time.Now
	}
	return &clock{host: host}
}

// Now is the time that counts for everything in this store: the server's on
// PostgreSQL, otherwise this machine's.
func (s *Store) Now() time.Time { return s.clock.now() }

func (c *clock) now() time.Time {
	host := c.host()
	if r := c.server.Load(); r != nil {
		return r.at(host)
	}
	return host
}

// follow reads the server's clock now and then again and again until close.
func (c *clock) follow(ctx context.Context, q querier, log *slog.Logger) error {
	if err := c.read(ctx, q); err != nil {
		return err
	}
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.ended = make(chan struct{})
	go func() {
		defer close(c.ended)
		c.warn(log, 0)
		tick := time.NewTicker(clockEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			before := c.off()
			if err := c.read(ctx, q); err == nil { // otherwise it goes on from the last reading
				c.warn(log, before)
			}
		}
	}()
	return nil
}

// read compares both clocks. The server's answer is taken for that of the middle
// of the question.
func (c *clock) read(ctx context.Context, q querier) error {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	asked := c.host()
	server, err := one(ctx, q, func(r *sql.Rows) (at time.Time, err error) { return at, r.Scan(&at) }, `SELECT clock_timestamp()`)
	if err != nil {
		return err
	}
	answered := c.host()
	c.server.Store(&reading{server: server.UTC(), host: asked.Add(answered.Sub(asked) / 2)})
	return nil
}

// off is how far the host's clock is ahead of the server's.
func (c *clock) off() time.Duration {
	host := c.host().Round(0) // what its hands show, without the monotonic reading
	return host.Sub(c.now())
}

func (c *clock) warn(log *slog.Logger, before time.Duration) {
	off := c.off()
	if off.Abs() > clockOff && (off-before).Abs() > clockOff/5 {
		log.Warn("the clock of this machine differs from the database's; the database's counts", "ahead_by", off.Round(time.Millisecond).String())
	}
}

func (c *clock) close() {
	if c.stop != nil {
		c.stop()
		<-c.ended
	}
}
