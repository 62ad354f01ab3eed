package store

import (
	"context"
	"fmt"
	"time"

	"usher/internal/admin"
)

// A text is looked for among so many of the newest invites.
const inviteDepth = 20_000

// inviteWhere chooses by state: $4 is the state, $5 now.
const inviteWhere = ` AND ($4 = '' OR ($4 = 'done' AND finished_at > 0) OR ($4 = 'canceled' AND canceled_at > 0)
	OR ($4 = 'waiting' AND finished_at = 0 AND canceled_at = 0 AND expires_at > $5)
	OR ($4 = 'expired' AND finished_at = 0 AND canceled_at = 0 AND expires_at <= $5))`

const (
	inviteOrder  = ` ORDER BY created_at DESC, id DESC`
	invitesAll   = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND invite_code <> '' AND (created_at, id) < ($2, $3)` + inviteWhere + inviteOrder + ` LIMIT $6`
	invitesBatch = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND batch = $7 AND batch <> '' AND (created_at, id) < ($2, $3)` + inviteWhere + inviteOrder + ` LIMIT $6`
	invitesText  = `SELECT ` + attemptColumns + ` FROM (SELECT * FROM attempt WHERE platform = $1 AND invite_code <> '' AND (created_at, id) < ($2, $3)` + inviteOrder + ` LIMIT $7) AS newest
		WHERE (LOWER(recipient) LIKE $8 ESCAPE '!' OR LOWER(reference) LIKE $8 ESCAPE '!' OR appid LIKE $8 ESCAPE '!' OR biz_appid LIKE $8 ESCAPE '!')` + inviteWhere + inviteOrder + ` LIMIT $6`
	countsInvites = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM attempt WHERE platform = $1 AND invite_code <> '' AND created_at > $2
		AND finished_at = 0 AND canceled_at = 0 AND expires_at > $3 LIMIT $4) AS some`
)

// ListInvites implements [admin.Store].
func (s *Store) ListInvites(ctx context.Context, q admin.InviteQuery, now time.Time) (page admin.InvitePage, err error) {
	at, id := int64(1)<<62, ""
	if !q.After.Zero() {
		at, id = ms(q.After.At), q.After.ID
	}
	args := []any{s.platform, at, id, string(q.State), ms(now), q.Size + 1}
	text := invitesAll
	switch {
	case q.Batch != "":
		text, args = invitesBatch, append(args, q.Batch)
	case q.Query != "":
		text, args = invitesText, append(args, inviteDepth, "%"+likeEscape.Replace(admin.Fold(q.Query))+"%")
	}
	page.Rows, err = many(ctx, s.engine.read, scanAttempt, text, args...)
	if err != nil {
		return page, fmt.Errorf("list invites: %w", err)
	}
	if len(page.Rows) > q.Size {
		page.Rows = page.Rows[:q.Size]
		last := page.Rows[q.Size-1]
		page.Next = admin.InviteCursor{At: last.CreatedAt, ID: last.ID}
	}
	return page, nil
}

// inviteAge is how far back CountInvites looks: no invite is made to live longer.
const inviteAge = 90 * 24 * time.Hour

// CountInvites implements [admin.Store].
func (s *Store) CountInvites(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := one(ctx, s.engine.read, scanInt, countsInvites, s.platform, ms(now.Add(-inviteAge)), ms(now), limit)
	return int(n), err
}
