package store

import (
	"context"
	"database/sql"
	"time"

	"usher/internal/admin"
)

const (
	countsParked = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM arrival WHERE platform = $1 AND outcome = 'parked' LIMIT $2) AS counted`
	blockedBy    = `SELECT blocked, MAX(blocked_at) FROM attempt WHERE platform = $1 AND blocked <> '' AND finished_at = 0 AND blocked_at > $2 GROUP BY blocked`
	platformOf   = `SELECT COALESCE((SELECT MAX(received_at) FROM ticket WHERE platform = $1), 0),
		COALESCE((SELECT expires_at FROM platform_token WHERE platform = $1), 0)`
)

// CountParked implements [admin.Store].
func (s *Store) CountParked(ctx context.Context, limit int) (int, error) {
	n, err := one(ctx, s.engine.read, scanInt, countsParked, s.platform, limit)
	return int(n), err
}

// Blocks implements [admin.Store].
func (s *Store) Blocks(ctx context.Context, since time.Time) ([]admin.Block, error) {
	scan := func(r *sql.Rows) (b admin.Block, err error) { return b, r.Scan(&b.Key, msTime{&b.At}) }
	return many(ctx, s.engine.read, scan, blockedBy, s.platform, ms(since))
}

// PlatformTimes implements [admin.Store].
func (s *Store) PlatformTimes(ctx context.Context) (p admin.PlatformTimes, err error) {
	scan := func(r *sql.Rows) (p admin.PlatformTimes, err error) {
		return p, r.Scan(msTime{&p.Ticket}, msTime{&p.TokenEnds})
	}
	return one(ctx, s.engine.read, scan, platformOf, s.platform)
}
