package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"time"

	"usher/internal/onboard"
)

// pictureTries is how often a picture is asked for that does not come; then a new
// one of the account is waited for.
const pictureTries = 6

// As with accounts that are due, the outer condition fits no index.
const (
	pictureless = `SELECT appid FROM account WHERE platform = $1 AND picture_source <> picture_done AND picture_tried_at < $2
		AND picture_source <> '' AND picture_tries < $5`
	claimPictures = `UPDATE account SET picture_tried_at = $3, picture_tries = picture_tries + 1
		WHERE platform = $1 AND picture_tried_at + 0 < $2 AND appid IN (` + pictureless + ` ORDER BY picture_tried_at LIMIT $4)
		RETURNING appid, picture_source`
	// The same question with the numbers of a read.
	noPicture = `SELECT appid FROM account WHERE platform = $1 AND picture_source <> picture_done AND picture_tried_at < $2
		AND picture_source <> '' AND picture_tries < $3 LIMIT 1`
	pictureByHash = `SELECT picture FROM head_image WHERE platform = $1 AND hash = $2`
)

func scanPicture(r *sql.Rows) (w onboard.WantedPicture, err error) {
	return w, r.Scan(&w.AppID, &w.Source)
}

// ClaimPictures implements [onboard.Store].
func (s *Store) ClaimPictures(ctx context.Context, now, before time.Time, limit int) ([]onboard.WantedPicture, error) {
	waiting, err := many(ctx, s.engine.read, scanString, noPicture, s.platform, ms(before), pictureTries)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	return write(ctx, s, func(ctx context.Context, q querier) ([]onboard.WantedPicture, error) {
		return many(ctx, q, scanPicture, claimPictures, s.platform, ms(before), ms(now), limit, pictureTries)
	})
}

// SavePicture implements [onboard.Store]. A picture that no account has any more is
// dropped.
func (s *Store) SavePicture(ctx context.Context, w onboard.WantedPicture, hash string, png []byte) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		old, err := many(ctx, q, scanString, `SELECT picture FROM account WHERE platform = $1 AND appid = $2 AND picture <> '' AND picture <> $3`,
			s.platform, string(w.AppID), hash)
		if err != nil {
			return 0, err
		}
		n, err := exec(ctx, q, `UPDATE account SET picture = $3, picture_done = $4, picture_tries = 0
			WHERE platform = $1 AND appid = $2 AND picture_source = $4`, s.platform, string(w.AppID), hash, w.Source)
		if err != nil || n == 0 { // the account has another picture by now
			return n, err
		}
		if hash != "" {
			if _, err := exec(ctx, q, `INSERT INTO head_image (platform, hash, picture) VALUES ($1, $2, $3) ON CONFLICT (platform, hash) DO NOTHING`,
				s.platform, hash, base64.StdEncoding.EncodeToString(png)); err != nil {
				return 0, err
			}
		}
		for _, hash := range old {
			if _, err := exec(ctx, q, `DELETE FROM head_image WHERE platform = $1 AND hash = $2
				AND NOT EXISTS (SELECT 1 FROM account WHERE account.platform = $1 AND account.picture = $2)`, s.platform, hash); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
	return err
}

// Picture implements [onboard.Store].
func (s *Store) Picture(ctx context.Context, hash string) ([]byte, error) {
	text, err := one(ctx, s.engine.read, scanString, pictureByHash, s.platform, hash)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}
