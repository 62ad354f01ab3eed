package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"usher/internal/failpoint"
	"usher/internal/onboard"
)

const dueColumns = `appid, refresh_token, fence, failures, access_expires_at, due_at`

type sealedDue struct {
	onboard.Due
	refresh string
}

func scanDue(r *sql.Rows) (d sealedDue, err error) {
	return d, r.Scan(&d.AppID, &d.refresh, &d.Fence, &d.Failures, msTime{&d.EndsAt}, msTime{&d.DueAt})
}

// due_at is 0 for accounts that are not refreshed, and stopped_at is not for
// those that the operator stopped, so one index holds exactly the others. After an
// outage many are due: tokens that still live come first, the one that ends next
// before the others, and those that have ended last, because whoever reads one of
// them has it refreshed at once. The outer condition is written so that no index
// fits it: the rows are found by the few keys of the inner one, not by walking all
// that is due.
const (
	anyDue   = `SELECT appid FROM account WHERE platform = $1 AND due_at > 0 AND stopped_at = 0 AND due_at <= $2 AND lease_until <= $2`
	dueNow   = anyDue + ` ORDER BY access_expires_at <= $2, access_expires_at, due_at LIMIT $3`
	claimDue = `UPDATE account SET lease_until = $4, fence = fence + 1
		WHERE platform = $1 AND due_at + 0 > 0 AND due_at + 0 <= $2 AND lease_until <= $2 AND appid IN (` + dueNow + `)
		RETURNING ` + dueColumns
)

// ClaimDue implements [onboard.Store]. Quarantined accounts are kept fresh too, so
// that they can be accepted later. A token that does not open comes back
// empty, as one that was lost; the log says so.
func (s *Store) ClaimDue(ctx context.Context, now, leaseUntil time.Time, limit int) ([]onboard.Due, error) {
	waiting, err := many(ctx, s.engine.read, scanString, anyDue+` LIMIT 1`, s.platform, ms(now))
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	rows, err := write(ctx, s, func(ctx context.Context, q querier) ([]sealedDue, error) {
		return many(ctx, q, scanDue, claimDue, s.platform, ms(now), limit, ms(leaseUntil))
	})
	if err != nil {
		return nil, fmt.Errorf("claim accounts due: %w", err)
	}
	slices.SortFunc(rows, func(a, b sealedDue) int { // as dueNow does
		return cmp.Or(ended(a, now)-ended(b, now), a.EndsAt.Compare(b.EndsAt), a.DueAt.Compare(b.DueAt))
	})
	out := make([]onboard.Due, len(rows))
	for i, r := range rows {
		out[i] = s.openDue(ctx, r)
	}
	return out, nil
}

// ended is 1 for an account whose access token is over, and 0 for the others.
func ended(d sealedDue, now time.Time) int {
	if d.EndsAt.After(now) {
		return 0
	}
	return 1
}

// ClaimAccount implements [onboard.Store]. ok is false too for an account that is
// not refreshed: revoked, to be scanned again, or without API permission.
func (s *Store) ClaimAccount(ctx context.Context, appID onboard.AppID, now, leaseUntil time.Time) (d onboard.Due, ok bool, err error) {
	rows, err := write(ctx, s, func(ctx context.Context, q querier) ([]sealedDue, error) {
		rows, err := many(ctx, q, scanDue, `UPDATE account SET lease_until = $4, fence = fence + 1
			WHERE platform = $1 AND appid = $2 AND due_at > 0 AND lease_until <= $3
			RETURNING `+dueColumns, s.platform, string(appID), ms(now), ms(leaseUntil))
		if err == nil && len(rows) == 0 {
			_, err = one(ctx, q, scanString, `SELECT appid FROM account WHERE platform = $1 AND appid = $2`, s.platform, string(appID))
		}
		return rows, err
	})
	if err != nil || len(rows) == 0 {
		return onboard.Due{}, false, err
	}
	return s.openDue(ctx, rows[0]), true, nil
}

func (s *Store) openDue(ctx context.Context, r sealedDue) onboard.Due {
	var err error
	if r.Refresh, err = s.open("account", refreshColumn, s.row(string(r.AppID)), r.refresh); err != nil {
		s.log.ErrorContext(ctx, "a refresh token does not open", "appid", r.AppID, "err", err)
	}
	return r.Due
}

