package store

import (
	"context"
	"time"

	"usher/internal/onboard"
)

// SaveStopped implements [onboard.Store].
func (s *Store) SaveStopped(ctx context.Context, appID onboard.AppID, stop bool, now time.Time) (bool, error) {
	text := `UPDATE account SET stopped_at = 0, updated_at = $3 WHERE platform = $1 AND appid = $2 AND stopped_at > 0`
	if stop {
		text = `UPDATE account SET stopped_at = $3, updated_at = $3 WHERE platform = $1 AND appid = $2 AND stopped_at = 0 AND standing <> ''`
	}
	return s.changeAccount(ctx, appID, now, text)
}

// SaveDecision implements [onboard.Store]. An account that was refused is due at
// once when it is accepted: its token is old.
func (s *Store) SaveDecision(ctx context.Context, appID onboard.AppID, accept bool, now time.Time) (bool, error) {
	text := `UPDATE account SET standing = 'refused', due_at = 0, lease_until = 0, updated_at = $3
		WHERE platform = $1 AND appid = $2 AND standing = 'quarantined'`
	if accept {
		text = `UPDATE account SET updated_at = $3, standing = 'active',
				due_at = CASE WHEN standing = 'refused' AND NOT no_api THEN $3 ELSE due_at END
			WHERE platform = $1 AND appid = $2 AND standing IN ('quarantined', 'refused')`
	}
	return s.changeAccount(ctx, appID, now, text)
}

// changeAccount runs one conditional update of an account and reports whether it
// changed anything.
func (s *Store) changeAccount(ctx context.Context, appID onboard.AppID, now time.Time, text string) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		n, err := exec(ctx, q, text, s.platform, string(appID), ms(now))
		if err != nil {
			return false, err
		}
		if n == 0 {
			_, err = one(ctx, q, scanString, `SELECT appid FROM account WHERE platform = $1 AND appid = $2`, s.platform, string(appID))
			return false, err
		}
		return true, s.list(ctx, q, appID, now)
	})
}
