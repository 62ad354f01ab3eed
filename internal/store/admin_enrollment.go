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
