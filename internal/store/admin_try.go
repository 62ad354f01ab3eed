package store

import (
	"context"
	"database/sql"
	"time"
)

type tryRow struct {
	key        string
	tries      int64
	last, wait time.Time
}

func scanTry(r *sql.Rows) (t tryRow, err error) {
	return t, r.Scan(&t.key, &t.tries, msTime{&t.last}, msTime{&t.wait})
}

// ClaimTry implements [admin.Store].
func (s *Store) ClaimTry(ctx context.Context, keys []string, now time.Time, forget time.Duration, wait func(n int) time.Duration) (time.Time, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (until time.Time, err error) {
		rows := make([]tryRow, len(keys))
		for i, key := range keys {
			// The write takes the row's lock, so that many at once are counted one by one.
			rows[i], err = one(ctx, q, scanTry, `INSERT INTO sign_in_try (platform, key, tries, last_at, delay_until) VALUES ($1, $2, 0, $3, 0)
				ON CONFLICT (platform, key) DO UPDATE SET tries = sign_in_try.tries RETURNING key, tries, last_at, delay_until`, s.platform, key, ms(now))
			if err != nil {
				return until, err
			}
			if rows[i].wait.After(now) && rows[i].wait.After(until) {
				until = rows[i].wait
			}
		}
		if !until.IsZero() {
			return until, nil
		}
		for _, row := range rows {
			n := row.tries + 1
			if now.Sub(row.last) >= forget {
				n = 1
			}
			_, err = exec(ctx, q, `UPDATE sign_in_try SET tries = $3, last_at = $4, delay_until = $5 WHERE platform = $1 AND key = $2`,
				s.platform, row.key, n, ms(now), ms(now.Add(wait(int(n)))))
			if err != nil {
				return until, err
			}
		}
		return until, nil
	})
}

// ForgiveTry implements [admin.Store].
func (s *Store) ForgiveTry(ctx context.Context, clear, lessen []string) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		for _, key := range clear {
			if n, err := exec(ctx, q, `DELETE FROM sign_in_try WHERE platform = $1 AND key = $2`, s.platform, key); err != nil {
				return n, err
			}
		}
		for _, key := range lessen {
			if n, err := exec(ctx, q, `UPDATE sign_in_try SET tries = tries - 1, delay_until = 0 WHERE platform = $1 AND key = $2 AND tries > 0`, s.platform, key); err != nil {
				return n, err
			}
		}
		return 0, nil
	})
	return err
}

// SaveKnown implements [admin.Store].
func (s *Store) SaveKnown(ctx context.Context, key string, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `INSERT INTO known_network (platform, key, seen_at) VALUES ($1, $2, $3)
			ON CONFLICT (platform, key) DO UPDATE SET seen_at = excluded.seen_at`, s.platform, key, ms(now))
	})
	return err
}

// Known implements [admin.Store].
func (s *Store) Known(ctx context.Context, key string, since time.Time) (bool, error) {
	n, err := one(ctx, s.engine.read, scanInt, `SELECT COUNT(*) FROM known_network WHERE platform = $1 AND key = $2 AND seen_at >= $3`, s.platform, key, ms(since))
	return n > 0, err
}
