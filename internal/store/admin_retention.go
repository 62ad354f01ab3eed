package store

import (
	"context"
	"time"
)

// PruneArrivals implements [admin.Store].
func (s *Store) PruneArrivals(ctx context.Context, before time.Time, limit int) (int64, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `DELETE FROM arrival WHERE platform = $1 AND id IN (
				SELECT id FROM arrival WHERE platform = $1 AND finished_at > 0 AND finished_at < $2 AND outcome NOT IN ('', 'parked')
				ORDER BY finished_at LIMIT $3)`, s.platform, ms(before), limit)
	})
}
