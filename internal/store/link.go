package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"usher/internal/onboard"
)

const linkColumns = `hash, token, appid, created_at`

type sealedLink struct {
	onboard.DashboardLink
	token string
}

func scanLink(r *sql.Rows) (l sealedLink, err error) {
	return l, r.Scan(&l.Hash, &l.token, &l.AppID, msTime{&l.CreatedAt})
}

// SaveLink implements [onboard.Store]. An account has one live link: while there
// is one, nothing is inserted, and the caller reads the one that counts.
func (s *Store) SaveLink(ctx context.Context, l onboard.DashboardLink) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) { return s.insertLink(ctx, q, l) })
	return err
}

func (s *Store) insertLink(ctx context.Context, q querier, l onboard.DashboardLink) (int64, error) {
	return exec(ctx, q, `INSERT INTO dashboard_link (platform, `+linkColumns+`, revoked_at) VALUES ($1, $2, $3, $4, $5, 0)
		ON CONFLICT (platform, appid) WHERE revoked_at = 0 DO NOTHING`,
		s.platform, l.Hash, s.ring.Seal("dashboard_link", "token", s.row(l.Hash), l.Token), string(l.AppID), ms(l.CreatedAt))
}

// RevokeLink implements [onboard.Store]. The revoked token itself is wiped.
func (s *Store) RevokeLink(ctx context.Context, hash string, next onboard.DashboardLink, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		n, err := exec(ctx, q, `UPDATE dashboard_link SET revoked_at = $3, token = ''
			WHERE platform = $1 AND hash = $2 AND revoked_at = 0`, s.platform, hash, ms(now))
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, onboard.ErrNoRow
		}
		n, err = s.insertLink(ctx, q, next)
		if err == nil && n == 0 {
			err = fmt.Errorf("account %s has another live link", next.AppID)
		}
		return n, err
	})
	return err
}

const (
	linkByHash  = `SELECT ` + linkColumns + ` FROM dashboard_link WHERE platform = $1 AND hash = $2 AND revoked_at = 0`
	linkByAppID = `SELECT ` + linkColumns + ` FROM dashboard_link WHERE platform = $1 AND appid = $2 AND revoked_at = 0`
)

// LinkByHash implements [onboard.Store].
func (s *Store) LinkByHash(ctx context.Context, hash string) (onboard.DashboardLink, error) {
	return s.link(ctx, linkByHash, hash)
}

// LinkByAppID implements [onboard.Store].
func (s *Store) LinkByAppID(ctx context.Context, appID onboard.AppID) (onboard.DashboardLink, error) {
	return s.link(ctx, linkByAppID, string(appID))
}

func (s *Store) link(ctx context.Context, text, key string) (onboard.DashboardLink, error) {
	l, err := one(ctx, s.engine.read, scanLink, text, s.platform, key)
	if err != nil {
		return onboard.DashboardLink{}, err
	}
	if l.Token, err = s.open("dashboard_link", "token", s.row(l.Hash), l.token); err != nil {
		return onboard.DashboardLink{}, err
	}
	return l.DashboardLink, nil
}
