package store

import (
	"context"
	"database/sql"
	"time"

	"usher/internal/onboard"
)

type sealedPlatformToken struct {
	onboard.PlatformToken
	value string
}

func scanPlatformToken(r *sql.Rows) (t sealedPlatformToken, err error) {
	return t, r.Scan(&t.value, msTime{&t.FetchedAt}, msTime{&t.ExpiresAt}, &t.Fence)
}

// PlatformToken implements [onboard.Store].
func (s *Store) PlatformToken(ctx context.Context) (onboard.PlatformToken, error) {
	t, err := one(ctx, s.engine.read, scanPlatformToken,
		`SELECT value, fetched_at, expires_at, fence FROM platform_token WHERE platform = $1 AND value <> ''`, s.platform)
	if err != nil {
		return onboard.PlatformToken{}, err
	}
	if t.Value, err = s.open("platform_token", "value", s.row(""), t.value); err != nil {
		s.log.ErrorContext(ctx, "the platform token does not open", "err", err)
		return onboard.PlatformToken{}, onboard.ErrNoRow
	}
	return t.PlatformToken, nil
}

// ClaimPlatformToken implements [onboard.Store].
func (s *Store) ClaimPlatformToken(ctx context.Context, now, leaseUntil time.Time) (fence int64, ok bool, err error) {
	won, err := write(ctx, s, func(ctx context.Context, q querier) ([]int64, error) {
		return many(ctx, q, scanInt, `INSERT INTO platform_token (platform, value, fetched_at, expires_at, fence, lease_until)
			VALUES ($1, '', 0, 0, 1, $3)
			ON CONFLICT (platform) DO UPDATE SET fence = platform_token.fence + 1, lease_until = $3
			WHERE platform_token.lease_until <= $2
			RETURNING fence`, s.platform, ms(now), ms(leaseUntil))
	})
	if err != nil || len(won) == 0 {
		return 0, false, err
	}
	return won[0], true, nil
}

// SavePlatformToken implements [onboard.Store].
func (s *Store) SavePlatformToken(ctx context.Context, t onboard.PlatformToken) error {
	sealed := s.ring.Seal("platform_token", "value", s.row(""), t.Value)
	return s.fenced(ctx, `UPDATE platform_token SET lease_until = 0,
			value = CASE WHEN $3 = '' THEN value ELSE $3 END,
			fetched_at = CASE WHEN $3 = '' THEN fetched_at ELSE $4 END,
			expires_at = CASE WHEN $3 = '' THEN expires_at ELSE $5 END
		WHERE platform = $1 AND fence = $2`, s.platform, t.Fence, sealed, ms(t.FetchedAt), ms(t.ExpiresAt))
}
