package main

import (
	"sync/atomic"
	"time"
)

// clock is the real time moved by what a test adds. The site and WeChat's
// stand-in share one, so that hours pass for both.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.moved.Load())) }

func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }
