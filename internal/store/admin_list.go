package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// listForm is the version of the rules by which rows of account_list are made. A
// program with other rules makes them anew when it opens the database.
const listForm = 2

// listRow is a row of account_list with what a page does not show.
type listRow struct {
	admin.Listed
	search    string
	refreshes string
}

const listColumns = `l.appid, l.name, l.original_id, l.principal, l.kind, l.status, l.granted, l.asked, l.lacks, l.tags,
	l.token_until, l.changed_at, l.hidden,
	(SELECT p.picture FROM account p WHERE p.platform = l.platform AND p.appid = l.appid)`

func listFields(l *admin.Listed) []any {
	return []any{&l.AppID, &l.Name, &l.OriginalID, &l.Principal, &l.Kind, &l.Status, &l.Granted, &l.Asked,
		jsonOf[[]onboard.PermissionID]{&l.Lacks}, jsonOf[[]string]{&l.Tags}, msTime{&l.TokenUntil}, msTime{&l.ChangedAt}, &l.Hidden, &l.Picture}
}

func scanListRow(r *sql.Rows) (l listRow, err error) {
	return l, r.Scan(append(listFields(&l.Listed), &l.search, &l.refreshes)...)
}

const listRowByAppID = `SELECT ` + listColumns + `, l.search, l.refreshes FROM account_list l WHERE l.platform = $1 AND l.appid = $2`

// What a row is made of, beside the account itself.
const (
	grantsListed = `SELECT permission, missing FROM account_grant WHERE platform = $1 AND appid = $2`
	tagsListed   = `SELECT tag FROM account_tag WHERE platform = $1 AND appid = $2 ORDER BY tag`
	notesListed  = `SELECT body FROM account_note WHERE platform = $1 AND appid = $2 ORDER BY id DESC LIMIT 20`
)

