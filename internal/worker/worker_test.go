package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/worker"
)

// TestEvery runs an hour of a job that takes a while: the first turn is at once,
// turns never overlap, and the spread stays within one eighth.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var starts []time.Time
		running := 0
		begun := time.Now()
		err := worker.Every(ctx, slog.New(slog.DiscardHandler), "tick", time.Minute, func(context.Context) error {
			if running++; running != 1 {
				t.Errorf("%d turns at once", running)
			}
			starts = append(starts, time.Now())
			time.Sleep(10 * time.Second) // of the bubble's clock
			running--
			return nil
		})
		if err != nil || ctx.Err() == nil {
			t.Fatalf("Every = %v with ctx %v, want nil after ctx ended", err, ctx.Err())
		}
		if !starts[0].Equal(begun) {
			t.Errorf("the first turn began after %v, want at once", starts[0].Sub(begun))
		}
		spread := map[time.Duration]bool{}
		for i := 1; i < len(starts); i++ {
			pause := starts[i].Sub(starts[i-1]) - 10*time.Second
			if low, high := time.Minute*7/8, time.Minute*9/8; pause < low || pause > high {
				t.Errorf("pause %d = %v, want %v … %v", i, pause, low, high)
			}
			spread[pause] = true
		}
		if len(starts) < 45 || len(spread) < 2 {
			t.Errorf("%d turns with %d different pauses in an hour", len(starts), len(spread))
		}
	})
}

// TestEvery_GoesOn checks that neither an error nor a panic ends the loop, and
// what of them reaches the log.
func TestEvery_GoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		turns := 0
		err := worker.Every(ctx, log, "fragile", time.Second, func(context.Context) error {
			switch turns++; turns {
			case 1:
				return errors.New("disk full")
			case 2:
				panic("token-of-a-merchant")
			case 3:
				var none []int
				_ = none[turns]
			case 5:
				cancel()
				return ctx.Err()
			}
			return nil
		})
		if err != nil || turns != 5 {
			t.Fatalf("Every = %v after %d turns, want nil after 5", err, turns)
		}
		for _, want := range []string{`err="disk full" job=fragile`, `err="panic of type string"`, "index out of range [3]", "worker_test.go"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, out.String())
			}
		}
		for _, not := range []string{"token-of-a-merchant", "context canceled"} {
			if strings.Contains(out.String(), not) {
				t.Errorf("the log holds %q:\n%s", not, out.String())
			}
		}
	})
}

// TestEvery_TurnLimit checks that a job called every second may take longer
// than a second, but that a turn which hangs is ended.
func TestEvery_TurnLimit(t *testing.T) {
	tests := []struct{ interval, want time.Duration }{
		{time.Second, time.Minute},
		{time.Hour, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var got time.Duration
				worker.Every(ctx, slog.New(slog.DiscardHandler), "hangs", tt.interval, func(turn context.Context) error {
					defer cancel()
					begun := time.Now()
					<-turn.Done()
					got = time.Since(begun)
					return turn.Err()
				})
				if got != tt.want {
					t.Errorf("Every(%v) ended a hanging turn after %v, want %v", tt.interval, got, tt.want)
				}
			})
		})
	}
}

// TestEvery_Grace checks that a turn in hand may finish when the loop is told to
// stop, but not for ever.
func TestEvery_Grace(t *testing.T) {
	tests := []struct {
		name      string
		work      time.Duration
		wantWait  time.Duration
		wantError error
	}{
		{"finishes", 7 * time.Second, 7 * time.Second, nil},
		{"hangs", time.Hour, 10 * time.Second, context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var stopped time.Time
				var got error
				worker.Every(ctx, slog.New(slog.DiscardHandler), tt.name, time.Hour, func(turn context.Context) error {
					stopped = time.Now()
					cancel()
					select {
					case <-time.After(tt.work):
					case <-turn.Done():
						got = turn.Err()
					}
					return got
				})
				if wait := time.Since(stopped); wait != tt.wantWait || got != tt.wantError {
					t.Errorf("Every ended %v after it was told to, the turn with %v; want %v, %v", wait, got, tt.wantWait, tt.wantError)
				}
			})
		})
	}
}
