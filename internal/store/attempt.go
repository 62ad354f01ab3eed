package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/onboard"
)

const attemptColumns = `id, phone_code, invite_code, recipient, auth_type, biz_appid, wanted, language, session,
	created_at, expires_at, opened_at, handed_off_at, code_ends_at, arrived_at, finished_at, verdict, appid,
	missing, added, removed, blocked, blocked_at, revoked_at, version, invited,
	reference, return_url, invited_by, batch, hold, canceled_at`

func scanAttempt(r *sql.Rows) (a onboard.Attempt, err error) {
	type ids = jsonOf[[]onboard.PermissionID]
	return a, r.Scan(&a.ID, &a.PhoneCode, &a.InviteCode, &a.Recipient, &a.AuthType, &a.BizAppID, ids{&a.Wanted}, &a.Language, &a.Session,
		msTime{&a.CreatedAt}, msTime{&a.ExpiresAt}, msTime{&a.OpenedAt}, msTime{&a.HandedOffAt}, msTime{&a.CodeEndsAt},
		msTime{&a.ArrivedAt}, msTime{&a.FinishedAt}, &a.Verdict, &a.AppID,
		ids{&a.Missing}, ids{&a.Added}, ids{&a.Removed}, &a.Blocked, msTime{&a.BlockedAt}, msTime{&a.RevokedAt}, &a.Version, &a.Invited,
		&a.Reference, &a.ReturnURL, &a.InvitedBy, &a.Batch, &a.Hold, msTime{&a.CanceledAt})
}

// SaveAttempt implements [onboard.Store].
func (s *Store) SaveAttempt(ctx context.Context, a onboard.Attempt) error {
	return s.SaveAttempts(ctx, []onboard.Attempt{a})
}

// SaveAttempts implements [onboard.Store].
func (s *Store) SaveAttempts(ctx context.Context, all []onboard.Attempt) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
		for _, a := range all {
			if n, err = s.insertAttempt(ctx, q, a); err != nil {
				return n, err
			}
		}
		return n, nil
	})
	if err != nil {
		return fmt.Errorf("save attempt: %w", err)
	}
	return nil
}

func (s *Store) insertAttempt(ctx context.Context, q querier, a onboard.Attempt) (int64, error) {
	return exec(ctx, q, `INSERT INTO attempt (platform, `+attemptColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
			$27, $28, $29, $30, $31, $32, $33)`,
		s.platform, a.ID, a.PhoneCode, a.InviteCode, a.Recipient, int64(a.AuthType), string(a.BizAppID), toJSON(a.Wanted), a.Language, a.Session,
		ms(a.CreatedAt), ms(a.ExpiresAt), ms(a.OpenedAt), ms(a.HandedOffAt), ms(a.CodeEndsAt), ms(a.ArrivedAt), ms(a.FinishedAt),
		string(a.Verdict), string(a.AppID), toJSON(a.Missing), toJSON(a.Added), toJSON(a.Removed),
		string(a.Blocked), ms(a.BlockedAt), ms(a.RevokedAt), a.Version, a.Invited,
		a.Reference, a.ReturnURL, a.InvitedBy, a.Batch, a.Hold, ms(a.CanceledAt))
}

// SaveResent implements [onboard.Store].
func (s *Store) SaveResent(ctx context.Context, id string, expires time.Time) (bool, error) {
	n, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE attempt SET expires_at = $3, version = version + 1
			WHERE platform = $1 AND id = $2 AND invite_code <> '' AND finished_at = 0 AND canceled_at = 0`, s.platform, id, ms(expires))
	})
	return n > 0, err
}

// SaveCanceled implements [onboard.Store].
func (s *Store) SaveCanceled(ctx context.Context, id string, now time.Time) (bool, error) {
	n, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE attempt SET canceled_at = $3, version = version + 1,
				expires_at = CASE WHEN expires_at > $3 THEN $3 ELSE expires_at END
			WHERE platform = $1 AND id = $2 AND invite_code <> '' AND finished_at = 0 AND canceled_at = 0`, s.platform, id, ms(now))
	})
	return n > 0, err
}

const (
	attemptByID     = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND id = $2`
	attemptByPhone  = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND phone_code = $2`
	attemptByInvite = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND invite_code = $2 AND invite_code <> ''`
	attemptsOf      = `SELECT ` + attemptColumns + ` FROM attempt
		WHERE platform = $1 AND session = $2 AND session <> '' ORDER BY created_at DESC LIMIT $3`
)