// list brings what the console's list knows of an account up to date. It is part
// of every write that changes an account.
func (s *Store) list(ctx context.Context, q querier, appID onboard.AppID, now time.Time) error {
	a, err := one(ctx, q, scanAccount, accountByAppID, s.platform, string(appID))
	if errors.Is(err, onboard.ErrNoRow) || err == nil && a.Standing == "" {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := one(ctx, q, scanListRow, listRowByAppID, s.platform, string(appID))
	fresh := errors.Is(err, onboard.ErrNoRow)
	if err != nil && !fresh {
		return err
	}
	tags, err := many(ctx, q, scanString, tagsListed, s.platform, string(appID))
	if err != nil {
		return err
	}
	notes, err := many(ctx, q, scanString, notesListed, s.platform, string(appID))
	if err != nil {
		return err
	}
	row := admin.List(a, tags)
	row.Hidden, row.ChangedAt = old.Hidden, old.ChangedAt
	if fresh || row.Status != old.Status || row.Name != old.Name || row.Granted != old.Granted || row.Asked != old.Asked ||
		!slices.Equal(row.Lacks, old.Lacks) || a.AuthorizedAt.After(old.ChangedAt) {
		row.ChangedAt = now
	}
	fields := append([]string{row.Name, string(row.AppID), row.OriginalID, row.Principal}, tags...)
	search := admin.SearchText(append(fields, notes...)...)
	if err := s.saveListed(ctx, q, row, search); err != nil {
		return err
	}
	if search != old.search {
		if err := s.saveTerms(ctx, q, appID, admin.SearchTerms(old.search), admin.SearchTerms(search)); err != nil {
			return err
		}
	}
	return s.saveGrants(ctx, q, a)
}

func (s *Store) saveListed(ctx context.Context, q querier, l admin.Listed, search string) error {
	_, err := exec(ctx, q, `INSERT INTO account_list (platform, appid, form, name, name_key, original_id, principal, kind, status, granted, asked, missing,
			lacks, tags, token_until, changed_at, hidden, search, refreshes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, '')
		ON CONFLICT (platform, appid) DO UPDATE SET form = excluded.form, name = excluded.name, name_key = excluded.name_key,
			original_id = excluded.original_id, principal = excluded.principal, kind = excluded.kind, status = excluded.status,
			granted = excluded.granted, asked = excluded.asked, missing = excluded.missing, lacks = excluded.lacks, tags = excluded.tags,
			token_until = excluded.token_until, changed_at = excluded.changed_at, search = excluded.search`,
		s.platform, string(l.AppID), listForm, l.Name, admin.Fold(l.Name), l.OriginalID, l.Principal, string(l.Kind), int64(l.Status),
		l.Granted, l.Asked, len(l.Lacks), toJSON(l.Lacks), toJSON(l.Tags), ms(l.TokenUntil), ms(l.ChangedAt), l.Hidden, search)
	return err
}

// termBatch is how many terms go with one statement; shorter batches repeat their
// last term, so that there is one text.
const termBatch = 16

const (
	insertTerms = `INSERT INTO account_term (term, appid) VALUES ($2, $1), ($3, $1), ($4, $1), ($5, $1), ($6, $1), ($7, $1), ($8, $1), ($9, $1),
		($10, $1), ($11, $1), ($12, $1), ($13, $1), ($14, $1), ($15, $1), ($16, $1), ($17, $1) ON CONFLICT DO NOTHING`
	deleteTerms = `DELETE FROM account_term WHERE appid = $1
		AND term IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
)

// saveTerms replaces the terms of an account's search text.
func (s *Store) saveTerms(ctx context.Context, q querier, appID onboard.AppID, old, terms []string) error {
	was, is := map[string]bool{}, map[string]bool{}
	for _, t := range old {
		was[t] = true
	}
	var gone, added []int64
	for _, t := range terms {
		is[t] = true
		if !was[t] {
			added = append(added, admin.TermNumber(s.platform, t))
		}
	}
	for _, t := range old {
		if !is[t] {
			gone = append(gone, admin.TermNumber(s.platform, t))
		}
	}
	if err := batched(ctx, q, deleteTerms, appID, gone); err != nil {
		return err
	}
	return batched(ctx, q, insertTerms, appID, added)
}

func batched(ctx context.Context, q querier, text string, appID onboard.AppID, terms []int64) error {
	for batch := range slices.Chunk(terms, termBatch) {
		args := []any{string(appID)}
		for i := range termBatch {
			args = append(args, batch[min(i, len(batch)-1)])
		}
		if _, err := exec(ctx, q, text, args...); err != nil {
			return err
		}
	}
	return nil
}

type grantEntry struct {
	id      onboard.PermissionID
	missing bool
}

func scanGrantEntry(r *sql.Rows) (g grantEntry, err error) { return g, r.Scan(&g.id, &g.missing) }

// saveGrants brings the rows of account_grant in line with the account.
func (s *Store) saveGrants(ctx context.Context, q querier, a onboard.Account) error {
	stored, err := many(ctx, q, scanGrantEntry, grantsListed, s.platform, string(a.AppID))
	if err != nil {
		return err
	}
	is := map[onboard.PermissionID]bool{} // to whether it is missing
	if admin.StatusOf(a) != admin.Withdrawn {
		for _, id := range a.Grants.IDs() {
			is[id] = false
		}
		for _, id := range a.Missing() {
			is[id] = true
		}
	}
	for _, g := range stored {
		missing, still := is[g.id]
		if still && missing == g.missing {
			delete(is, g.id)
			continue
		}
		if !still {
			if _, err := exec(ctx, q, `DELETE FROM account_grant WHERE platform = $1 AND appid = $2 AND permission = $3`, s.platform, string(a.AppID), int64(g.id)); err != nil {
				return err
			}
		}
	}
	for id, missing := range is {
		_, err := exec(ctx, q, `INSERT INTO account_grant (platform, appid, permission, missing) VALUES ($1, $2, $3, $4)
			ON CONFLICT (platform, appid, permission) DO UPDATE SET missing = excluded.missing`, s.platform, string(a.AppID), int64(id), missing)
		if err != nil {
			return err
		}
	}
	return nil
}

// refreshRow is an admin.Refresh as it is stored.
type refreshRow struct {
	First  int64  `json:"t"`
	Last   int64  `json:"l,omitempty"` // when it is another than First
	Times  int    `json:"n,omitempty"` // when there were several
	Reason string `json:"e,omitempty"`
}

func refreshesOf(text string) ([]admin.Refresh, error) {
	if text == "" {
		return nil, nil
	}
	var rows []refreshRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	all := make([]admin.Refresh, len(rows))
	for i, r := range rows {
		all[i] = admin.Refresh{First: time.UnixMilli(r.First).UTC(), At: time.UnixMilli(max(r.First, r.Last)).UTC(), Times: max(1, r.Times), Reason: r.Reason}
	}
	return all, nil
}

func refreshesJSON(all []admin.Refresh) string {
	rows := make([]refreshRow, len(all))
	for i, r := range all {
		rows[i] = refreshRow{First: ms(r.First), Reason: r.Reason}
		if r.Times > 1 {
			rows[i].Last, rows[i].Times = ms(r.At), r.Times
		}
	}
	return toJSON(rows)
}

// logRefresh notes what refreshing an account just did, and when its token ends.
func (s *Store) logRefresh(ctx context.Context, q querier, appID onboard.AppID, now time.Time, reason string) error {
	type state struct {
		status    admin.Status
		refreshes string
		until     int64
	}
	scan := func(r *sql.Rows) (v state, err error) { return v, r.Scan(&v.status, &v.refreshes, &v.until) }
	v, err := one(ctx, q, scan, `SELECT l.status, l.refreshes, a.access_expires_at FROM account_list l
		JOIN account a ON a.platform = l.platform AND a.appid = l.appid WHERE l.platform = $1 AND l.appid = $2`, s.platform, string(appID))
	if errors.Is(err, onboard.ErrNoRow) {
		return s.list(ctx, q, appID, now) // an account from before there was a list
	}
	if err != nil {
		return err
	}
	entries, err := refreshesOf(v.refreshes)
	if err != nil {
		entries = nil // the log of a day is not worth a token
	}
	if v.status == admin.Dead {
		v.until = 0
	}
	_, err = exec(ctx, q, `UPDATE account_list SET refreshes = $3, token_until = $4 WHERE platform = $1 AND appid = $2`,
		s.platform, string(appID), refreshesJSON(admin.AddRefresh(entries, now, reason)), v.until)
	if err != nil || reason == "" && v.status != admin.Failing {
		return err
	}
	return s.list(ctx, q, appID, now)
}

// addAccountEvent notes something that happened to an account at at.
func (s *Store) addAccountEvent(ctx context.Context, q querier, appID onboard.AppID, kind admin.AccountEvent, detail string, at, now time.Time) error {
	_, err := exec(ctx, q, `INSERT INTO account_event (platform, appid, id, at, kind, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.platform, string(appID), s.ids.next(now), ms(at), string(kind), detail)
	return err
}
