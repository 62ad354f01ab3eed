package store

import (
	"context"
	"fmt"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// keptTokens is how many replaced refresh tokens of an account are kept while
// none of the later ones has worked.
const keptTokens = 4

// keepToken puts the refresh token that p is about to replace beside it, unless p
// brings the same one, and returns the id of the row or 0. condition limits it
// further, with its arguments from $6 on. Only the newest few are kept.
func (s *Store) keepToken(ctx context.Context, q querier, appID onboard.AppID, p sealedTokens, now time.Time, condition string, args ...any) (int64, error) {
	id := s.ids.next(now)
	// The casts tell PostgreSQL the types of values that come from a SELECT.
	n, err := exec(ctx, q, `INSERT INTO kept_token (platform, appid, id, refresh, replaced_at)
		SELECT platform, appid, CAST($3 AS BIGINT), refresh_token, CAST($4 AS BIGINT) FROM account
		WHERE platform = $1 AND appid = $2 AND refresh_token <> '' AND refresh_hash <> $5 `+condition,
		append([]any{s.platform, string(appID), id, ms(now), p.refreshHash}, args...)...)
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = exec(ctx, q, `DELETE FROM kept_token WHERE platform = $1 AND appid = $2 AND id NOT IN (
		SELECT id FROM kept_token WHERE platform = $1 AND appid = $2 ORDER BY id DESC LIMIT $3)`, s.platform, string(appID), keptTokens)
	return id, err
}

// KeptTokens implements [onboard.Store].
func (s *Store) KeptTokens(ctx context.Context, appID onboard.AppID) ([]secret.Secret, error) {
	rows, err := many(ctx, s.engine.read, scanString,
		`SELECT refresh FROM kept_token WHERE platform = $1 AND appid = $2 ORDER BY id DESC`, s.platform, string(appID))
	if err != nil {
		return nil, fmt.Errorf("kept tokens: %w", err)
	}
	var out []secret.Secret
	for _, sealed := range rows {
		v, err := s.open("account", refreshColumn, s.row(string(appID)), sealed)
		if err != nil {
			s.log.ErrorContext(ctx, "a kept refresh token does not open", "appid", string(appID), "err", err)
			continue
		}
		out = append(out, v)
	}
	return out, nil
}