// SaveRefreshed implements [onboard.Store]. Tokens that the database does not take
// now are kept as by FinishExchange.
func (s *Store) SaveRefreshed(ctx context.Context, results []onboard.Refreshed) (fenced []onboard.AppID, err error) {
	fenced, err = s.saveAllRefreshed(ctx, results)
	if settled(err) {
		return fenced, err
	}
	var answers []answer
	for _, r := range results {
		if !r.Tokens.Access.Empty() || !r.Tokens.Refresh.Empty() {
			answers = append(answers, refreshAnswer(r))
		}
	}
	if len(answers) == 0 {
		return nil, err
	}
	return nil, s.keep(ctx, err, answers...)
}

func (s *Store) saveAllRefreshed(ctx context.Context, results []onboard.Refreshed) (fenced []onboard.AppID, err error) {
	if err := failpoint.Fail("refresh.store"); err != nil {
		return nil, err
	}
	sealed := make([]sealedTokens, len(results))
	for i, r := range results {
		sealed[i] = s.sealTokens(r.AppID, r.Tokens, r.Now)
	}
	return write(ctx, s, func(ctx context.Context, q querier) (fenced []onboard.AppID, err error) {
		for i, r := range results {
			n, err := s.saveRefreshed(ctx, q, r, sealed[i])
			if err != nil {
				return nil, fmt.Errorf("save refreshed tokens: %w", err)
			}
			if n == 0 {
				fenced = append(fenced, r.AppID)
				if err := s.doubtAccess(ctx, q, r.AppID, sealed[i], r.Now); err != nil {
					return nil, fmt.Errorf("doubt an access token: %w", err)
				}
			}
		}
		return fenced, nil
	})
}

// saveRefreshed ends one claim. A success ends the count of failures, a failure
// of the account raises it, and one of the platform leaves it. An account whose
// access token was doubted since the claim stays due: the call was under way then
// and cannot settle it. The casts keep PostgreSQL from taking a number compared
// with 0 for one of 32 bits.
func (s *Store) saveRefreshed(ctx context.Context, q querier, r onboard.Refreshed, p sealedTokens) (int64, error) {
	failures, refreshedAt := int64(1), int64(0)
	switch {
	case r.Failure == "":
		refreshedAt = ms(r.Now)
	case r.Platform:
		failures = 0
	}
	kept := int64(0)
	if p.refresh != "" {
		var err error
		if kept, err = s.keepToken(ctx, q, r.AppID, p, r.Now, `AND fence = $6 AND due_at > 0`, r.Fence); err != nil {
			return 0, err
		}
	}
	n, err := exec(ctx, q, `UPDATE account SET`+tokenUpdate+`,
			failures = CASE WHEN CAST($7 AS BIGINT) > 0 THEN 0 ELSE failures + CAST($8 AS BIGINT) END,
			last_error = CASE WHEN CAST($7 AS BIGINT) > 0 THEN '' WHEN CAST($8 AS BIGINT) = 0 THEN last_error ELSE $9 END,
			refreshed_at = CASE WHEN CAST($7 AS BIGINT) > 0 THEN $7 ELSE refreshed_at END,
			due_at = CASE WHEN due_at = CAST($13 AS BIGINT) THEN $10 ELSE due_at END, lease_until = 0, updated_at = $11
		WHERE platform = $1 AND appid = $2 AND fence = $12 AND due_at > 0`,
		s.platform, string(r.AppID), p.access, p.expires, p.refresh, p.refreshHash,
		refreshedAt, failures, r.Failure, max(ms(r.DueAt), 1), ms(r.Now), r.Fence, ms(r.WasDueAt))
	if err != nil || n == 0 {
		return n, err
	}
	if err := s.logRefresh(ctx, q, r.AppID, r.Now, r.Failure); err != nil || r.Failure != "" {
		return n, err
	}
	// The refresh worked, so what was kept from before it is of no more use.
	_, err = exec(ctx, q, `DELETE FROM kept_token WHERE platform = $1 AND appid = $2 AND id <> $3`, s.platform, string(r.AppID), kept)
	return n, err
}
