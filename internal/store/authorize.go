package store

import (
	"context"
	"database/sql"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// sealedTokens are tokens ready for their row; empty members change nothing.
type sealedTokens struct {
	access      string
	expires     int64
	refresh     string
	refreshHash string
}

// The kept refresh tokens of an account are sealed for the same place as the
// present one, so that it can become a kept one inside the database.
const refreshColumn = "refresh_token"

func (s *Store) sealTokens(appID onboard.AppID, t onboard.Tokens, now time.Time) sealedTokens {
	row := s.row(string(appID))
	p := sealedTokens{access: s.ring.Seal("account", "access_token", row, t.Access), refresh: s.ring.Seal("account", refreshColumn, row, t.Refresh)}
	if p.access != "" {
		p.expires = ms(now.Add(t.Life))
	}
	if p.refresh != "" {
		p.refreshHash = s.hasher.Hash("refresh token", t.Refresh.Reveal())
	}
	return p
}

// tokenUpdate writes sealedTokens, given as $3 to $6, over a row of account.
const tokenUpdate = `
	access_token = CASE WHEN $3 = '' THEN access_token ELSE $3 END,
	access_expires_at = CASE WHEN $3 = '' THEN access_expires_at ELSE $4 END,
	refresh_token = CASE WHEN $5 = '' THEN refresh_token ELSE $5 END,
	refresh_hash = CASE WHEN $5 = '' THEN refresh_hash ELSE $6 END`

// held is what authorize needs to know of the row as it stands.
type held struct {
	standing     onboard.Standing
	authorizedAt time.Time
	local        bool
	revokedAt    time.Time
	grants       onboard.Grants
	tokens       bool
	refreshedAt  time.Time // when WeChat gave the access token
}

func scanHeld(r *sql.Rows) (h held, err error) {
	var access, refresh string
	err = r.Scan(&h.standing, msTime{&h.authorizedAt}, &h.local, msTime{&h.revokedAt}, grantsOf{&h.grants}, &access, &refresh, msTime{&h.refreshedAt})
	h.tokens = access != "" || refresh != ""
	return h, err
}

// lockAccount reads what is held of an account and keeps others from changing
// it until the transaction ends. An account that is not there is made, without
// a standing.
func (s *Store) lockAccount(ctx context.Context, q querier, appID onboard.AppID, now time.Time) (held, error) {
	// The update changes nothing, but it locks the row and returns it, on both
	// engines and with the same text.
	return one(ctx, q, scanHeld, `INSERT INTO account (platform, appid, standing, profile, profile_at, profile_tried_at, grants, wanted,
			authorized_at, local_time, revoked_at, no_api, access_token, access_expires_at, refresh_token, refresh_hash,
			refreshed_at, failures, last_error, due_at, lease_until, fence, created_at, updated_at)
		VALUES ($1, $2, '', '', 0, 0, '', '', 0, FALSE, 0, FALSE, '', 0, '', '', 0, 0, '', 0, 0, 0, $3, $3)
		ON CONFLICT (platform, appid) DO UPDATE SET updated_at = account.updated_at
		RETURNING standing, authorized_at, local_time, revoked_at, grants, access_token, refresh_token, refreshed_at`,
		s.platform, string(appID), ms(now))
}

// authorize writes one authorization over the account, or makes it, unless a
// newer one or a newer withdrawal is stored.
func (s *Store) authorize(ctx context.Context, q querier, a onboard.Arrived, p sealedTokens) (superseded bool, err error) {
	h, err := s.lockAccount(ctx, q, a.AppID, a.Now)
	if err != nil {
		return false, err
	}
	if later(h.authorizedAt, h.local, a.At, a.LocalTime) || later(h.revokedAt, false, a.At, a.LocalTime) {
		return true, s.doubtAccess(ctx, q, a.AppID, p, a.Now)
	}
	fresh := h.authorizedAt.IsZero()
	standing := a.Standing
	if h.standing == onboard.Active {
		standing = onboard.Active // another account than asked for is no reason to stop serving it
	}
	noAPI := p.access == "" && p.refresh == "" && !h.tokens
	due := ms(a.DueAt)
	if noAPI || standing == onboard.Refused {
		due = 0
	}
	grants := a.Grants.Normalize()
	if p.refresh != "" {
		kept, err := s.keepToken(ctx, q, a.AppID, p, a.Now, ``)
		if err != nil {
			return false, err
		}
		if kept > 0 && inDoubt(h, a) {
			due = ms(a.Now)
		}
	}
	if due > 0 && p.access != "" && h.tokens && a.Now.Sub(h.refreshedAt) < overlap {
		due = ms(a.Now) // see doubtAccess
	}
	// A refresh that is still under way began with tokens that are dead now: the
	// raised fence refuses its result.
	_, err = exec(ctx, q, `UPDATE account SET`+tokenUpdate+`,
			standing = $7, grants = $8, wanted = CASE WHEN $14 = '' THEN wanted ELSE $14 END, authorized_at = $9, local_time = $10, revoked_at = 0, no_api = $11,
			refreshed_at = $12, failures = 0, last_error = '', due_at = $13, lease_until = 0, fence = fence + 1, updated_at = $12
		WHERE platform = $1 AND appid = $2`,
		s.platform, string(a.AppID), p.access, p.expires, p.refresh, p.refreshHash,
		string(standing), grantsJSON(grants), ms(a.At), a.LocalTime, noAPI, ms(a.Now), due, toJSON(a.Wanted))
	if err != nil {
		return false, err
	}
	if err := s.addAccountEvent(ctx, q, a.AppID, admin.AccountAuthorized, a.AttemptID, a.At, a.Now); err != nil {
		return false, err
	}
	if err := s.list(ctx, q, a.AppID, a.Now); err != nil {
		return false, err
	}
	if p.access != "" {
		if err := s.logRefresh(ctx, q, a.AppID, a.Now, ""); err != nil {
			return false, err
		}
	}
	if fresh {
		return false, nil
	}
	added, removed := h.grants.Without(grants.IDs()), grants.Without(h.grants.IDs())
	if len(added)+len(removed) == 0 {
		return false, nil
	}
	_, err = exec(ctx, q, `INSERT INTO grant_change (platform, appid, id, at, added, removed) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.platform, string(a.AppID), s.ids.next(a.Now), ms(a.Now), toJSON(added), toJSON(removed))
	return false, err
}

// overlap is longer than a call to WeChat takes from its beginning until its answer
// is stored: two answers that are further apart came one after the other.
const overlap = 2 * time.Minute

// doubtAccess has an account refreshed at once, because an answer that brought p is
// not stored. WeChat lets an access token live for five minutes after it gave out
// another, and which of two calls that were under way at once it served last is not
// known: the token that is stored may be the one that dies. Only a call that begins
// after this settles it; see saveRefreshed.
func (s *Store) doubtAccess(ctx context.Context, q querier, appID onboard.AppID, p sealedTokens, now time.Time) error {
	if p.access == "" {
		return nil
	}
	_, err := exec(ctx, q, `UPDATE account SET due_at = $3 WHERE platform = $1 AND appid = $2 AND due_at > 0`,
		s.platform, string(appID), ms(now))
	return err
}

// doubt is how far our clock and WeChat's may be apart.
const doubt = 10 * time.Minute

// inDoubt reports whether a may be the authorization that is held already, seen
// by another witness: an exchange, or a refresh with what the list told. Then
// either refresh token may be the later one, which a refresh settles.
func inDoubt(h held, a onboard.Arrived) bool {
	return (h.local || a.LocalTime) && h.authorizedAt.Sub(a.At).Abs() < doubt
}

// later reports whether a is after b. WeChat's times are whole seconds, so one of
// our own is cut to seconds before it is compared with one of WeChat's.
func later(a time.Time, aLocal bool, b time.Time, bLocal bool) bool {
	if aLocal != bLocal {
		a, b = a.Truncate(time.Second), b.Truncate(time.Second)
	}
	return ms(a) > ms(b)
}
