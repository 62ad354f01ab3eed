package onboard

import (
	"context"
	"sync"
	"time"
)

// pace spaces calls evenly, so that upkeep never comes in bursts.
type pace struct {
	mu   sync.Mutex
	gap  time.Duration
	next time.Time
}

func newPace(perSecond float64) *pace {
	return &pace{gap: time.Duration(float64(time.Second) / perSecond)}
}

// wait returns when the caller's turn has come, or the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now() // real or virtual time; the distance matters, not the hour
	if p.next.Before(now) {
		p.next = now
	}
	turn := p.next
	p.next = turn.Add(p.gap)
	p.mu.Unlock()
	if !turn.After(now) {
		return ctx.Err()
	}
	timer := time.NewTimer(turn.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
