package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"usher/internal/onboard"
)

type sealedHolding struct {
	onboard.Holding
	access, refresh string
}

func scanHolding(r *sql.Rows) (h sealedHolding, err error) {
	return h, r.Scan(&h.AppID, &h.Standing, msTime{&h.AuthorizedAt}, &h.LocalTime, msTime{&h.RevokedAt}, &h.NoAPI, &h.access, &h.refresh)
}

// Holdings implements [onboard.Store].
func (s *Store) Holdings(ctx context.Context) ([]onboard.Holding, error) {
	rows, err := many(ctx, s.engine.read, scanHolding, `SELECT appid, standing, authorized_at, local_time, revoked_at, no_api, access_token, refresh_token
		FROM account WHERE platform = $1 AND standing <> '' ORDER BY appid`, s.platform)
	if err != nil {
		return nil, fmt.Errorf("holdings: %w", err)
	}
	out := make([]onboard.Holding, len(rows))
	for i, r := range rows {
		out[i] = r.Holding
		row := s.row(string(r.AppID))
		refresh, err := s.open("account", refreshColumn, row, r.refresh)
		_, accessErr := s.open("account", "access_token", row, r.access)
		if err := errors.Join(err, accessErr); err != nil {
			s.log.ErrorContext(ctx, "a token does not open", "appid", string(r.AppID), "err", err)
			out[i].Damaged = true
		}
		out[i].Refresh = refresh
	}
	return out, nil
}

// SaveRecovered implements [onboard.Store]. When another authorization was stored
// meanwhile, the token that is not stored may all the same be the one that
// works, so it is kept.
func (s *Store) SaveRecovered(ctx context.Context, a onboard.Arrived) (superseded bool, err error) {
	p := s.sealTokens(a.AppID, a.Tokens, a.Now)
	superseded, err = write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		superseded, err := s.authorize(ctx, q, a, p)
		if err != nil || !superseded || p.refresh == "" {
			return superseded, err
		}
		// The casts tell PostgreSQL the types of values that come from a SELECT.
		_, err = exec(ctx, q, `INSERT INTO kept_token (platform, appid, id, refresh, replaced_at)
			SELECT platform, appid, CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS BIGINT) FROM account
			WHERE platform = $1 AND appid = $2 AND due_at > 0 AND refresh_hash <> $3`,
			s.platform, string(a.AppID), p.refreshHash, s.ids.next(a.Now), p.refresh, ms(a.Now))
		return true, err
	})
	if err != nil {
		return false, fmt.Errorf("save a recovered authorization: %w", err)
	}
	return superseded, nil
}

// Settings that say how far the store agrees with WeChat's list.
const (
	settingSwept      = "swept_at"   // milliseconds
	settingUnverified = "unverified" // any value
)

// SweepState implements [onboard.Store].
func (s *Store) SweepState(ctx context.Context) (st onboard.SweepState, err error) {
	rows, err := many(ctx, s.engine.read, func(r *sql.Rows) (kv [2]string, err error) { return kv, r.Scan(&kv[0], &kv[1]) },
		`SELECT name, value FROM setting WHERE platform = $1 AND name IN ('`+settingSwept+`', '`+settingUnverified+`')`, s.platform)
	if err != nil {
		return st, fmt.Errorf("sweep state: %w", err)
	}
	for _, kv := range rows {
		if kv[0] == settingUnverified {
			st.Unverified = true
			continue
		}
		n, err := strconv.ParseInt(kv[1], 10, 64)
		if err != nil {
			return st, fmt.Errorf("sweep state: %w", err)
		}
		st.At = time.UnixMilli(n).UTC()
	}
	return st, nil
}

// SaveSwept implements [onboard.Store].
func (s *Store) SaveSwept(ctx context.Context, at time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		if _, err := exec(ctx, q, `DELETE FROM setting WHERE platform = $1 AND name = $2`, s.platform, settingUnverified); err != nil {
			return 0, err
		}
		return s.saveSetting(ctx, q, settingSwept, strconv.FormatInt(ms(at), 10))
	})
	return err
}

// MarkUnverified records that the tokens of this database may be old, as after a
// restore. None is served until a sweep compared them with WeChat's list.
func (s *Store) MarkUnverified(ctx context.Context) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return s.saveSetting(ctx, q, settingUnverified, "1")
	})
	return err
}

func (s *Store) saveSetting(ctx context.Context, q querier, name, value string) (int64, error) {
	return exec(ctx, q, `INSERT INTO setting (platform, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value`, s.platform, name, value)
}
