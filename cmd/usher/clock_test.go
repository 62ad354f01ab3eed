package main

import (
	"sync/atomic"
	"time"

	"usher/internal/simulator"
)

// clock is the real time moved by what a test adds. The site and WeChat's
// stand-in share one, so that hours pass for both.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.moved.Load())) }

func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }

// options are those of a site and a quiet stand-in that go by this clock. Whoever
// moves the clock takes the turns of the jobs too: one that comes by itself would
// now and then find hours gone, and a sweep due, in the middle of a test.
func (c *clock) options() options {
	return options{quiet: true, still: true, now: c.now, simulator: func(s *simulator.Config) { s.Now = c.now }}
}
