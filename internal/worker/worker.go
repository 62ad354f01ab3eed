// Package worker runs a job again and again until it is told to stop. It knows
// nothing of what the jobs do.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"
)

// minTurn is the least time a turn of a job gets. A job that is called every
// second may still wait ten seconds for an answer from WeChat.
const minTurn = time.Minute

// grace is what a running turn gets to come to its end when ctx ends. Cutting a
// call to WeChat short loses an answer that may be the only one: an
// authorization code works once.
const grace = 10 * time.Second

// Every calls job at once and then about every interval until ctx ends; it then
// returns nil as soon as a running turn ended, or ten seconds later. A turn that
// fails or panics is logged and tried again at the next turn. job is never run
// twice at a time, and its context ends after a minute or one interval, whichever
// is longer. The spread of one eighth keeps several processes from waking
// together.
func Every(ctx context.Context, log *slog.Logger, name string, interval time.Duration, job func(context.Context) error) error {
	for {
		if err := call(ctx, max(interval, minTurn), job); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			attrs := []any{"job", name, "err", err}
			if p, ok := err.(*panicked); ok {
				attrs = append(attrs, "stack", p.stack)
			}
			log.ErrorContext(ctx, "job failed", attrs...)
		}
		select {
		case <-ctx.Done():
			return nil // being told to stop is not a failure
		case <-time.After(interval - interval/8 + rand.N(interval/4)):
		}
	}
}

// call runs one turn and turns a panic into an error.
func call(ctx context.Context, limit time.Duration, job func(context.Context) error) (err error) {
	turn, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-turn.Done():
		case <-time.After(grace):
			cancel()
		}
	})
	defer stop()
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: v, stack: string(debug.Stack())}
		}
	}()
	return job(turn)
}

type panicked struct {
	value any
	stack string
}

// Error names a fault of the Go runtime in full. Any other value may hold what
// the job was working on, a token for instance, so only its type is told.
func (p *panicked) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic of type %T", p.value)
}
