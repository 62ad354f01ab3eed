package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// errStale fails a write that has already taken a lock; outside it is
// onboard.ErrFenced, which the writer would take for one that changed nothing.
var errStale = errors.New("the row is of another version")

func fencedIfStale(err error) error {
	if errors.Is(err, errStale) {
		return onboard.ErrFenced
	}
	return err
}

// SaveLogo implements [admin.Store].
func (s *Store) SaveLogo(ctx context.Context, hash string, png []byte) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `INSERT INTO logo (platform, hash, picture) VALUES ($1, $2, $3) ON CONFLICT (platform, hash) DO NOTHING`,
			s.platform, hash, base64.StdEncoding.EncodeToString(png))
	})
	return err
}

// Logo implements [admin.Store].
func (s *Store) Logo(ctx context.Context, hash string) ([]byte, error) {
	text, err := one(ctx, s.engine.read, scanString, `SELECT picture FROM logo WHERE platform = $1 AND hash = $2`, s.platform, hash)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

type secretRow struct {
	name, value string
	at          time.Time
	by          string
}

func scanSecret(r *sql.Rows) (v secretRow, err error) {
	return v, r.Scan(&v.name, &v.value, msTime{&v.at}, &v.by)
}

// PlatformSecrets implements [admin.Store].
func (s *Store) PlatformSecrets(ctx context.Context) (map[admin.CredentialName]admin.Credential, error) {
	rows, err := many(ctx, s.engine.read, scanSecret, `SELECT name, value, updated_at, updated_by FROM platform_secret WHERE platform = $1`, s.platform)
	if err != nil {
		return nil, err
	}
	all := map[admin.CredentialName]admin.Credential{}
	for _, row := range rows {
		value, err := s.open("platform_secret", "value", s.row(row.name), row.value)
		if err != nil {
			return nil, err
		}
		all[admin.CredentialName(row.name)] = admin.Credential{Value: value, UpdatedAt: row.at, UpdatedBy: row.by}
	}
	return all, nil
}

// SavePlatformSecret implements [admin.Store].
func (s *Store) SavePlatformSecret(ctx context.Context, name admin.CredentialName, value secret.Secret, by string, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		if value.Empty() {
			return exec(ctx, q, `DELETE FROM platform_secret WHERE platform = $1 AND name = $2`, s.platform, string(name))
		}
		return exec(ctx, q, `INSERT INTO platform_secret (platform, name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			s.platform, string(name), s.ring.Seal("platform_secret", "value", s.row(string(name)), value), ms(now), by)
	})
	return err
}