// accountsBySession finds what a browser connected: by the attempts that it began
// and by those in which it was handed off.
const accountsBySession = `SELECT appid, finished_at FROM attempt
	WHERE platform = $1 AND session = $2 AND session <> '' AND appid <> '' AND verdict <> 'wrong_account'
	UNION ALL
	SELECT a.appid, a.finished_at FROM handoff h JOIN attempt a ON a.platform = h.platform AND a.id = h.attempt_id
	WHERE h.platform = $1 AND h.session = $2 AND h.session <> '' AND a.appid <> '' AND a.verdict <> 'wrong_account'`

type tookPart struct {
	appID onboard.AppID
	at    time.Time
}

func scanTookPart(r *sql.Rows) (p tookPart, err error) { return p, r.Scan(&p.appID, msTime{&p.at}) }

// AccountsBySession implements [onboard.Store].
func (s *Store) AccountsBySession(ctx context.Context, session string, limit int) ([]onboard.AppID, error) {
	rows, err := many(ctx, s.engine.read, scanTookPart, accountsBySession, s.platform, session)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b tookPart) int {
		return cmp.Or(b.at.Compare(a.at), strings.Compare(string(a.appID), string(b.appID)))
	})
	var ids []onboard.AppID
	for _, row := range rows {
		if len(ids) < limit && !slices.Contains(ids, row.appID) {
			ids = append(ids, row.appID)
		}
	}
	return ids, nil
}

// Attempt implements [onboard.Store].
func (s *Store) Attempt(ctx context.Context, id string) (onboard.Attempt, error) {
	return one(ctx, s.engine.read, scanAttempt, attemptByID, s.platform, id)
}

// AttemptByPhoneCode implements [onboard.Store].
func (s *Store) AttemptByPhoneCode(ctx context.Context, code string) (onboard.Attempt, error) {
	return one(ctx, s.engine.read, scanAttempt, attemptByPhone, s.platform, code)
}

// AttemptByInviteCode implements [onboard.Store].
func (s *Store) AttemptByInviteCode(ctx context.Context, code string) (onboard.Attempt, error) {
	return one(ctx, s.engine.read, scanAttempt, attemptByInvite, s.platform, code)
}

// AttemptsBySession implements [onboard.Store].
func (s *Store) AttemptsBySession(ctx context.Context, session string, limit int) ([]onboard.Attempt, error) {
	return many(ctx, s.engine.read, scanAttempt, attemptsOf, s.platform, session, limit)
}

// ClaimOpened implements [onboard.Store].
func (s *Store) ClaimOpened(ctx context.Context, id string, now time.Time) (bool, error) {
	n, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE attempt SET opened_at = $3, version = version + 1
			WHERE platform = $1 AND id = $2 AND opened_at = 0`, s.platform, id, ms(now))
	})
	return n > 0, err
}

// SaveInvite implements [onboard.Store]. A finished or canceled attempt comes back
// unchanged.
func (s *Store) SaveInvite(ctx context.Context, id, code, recipient string, expires time.Time) (onboard.Attempt, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (onboard.Attempt, error) {
		_, err := exec(ctx, q, `UPDATE attempt SET
				invite_code = CASE WHEN invite_code = '' THEN $3 ELSE invite_code END,
				recipient = CASE WHEN $4 = '' THEN recipient ELSE $4 END,
				expires_at = CASE WHEN expires_at < $5 THEN $5 ELSE expires_at END,
				version = version + 1
			WHERE platform = $1 AND id = $2 AND finished_at = 0 AND canceled_at = 0`, s.platform, id, code, recipient, ms(expires))
		if err != nil {
			return onboard.Attempt{}, err
		}
		return one(ctx, q, scanAttempt, attemptByID, s.platform, id)
	})
}

// SaveBlocked implements [onboard.Store]. The same reason again changes nothing,
// so that a page does not redraw at every retry.
func (s *Store) SaveBlocked(ctx context.Context, id string, key onboard.Key, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE attempt SET blocked = $3, blocked_at = $4, version = version + 1
			WHERE platform = $1 AND id = $2 AND finished_at = 0 AND blocked <> $3`, s.platform, id, string(key), ms(now))
	})
	return err
}

// ClearBlocked implements [onboard.Store].
func (s *Store) ClearBlocked(ctx context.Context, keys []onboard.Key, _ time.Time) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	args, marks := []any{s.platform}, make([]string, len(keys))
	for i, key := range keys {
		args = append(args, string(key))
		marks[i] = fmt.Sprintf("$%d", i+2)
	}
	text := `UPDATE attempt SET blocked = '', blocked_at = 0, version = version + 1
		WHERE platform = $1 AND finished_at = 0 AND blocked <> '' AND blocked IN (` + strings.Join(marks, ", ") + `) RETURNING id`
	return write(ctx, s, func(ctx context.Context, q querier) ([]string, error) {
		return many(ctx, q, scanString, text, args...)
	})
}
