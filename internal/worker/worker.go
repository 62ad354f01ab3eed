// Package worker runs a job again and again until it is told to stop. It knows
// nothing of what the jobs do.
package worker

import (
	"context"
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

// Every calls job at once and then about every interval until ctx ends; it then
// returns nil. A turn that fails or panics is logged and tried again at the next
// turn. job is never run twice at a time, and its context ends after a minute or
// one interval, whichever is longer. The spread of one eighth keeps several
// processes from waking together.
func Every(ctx context.Context, log *slog.Logger, name string, interval time.Duration, job func(context.Context) error) error {
	for {
		turn, cancel := context.WithTimeout(ctx, max(interval, minTurn))
		if err := call(turn, job); err != nil && ctx.Err() == nil {
			attrs := []any{"job", name, "err", err}
			if p, ok := err.(*panicked); ok {
				attrs = append(attrs, "stack", p.stack)
			}
			log.ErrorContext(ctx, "job failed", attrs...)
		}
		cancel()
		select {
		case <-ctx.Done():
			return nil // being told to stop is not a failure
		case <-time.After(interval - interval/8 + rand.N(interval/4)):
		}
	}
}

// call runs one turn and turns a panic into an error.
func call(ctx context.Context, job func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: v, stack: string(debug.Stack())}
		}
	}()
	return job(ctx)
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
