package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func scanEnrollment(r *sql.Rows) (e admin.Enrollment, err error) {
	return e, r.Scan(&e.Hash, &e.AdminID, msTime{&e.CreatedAt}, msTime{&e.ExpiresAt}, msTime{&e.UsedAt})
}

// SaveEnrollment implements [admin.Store].
func (s *Store) SaveEnrollment(ctx context.Context, e admin.Enrollment) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		// Several processes may print a token for the first owner at once; each counts.
		if n, err := exec(ctx, q, `DELETE FROM admin_enrollment WHERE platform = $1 AND admin_id = $2 AND admin_id <> ''`, s.platform, e.AdminID); err != nil {
			return n, err
		}
		return exec(ctx, q, `INSERT INTO admin_enrollment (platform, hash, admin_id, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			s.platform, e.Hash, e.AdminID, ms(e.CreatedAt), ms(e.ExpiresAt))
	})
	return err
}

// Enrollment implements [admin.Store].
func (s *Store) Enrollment(ctx context.Context, hash string, now time.Time) (admin.Enrollment, error) {
	return s.enrollment(ctx, s.engine.read, hash, now)
}

// A token for the first owner does not count any more when there is an admin.
func (s *Store) enrollment(ctx context.Context, q querier, hash string, now time.Time) (admin.Enrollment, error) {
	return one(ctx, q, scanEnrollment, `SELECT hash, admin_id, created_at, expires_at, used_at FROM admin_enrollment
		WHERE platform = $1 AND hash = $2 AND used_at = 0 AND expires_at > $3
			AND (admin_id <> '' OR NOT EXISTS (SELECT 1 FROM admin WHERE platform = $1 AND removed_at = 0))`, s.platform, hash, ms(now))
}

// errSpent fails a use of a token after the lock was taken; see errStale.
var errSpent = errors.New("the token is spent")

// UseEnrollment implements [admin.Store].
func (s *Store) UseEnrollment(ctx context.Context, hash string, a admin.Admin, now time.Time) (admin.Admin, error) {
	out, err := write(ctx, s, func(ctx context.Context, q querier) (admin.Admin, error) {
		if err := s.lockConsole(ctx, q); err != nil {
			return a, err
		}
		e, err := s.enrollment(ctx, q, hash, now)
		if errors.Is(err, onboard.ErrNoRow) {
			err = errSpent
		}
		if err != nil {
			return a, err
		}
		if n, err := exec(ctx, q, `UPDATE admin_enrollment SET used_at = $3 WHERE platform = $1 AND hash = $2 AND used_at = 0`, s.platform, hash, ms(now)); err != nil || n == 0 {
			return a, errors.Join(err, errSpent)
		}
		if e.AdminID == "" {
			_, err := s.insertAdmin(ctx, q, a)
			return a, err
		}
		n, err := exec(ctx, q, `UPDATE admin SET password = $3, totp = '', totp_next = '', recovery = '', version = version + 1
			WHERE platform = $1 AND id = $2 AND removed_at = 0`, s.platform, e.AdminID, a.Password)
		if err != nil || n == 0 {
			return a, errors.Join(err, errSpent)
		}
		if _, err := exec(ctx, q, `DELETE FROM admin_session WHERE platform = $1 AND admin_id = $2`, s.platform, e.AdminID); err != nil {
			return a, err
		}
		return s.adminWhere(ctx, q, `admin.id = $2`, e.AdminID)
	})
	if errors.Is(err, errSpent) {
		err = onboard.ErrNoRow
	}
	return out, err
}

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
