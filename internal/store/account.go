package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// profileRow is a profile as it is stored. The conversion to and from the
// domain's type holds only while both have the same fields.
type profileRow struct {
	Kind         onboard.AccountKind `json:"kind"`
	Nickname     string              `json:"nickname"`
	HeadImageURL string              `json:"head_image"`
	OriginalID   string              `json:"original_id"`
	Alias        string              `json:"alias"`
	Principal    string              `json:"principal"`
	Signature    string              `json:"signature"`
	QRCodeURL    string              `json:"qrcode"`
	ServiceType  int                 `json:"service_type"`
	Verification int                 `json:"verification"`
	Status       int                 `json:"status"`
	RegisterType int                 `json:"register_type"`
	Categories   []onboard.Category  `json:"categories,omitempty"`
}

const accountColumns = `appid, standing, profile, profile_at, grants, wanted, authorized_at, local_time, revoked_at, no_api,
	access_expires_at, refreshed_at, failures, last_error, stopped_at, created_at, updated_at, picture`

func scanAccount(r *sql.Rows) (a onboard.Account, err error) {
	var p profileRow
	err = r.Scan(&a.AppID, &a.Standing, jsonOf[profileRow]{&p}, msTime{&a.ProfileAt}, grantsOf{&a.Grants}, jsonOf[[]onboard.PermissionID]{&a.Wanted},
		msTime{&a.AuthorizedAt}, &a.LocalTime, msTime{&a.RevokedAt}, &a.NoAPI, msTime{&a.AccessExpiresAt}, msTime{&a.RefreshedAt},
		&a.Failures, &a.LastError, msTime{&a.StoppedAt}, msTime{&a.CreatedAt}, msTime{&a.UpdatedAt}, &a.Picture)
	a.Profile = onboard.Profile(p)
	return a, err
}

const (
	accountByAppID     = `SELECT ` + accountColumns + ` FROM account WHERE platform = $1 AND appid = $2`
	credentialsByAppID = `SELECT access_token, access_expires_at, refresh_token, standing, no_api, stopped_at FROM account WHERE platform = $1 AND appid = $2`
)

// Account implements [onboard.Store].
func (s *Store) Account(ctx context.Context, appID onboard.AppID) (onboard.Account, error) {
	return one(ctx, s.engine.read, scanAccount, accountByAppID, s.platform, string(appID))
}

type sealedCredentials struct {
	onboard.Credentials
	access, refresh string
}

func scanCredentials(r *sql.Rows) (c sealedCredentials, err error) {
	var stopped time.Time
	err = r.Scan(&c.access, msTime{&c.AccessExpiresAt}, &c.refresh, &c.Standing, &c.NoAPI, msTime{&stopped})
	c.Stopped = !stopped.IsZero()
	return c, err
}

// Credentials implements [onboard.Store]. Tokens that do not open are an error
// that wraps secret.ErrUnsealed.
func (s *Store) Credentials(ctx context.Context, appID onboard.AppID) (onboard.Credentials, error) {
	c, err := one(ctx, s.engine.read, scanCredentials, credentialsByAppID, s.platform, string(appID))
	if err != nil {
		return onboard.Credentials{}, err
	}
	row := s.row(string(appID))
	c.AppID = appID
	if c.Access, err = s.open("account", "access_token", row, c.access); err != nil {
		return onboard.Credentials{}, err
	}
	if c.Refresh, err = s.open("account", refreshColumn, row, c.refresh); err != nil {
		return onboard.Credentials{}, err
	}
	return c.Credentials, nil
}

// SaveProfile implements [onboard.Store]. An account that is not there is
// onboard.ErrNoRow. Another head image is fetched later; until then the account
// keeps the one it has.
func (s *Store) SaveProfile(ctx context.Context, appID onboard.AppID, p onboard.Profile, now time.Time) error {
	b, err := json.Marshal(profileRow(p))
	if err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	_, err = write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		n, err := exec(ctx, q, `UPDATE account SET profile = $3, profile_at = $4, profile_tried_at = $4, updated_at = $4,
				picture_tries = CASE WHEN picture_source = $5 THEN picture_tries ELSE 0 END,
				picture_tried_at = CASE WHEN picture_source = $5 THEN picture_tried_at ELSE 0 END,
				picture = CASE WHEN $5 = '' THEN '' ELSE picture END,
				picture_done = CASE WHEN $5 = '' THEN '' ELSE picture_done END,
				picture_source = $5
			WHERE platform = $1 AND appid = $2`, s.platform, string(appID), string(b), ms(now), p.HeadImageURL)
		if err != nil {
			return n, err
		}
		if n == 0 {
			return n, onboard.ErrNoRow
		}
		return n, s.list(ctx, q, appID, now)
	})
	return err
}

