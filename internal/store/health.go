package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// Health implements [onboard.Store]. OverdueAt is the due time of the account
// that waits longest for its refresh, zero when none is due.
func (s *Store) Health(ctx context.Context, now time.Time) (h onboard.Health, err error) {
	_, err = write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `INSERT INTO setting (platform, name, value) VALUES ($1, 'heartbeat', $2)
			ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value`, s.platform, strconv.FormatInt(ms(now), 10))
	})
	if err != nil {
		return h, fmt.Errorf("write the heartbeat: %w", err)
	}
	version, err := schemaVersion(ctx, s.engine.read)
	if err != nil {
		return h, err
	}
	h.Migrated = version == latest
	tickets, err := s.Tickets(ctx)
	if err != nil {
		return h, err
	}
	if len(tickets) > 0 {
		h.Ticket = tickets[0]
	}
	counts := func(r *sql.Rows) (struct{}, error) {
		return struct{}{}, r.Scan(&h.Waiting, &h.Parked, &h.Accounts, msTime{&h.OverdueAt}, &h.Damaged)
	}
	_, err = one(ctx, s.engine.read, counts, `SELECT
		(SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = ''),
		(SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = 'parked'),
		(SELECT COUNT(*) FROM account WHERE platform = $1 AND standing = 'active'),
		COALESCE((SELECT MIN(due_at) FROM account WHERE platform = $1 AND due_at > 0 AND stopped_at = 0 AND due_at <= $2), 0),
		EXISTS (SELECT 1 FROM health_check WHERE platform = $1 AND name = $3 AND failed_at > ok_at)`, s.platform, ms(now), string(admin.CheckDatabase))
	return h, err
}
