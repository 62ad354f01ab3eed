// Package worker runs a job again and again until it is told to stop. It knows
// nothing of what the jobs do.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"usher/internal/rescue"
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
			log.ErrorContext(ctx, "job failed", append(rescue.Attrs(err), "job", name)...)
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
	return rescue.Do(func() error { return job(turn) })
}