// As with accounts that are due, the outer condition fits no index.
const (
	unprofiled      = `SELECT appid FROM account WHERE platform = $1 AND profile_at = 0 AND profile_tried_at < $2 AND standing IN ('active', 'quarantined')`
	claimUnprofiled = `UPDATE account SET profile_tried_at = $3
		WHERE platform = $1 AND profile_at + 0 = 0 AND profile_tried_at + 0 < $2 AND appid IN (` + unprofiled + ` ORDER BY profile_tried_at LIMIT $4)
		RETURNING appid`
)

// ClaimUnprofiled implements [onboard.Store]. Accounts that withdrew are left
// out: WeChat does not show their profile any more.
func (s *Store) ClaimUnprofiled(ctx context.Context, now, before time.Time, limit int) ([]onboard.AppID, error) {
	waiting, err := many(ctx, s.engine.read, scanString, unprofiled+` LIMIT 1`, s.platform, ms(before))
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	return write(ctx, s, func(ctx context.Context, q querier) ([]onboard.AppID, error) {
		return many(ctx, q, scanAppID, claimUnprofiled, s.platform, ms(before), ms(now), limit)
	})
}

func scanAppID(r *sql.Rows) (id onboard.AppID, err error) { return id, r.Scan(&id) }

// SaveRevoked implements [onboard.Store]. An authorization of the same second
// counts as older, because serving a withdrawn account is the worse mistake.
// For an account that was revoked already the result is false.
func (s *Store) SaveRevoked(ctx context.Context, appID onboard.AppID, at, now time.Time) (bool, error) {
	return s.tombstone(ctx, appID, at, now, func(h held) bool { return !later(h.authorizedAt, h.local, at, false) })
}

// SaveGone implements [onboard.Store].
func (s *Store) SaveGone(ctx context.Context, appID onboard.AppID, seen, at, now time.Time) (bool, error) {
	return s.tombstone(ctx, appID, at, now, func(h held) bool { return ms(h.authorizedAt) == ms(seen) })
}

// tombstone revokes an account if the row as it stands allows it.
func (s *Store) tombstone(ctx context.Context, appID onboard.AppID, at, now time.Time, allowed func(held) bool) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		h, err := s.lockAccount(ctx, q, appID, now)
		if err != nil || !allowed(h) || h.standing == onboard.Revoked && !later(at, false, h.revokedAt, false) {
			return false, err
		}
		// The raised fence refuses the result of a refresh that is under way.
		_, err = exec(ctx, q, `UPDATE account SET standing = 'revoked', revoked_at = $3, due_at = 0, lease_until = 0,
				fence = fence + 1, updated_at = $4 WHERE platform = $1 AND appid = $2`, s.platform, string(appID), ms(at), ms(now))
		if err != nil || h.standing == onboard.Revoked {
			return false, err
		}
		_, err = exec(ctx, q, `UPDATE attempt SET revoked_at = $3, version = version + 1
			WHERE platform = $1 AND appid = $2 AND appid <> '' AND finished_at > 0 AND revoked_at = 0`, s.platform, string(appID), ms(at))
		if err != nil {
			return false, err
		}
		if err := s.addAccountEvent(ctx, q, appID, admin.AccountRevoked, "", at, now); err != nil {
			return false, err
		}
		return true, s.list(ctx, q, appID, now)
	})
}

// SaveRescan implements [onboard.Store]. A claim that was lost is
// onboard.ErrFenced.
func (s *Store) SaveRescan(ctx context.Context, appID onboard.AppID, fence int64, reason string, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (struct{}, error) {
		n, err := exec(ctx, q, `UPDATE account SET standing = 'rescan', last_error = $4, due_at = 0, lease_until = 0, updated_at = $5
			WHERE platform = $1 AND appid = $2 AND fence = $3 AND standing IN ('active', 'quarantined')`,
			s.platform, string(appID), fence, reason, ms(now))
		if err != nil {
			return struct{}{}, err
		}
		if n == 0 {
			return struct{}{}, onboard.ErrFenced
		}
		if err := s.addAccountEvent(ctx, q, appID, admin.AccountRescan, reason, now, now); err != nil {
			return struct{}{}, err
		}
		if err := s.list(ctx, q, appID, now); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.logRefresh(ctx, q, appID, now, reason)
	})
	return err
}
