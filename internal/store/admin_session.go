package store

import (
	"context"
	"database/sql"
	"time"

	"usher/internal/admin"
)

const sessionColumns = `s.id, s.hash, s.admin_id, s.pending, s.created_at, s.seen_at, s.ends_at, s.address, s.browser, s.flash`

func sessionFields(v *admin.Session) []any {
	return []any{&v.ID, &v.Hash, &v.AdminID, &v.Pending, msTime{&v.CreatedAt}, msTime{&v.SeenAt}, msTime{&v.EndsAt}, &v.Address, &v.Browser, &v.Flash}
}

func scanSession(r *sql.Rows) (v admin.Session, err error) { return v, r.Scan(sessionFields(&v)...) }

// SaveSession implements [admin.Store].
func (s *Store) SaveSession(ctx context.Context, v admin.Session) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `INSERT INTO admin_session (platform, hash, id, admin_id, pending, created_at, seen_at, ends_at, address, browser, flash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, s.platform, v.Hash, v.ID, v.AdminID, v.Pending,
			ms(v.CreatedAt), ms(v.SeenAt), ms(v.EndsAt), v.Address, v.Browser, v.Flash)
	})
	return err
}

// SessionByHash implements [admin.Store].
func (s *Store) SessionByHash(ctx context.Context, hash string) (admin.Session, admin.Admin, error) {
	var v admin.Session
	scan := func(r *sql.Rows) (a sealedAdmin, err error) {
		return a, r.Scan(append(sessionFields(&v), a.fields()...)...)
	}
	a, err := s.openAdmin(one(ctx, s.engine.read, scan, `SELECT `+sessionColumns+`, `+adminColumns+`
		FROM admin_session s JOIN admin ON admin.platform = s.platform AND admin.id = s.admin_id
		WHERE s.platform = $1 AND s.hash = $2 AND admin.removed_at = 0`, s.platform, hash))
	return v, a, err
}

// TouchSession implements [admin.Store].
func (s *Store) TouchSession(ctx context.Context, hash string, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE admin_session SET seen_at = $3 WHERE platform = $1 AND hash = $2 AND seen_at < $3`, s.platform, hash, ms(now))
	})
	return err
}

// Sessions implements [admin.Store].
func (s *Store) Sessions(ctx context.Context, adminID string) ([]admin.Session, error) {
	return many(ctx, s.engine.read, scanSession, `SELECT `+sessionColumns+` FROM admin_session s
		WHERE s.platform = $1 AND s.admin_id = $2 ORDER BY s.seen_at DESC, s.id`, s.platform, adminID)
}

// EndSession implements [admin.Store].
func (s *Store) EndSession(ctx context.Context, adminID, id string) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		n, err := exec(ctx, q, `DELETE FROM admin_session WHERE platform = $1 AND admin_id = $2 AND id = $3`, s.platform, adminID, id)
		return n > 0, err
	})
}

// EndSessions implements [admin.Store].
func (s *Store) EndSessions(ctx context.Context, adminID, keep string) (int64, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `DELETE FROM admin_session WHERE platform = $1 AND admin_id = $2 AND id <> $3`, s.platform, adminID, keep)
	})
}

// PruneSessions implements [admin.Store].
func (s *Store) PruneSessions(ctx context.Context, now, tries, networks time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		if n, err := exec(ctx, q, `DELETE FROM admin_session WHERE platform = $1 AND ends_at < $2`, s.platform, ms(now)); err != nil {
			return n, err
		}
		if n, err := exec(ctx, q, `DELETE FROM admin_enrollment WHERE platform = $1 AND expires_at < $2`, s.platform, ms(now)); err != nil {
			return n, err
		}
		if n, err := exec(ctx, q, `DELETE FROM known_network WHERE platform = $1 AND seen_at < $2`, s.platform, ms(networks)); err != nil {
			return n, err
		}
		return exec(ctx, q, `DELETE FROM sign_in_try WHERE platform = $1 AND last_at < $2`, s.platform, ms(tries))
	})
	return err
}

// SaveFlash implements [admin.Store].
func (s *Store) SaveFlash(ctx context.Context, hash, text string) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE admin_session SET flash = $3 WHERE platform = $1 AND hash = $2`, s.platform, hash, text)
	})
	return err
}

// TakeFlash implements [admin.Store].
func (s *Store) TakeFlash(ctx context.Context, hash string) (string, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (string, error) {
		texts, err := many(ctx, q, scanString, `SELECT flash FROM admin_session WHERE platform = $1 AND hash = $2`, s.platform, hash)
		if err != nil || len(texts) == 0 || texts[0] == "" {
			return "", err
		}
		_, err = exec(ctx, q, `UPDATE admin_session SET flash = '' WHERE platform = $1 AND hash = $2`, s.platform, hash)
		return texts[0], err
	})
}
