package store

import (
	"context"
	"fmt"
	"time"
)

// What was written in the past tense lies in the future only where the clock was
// set back. WeChat sends a ticket every ten minutes.
const setBackSigns = `SELECT received_at FROM ticket WHERE platform = $1 AND received_at > $2
	UNION ALL SELECT fetched_at FROM platform_token WHERE platform = $1 AND fetched_at > $2`

// setBackDoubt is how far ahead a time of the past may lie, with several processes.
const setBackDoubt = time.Minute

// SaveSetBack implements [onboard.Store]. Claims whose end is as near as that of
// any new one are left to their holders.
func (s *Store) SaveSetBack(ctx context.Context, now time.Time, certain bool) (changed bool, err error) {
	if !certain {
		signs, err := many(ctx, s.engine.read, scanInt, setBackSigns, s.platform, ms(now.Add(setBackDoubt)))
		if err != nil || len(signs) == 0 {
			return false, err
		}
	}
	far := ms(now.Add(15 * time.Minute)) // longer than any lease, and than anything waits to be tried again
	_, err = write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
		for _, step := range []struct {
			text string
			args []any
		}{
			{`UPDATE account SET due_at = $2 WHERE platform = $1 AND due_at > $2`, []any{ms(now)}},
			{`UPDATE account SET lease_until = 0 WHERE platform = $1 AND lease_until > $2`, []any{far}},
			{`UPDATE account SET refreshed_at = $2 WHERE platform = $1 AND refreshed_at > $2`, []any{ms(now)}},
			{`UPDATE account SET profile_tried_at = 0 WHERE platform = $1 AND profile_tried_at > $2`, []any{ms(now)}},
			{`UPDATE account SET picture_tried_at = 0 WHERE platform = $1 AND picture_tried_at > $2`, []any{ms(now)}},
			{`UPDATE arrival SET due_at = $2 WHERE platform = $1 AND outcome = '' AND due_at > $3`, []any{ms(now), far}},
			{`UPDATE exchange SET lease_until = 0 WHERE platform = $1 AND state = 'open' AND lease_until > $2`, []any{far}},
			{`UPDATE ticket SET received_at = $2 WHERE platform = $1 AND received_at > $2`, []any{ms(now)}},
			{`UPDATE platform_token SET fetched_at = 0, expires_at = 0 WHERE platform = $1`, nil},
			{`UPDATE platform_token SET lease_until = 0 WHERE platform = $1 AND lease_until > $2`, []any{far}},
		} {
			if n, err = exec(ctx, q, step.text, append([]any{s.platform}, step.args...)...); err != nil {
				return n, err
			}
		}
		return n, nil
	})
	if err != nil {
		return false, fmt.Errorf("note that the clock was set back: %w", err)
	}
	return true, nil
}
