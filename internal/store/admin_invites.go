package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"usher/internal/admin"
)

// A text is looked for among so many of the newest invites of the state.
const inviteDepth = 20_000

// inviteWhere are the conditions of a state beside the time at which an invite
// ends; each has an index of its own.
var inviteWhere = map[admin.InviteState]string{
	admin.InviteAny:      ` AND invite_code <> ''`,
	admin.InviteWaiting:  openInvites,
	admin.InviteLapsed:   openInvites + ` AND invited_by <> ''`,
	admin.InviteExpired:  openInvites,
	admin.InviteDone:     ` AND invite_code <> '' AND finished_at > 0`,
	admin.InviteCanceled: ` AND invite_code <> '' AND finished_at = 0 AND canceled_at > 0`,
}

const (
	openInvites = ` AND invite_code <> '' AND finished_at = 0 AND canceled_at = 0`
	// $2 and $3 are the cursor, $4 and $5 the bounds of the end.
	inviteRange = ` AND (created_at, id) < ($2, $3) AND expires_at > $4 AND expires_at <= $5`
	inviteOrder = ` ORDER BY created_at DESC, id DESC LIMIT `
	inviteText  = `(LOWER(recipient) LIKE $7 ESCAPE '!' OR LOWER(reference) LIKE $7 ESCAPE '!' OR appid LIKE $7 ESCAPE '!' OR biz_appid LIKE $7 ESCAPE '!')`

	countsInvites = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM attempt WHERE platform = $1` + openInvites + ` AND expires_at > $2 LIMIT $3) AS counted`
	countsLapsed  = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM attempt WHERE platform = $1` + openInvites + ` AND invited_by <> '' AND expires_at > $2 AND expires_at <= $3 LIMIT $4) AS counted`
)

// inviteTexts are the three ways to list the invites of one state.
type inviteTexts struct{ all, text, batch string }

var invitesIn = makeInviteTexts()

func makeInviteTexts() map[admin.InviteState]inviteTexts {
	texts := map[admin.InviteState]inviteTexts{}
	for state, where := range inviteWhere {
		rows := ` FROM attempt WHERE platform = $1` + where + inviteRange
		texts[state] = inviteTexts{
			all:   `SELECT ` + attemptColumns + rows + inviteOrder + `$6`,
			text:  `SELECT ` + attemptColumns + ` FROM (SELECT *` + rows + inviteOrder + `$8) AS newest WHERE ` + inviteText + inviteOrder + `$6`,
			batch: `SELECT ` + attemptColumns + rows + ` AND batch = $8 AND batch <> '' AND ` + inviteText + inviteOrder + `$6`,
		}
	}
	return texts
}

// ListInvites implements [admin.Store].
func (s *Store) ListInvites(ctx context.Context, q admin.InviteQuery, now time.Time) (page admin.InvitePage, err error) {
	texts, known := invitesIn[q.State]
	if !known {
		return page, fmt.Errorf("invites have no state %q", q.State)
	}
	at, id := int64(math.MaxInt64), ""
	if !q.After.Zero() {
		at, id = ms(q.After.At), q.After.ID
	}
	low, high := int64(0), int64(math.MaxInt64)
	switch q.State {
	case admin.InviteWaiting:
		low = ms(now)
	case admin.InviteExpired:
		high = ms(now)
	case admin.InviteLapsed:
		low, high = ms(now.Add(-admin.LapsedFor)), ms(now)
	}
	pattern := "%" + likeEscape.Replace(admin.Fold(q.Query)) + "%"
	text, args := texts.all, []any{s.platform, at, id, low, high, q.Size + 1}
	switch {
	case q.Batch != "":
		text, args = texts.batch, append(args, pattern, q.Batch)
	case q.Query != "":
		text, args = texts.text, append(args, pattern, inviteDepth)
	}
	all, err := many(ctx, s.engine.read, scanAttempt, text, args...)
	if err != nil {
		return page, fmt.Errorf("list invites: %w", err)
	}
	if len(all) > q.Size {
		all = all[:q.Size]
		last := all[q.Size-1]
		page.Next = admin.InviteCursor{At: last.CreatedAt, ID: last.ID}
	}
	for _, a := range all {
		page.Rows = append(page.Rows, admin.Invite{Attempt: a})
	}
	return page, nil
}

// CountInvites implements [admin.Store].
func (s *Store) CountInvites(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := one(ctx, s.engine.read, scanInt, countsInvites, s.platform, ms(now), limit)
	return int(n), err
}

// CountLapsed implements [admin.Store].
func (s *Store) CountLapsed(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := one(ctx, s.engine.read, scanInt, countsLapsed, s.platform, ms(now.Add(-admin.LapsedFor)), ms(now), limit)
	return int(n), err
}
