package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"usher/internal/admin"
)

// A list is answered in one of two ways. When one of the conditions chooses few
// accounts, its index leads to them and they are sorted: "way" is that condition.
// Otherwise matches are frequent, and the index of the column is walked until a
// page is full. Every text is made of these constants and nothing else.

// listWay is the condition whose index leads to the rows.
type listWay int

const (
	walk     listWay = iota // along the column
	byTerm                  // of a word
	byGrant                 // a missing set
	byTag                   //
	byStatus                //
	byKind                  //
	bySince                 // changed lately
	byHidden                // among the rows that are hidden: few
	listWays
)

// listFrom leads to the rows. CROSS JOIN tells SQLite which table comes first.
// Where a column must not be used for the search, it is part of an expression.
var listFrom = [listWays]string{
	walk:     `FROM account_list l WHERE l.platform = $1`,
	byTerm:   `FROM account_term d CROSS JOIN account_list l WHERE d.term = $13 AND l.platform = $1 AND l.appid = d.appid`,
	byGrant:  `FROM account_grant d CROSS JOIN account_list l WHERE d.platform = $1 AND d.permission = $7 AND d.missing = TRUE AND l.platform = $1 AND l.appid = d.appid`,
	byTag:    `FROM account_tag d CROSS JOIN account_list l WHERE d.platform = $1 AND d.tag = $8 AND l.platform = $1 AND l.appid = d.appid`,
	byStatus: `FROM account_list l WHERE l.platform = $1 AND l.status >= $3 AND l.status <= $4`,
	byKind:   `FROM account_list l WHERE l.platform = $1 AND l.kind = $5`,
	bySince:  `FROM account_list l WHERE l.platform = $1 AND l.changed_at >= $6`,
	byHidden: `FROM account_list l WHERE l.platform = $1 AND l.hidden = TRUE`,
}

// listWhere holds every condition, so that one text serves any choice of them.
const listWhere = `
	AND l.hidden = $2 AND l.status + 0 >= $3 AND l.status + 0 <= $4 AND ($5 = '' OR l.kind = $5) AND l.changed_at + 0 >= $6
	AND (CAST($7 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM account_grant g WHERE g.platform = $1 AND g.appid = l.appid AND g.permission = $7 AND g.missing))
	AND ($8 = '' OR EXISTS (SELECT 1 FROM account_tag t WHERE t.platform = $1 AND t.appid = l.appid AND t.tag = $8))
	AND ($9 = '' OR l.search LIKE $9 ESCAPE '!') AND ($10 = '' OR l.search LIKE $10 ESCAPE '!')
	AND ($11 = '' OR l.search LIKE $11 ESCAPE '!') AND ($12 = '' OR l.search LIKE $12 ESCAPE '!')`

// listSort is how one column orders a list: walked by its index, or, in rows found
// otherwise, as an expression that no index fits.
type listSort struct{ column, expression string }

var listSorts = map[admin.Sort]listSort{
	admin.ByChange: {"l.changed_at", "l.changed_at + 0"},
	admin.ByName:   {"l.name_key", "l.name_key || ''"},
	admin.ByKind:   {"l.kind", "l.kind || ''"},
	admin.ByStatus: {"l.status", "l.status + 0"},
	admin.BySets:   {"l.missing", "l.missing + 0"},
	admin.ByToken:  {"l.token_until", "l.token_until + 0"},
}

// listKey names one of the texts.
type listKey struct {
	way  listWay
	sort admin.Sort
	down bool
	past bool // behind a cursor
}

// listTexts are all of them, made once.
var listTexts = makeListTexts()

func makeListTexts() map[listKey]string {
	texts := map[listKey]string{}
	for way := range listWays {
		next := 13 // the first number that is free
		if way == byTerm {
			next++
		}
		for name, sort := range listSorts {
			column := sort.expression
			if way == walk {
				column = sort.column
			}
			for _, down := range []bool{false, true} {
				compare, order := ">", ""
				if down {
					compare, order = "<", " DESC"
				}
				for _, past := range []bool{false, true} {
					cursor, limit := "", next
					if past {
						cursor = fmt.Sprintf(" AND (%s, l.appid) %s ($%d, $%d)", column, compare, next, next+1)
						limit += 2
					}
					texts[listKey{way, name, down, past}] = `SELECT ` + listColumns + `, l.name_key ` + listFrom[way] + listWhere + cursor +
						fmt.Sprintf(" ORDER BY %s%s, l.appid%s LIMIT $%d", column, order, order, limit)
				}
			}
		}
	}
	return texts
}

// listCounts count up to a limit what a list has in all.
var listCounts = makeListCounts()

func makeListCounts() (texts [listWays]string) {
	for way := range listWays {
		limit := "$13"
		if way == byTerm {
			limit = "$14"
		}
		texts[way] = `SELECT COUNT(*) FROM (SELECT 1 AS one ` + listFrom[way] + listWhere + ` LIMIT ` + limit + `) AS few`
	}
	return texts
}

// Texts that tell how many accounts a condition chooses, up to a limit.
const (
	countTerm   = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_term WHERE term = $1 LIMIT $2) AS few`
	countGrant  = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_grant WHERE platform = $1 AND permission = $2 AND missing = TRUE LIMIT $3) AS few`
	countTag    = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_tag WHERE platform = $1 AND tag = $2 LIMIT $3) AS few`
	countStatus = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_list WHERE platform = $1 AND status >= $2 AND status <= $3 LIMIT $4) AS few`
	countKind   = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_list WHERE platform = $1 AND kind = $2 LIMIT $3) AS few`
	countSince  = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM account_list WHERE platform = $1 AND changed_at >= $2 LIMIT $3) AS few`
)

// listArgs are $1 to $12 of every text.
func (s *Store) listArgs(q admin.AccountQuery, words []admin.Word) []any {
	low, high := statusRange(q.AccountFilter)
	args := []any{s.platform, q.Hidden, int64(low), int64(high), string(q.Kind), ms(q.Since), int64(q.Missing), q.Tag}
	for i := range 4 {
		pattern := ""
		if i < len(words) {
			pattern = "%" + likeEscape.Replace(words[i].Contains) + "%"
		}
		args = append(args, pattern)
	}
	return args
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func statusRange(f admin.AccountFilter) (low, high admin.Status) {
	all := admin.Statuses()
	switch {
	case f.Acting:
		return all[0], admin.Incomplete
	case f.Status != admin.AnyStatus:
		return f.Status, f.Status
	}
	return 0, all[len(all)-1]
}

// fewEnough is how many accounts are so few that no other condition is tried.
const fewEnough = 50

// way chooses how to answer: by the condition that chooses the fewest accounts, if
// they are few. term is what byTerm looks for.
func (s *Store) way(ctx context.Context, q admin.AccountQuery, words []admin.Word) (best listWay, term int64, err error) {
	least := int64(admin.CountLimit + 1)
	try := func(way listWay, number int64, text string, args ...any) {
		if err != nil || least <= fewEnough {
			return
		}
		var n int64
		if n, err = one(ctx, s.engine.read, scanInt, text, append(args, least)...); err == nil && n < least {
			best, least, term = way, n, number
		}
	}
	for _, w := range words {
		for _, t := range w.Terms {
			number := admin.TermNumber(s.platform, t)
			try(byTerm, number, countTerm, number)
		}
	}
	if q.Missing != 0 {
		try(byGrant, 0, countGrant, s.platform, int64(q.Missing))
	}
	if q.Tag != "" {
		try(byTag, 0, countTag, s.platform, q.Tag)
	}
	if low, high := statusRange(q.AccountFilter); low != 0 {
		try(byStatus, 0, countStatus, s.platform, int64(low), int64(high))
	}
	if q.Kind != "" {
		try(byKind, 0, countKind, s.platform, string(q.Kind))
	}
	if !q.Since.IsZero() {
		try(bySince, 0, countSince, s.platform, ms(q.Since))
	}
	if q.Hidden && best == walk {
		best = byHidden
	}
	return best, term, err
}

type keyedListed struct {
	admin.Listed
	nameKey string
}

func scanKeyedListed(r *sql.Rows) (l keyedListed, err error) {
	return l, r.Scan(append(listFields(&l.Listed), &l.nameKey)...)
}

// ListAccounts implements [admin.Store].
func (s *Store) ListAccounts(ctx context.Context, q admin.AccountQuery) (page admin.AccountPage, err error) {
	words := admin.SearchWords(q.Query)
	way, term, err := s.way(ctx, q, words)
	if err != nil {
		return page, fmt.Errorf("list accounts: %w", err)
	}
	args := s.listArgs(q, words)
	if way == byTerm {
		args = append(args, term)
	}
	if !q.NoTotal {
		counted, err := one(ctx, s.engine.read, scanInt, listCounts[way], append(slices.Clone(args), admin.CountLimit+1)...)
		if err != nil {
			return page, fmt.Errorf("count accounts: %w", err)
		}
		page.Total, page.AtLeast = int(min(counted, admin.CountLimit)), counted > admin.CountLimit
	}
	back := !q.Before.Zero()
	cursor := q.After
	if back {
		cursor = q.Before
	}
	key := listKey{way, q.Sort, q.Down() != back, !cursor.Zero()}
	if key.past {
		args = append(args, cursorValue(q.Sort, cursor), string(cursor.AppID))
	}
	rows, err := many(ctx, s.engine.read, scanKeyedListed, listTexts[key], append(args, q.Size+1)...)
	if err != nil {
		return page, fmt.Errorf("list accounts: %w", err)
	}
	more := len(rows) > q.Size
	rows = rows[:min(len(rows), q.Size)]
	if back {
		slices.Reverse(rows)
	}
	for _, r := range rows {
		page.Rows = append(page.Rows, r.Listed)
	}
	if len(rows) > 0 {
		if back && more || !back && key.past {
			page.Prev = cursorOf(q.Sort, rows[0])
		}
		if !back && more || back {
			page.Next = cursorOf(q.Sort, rows[len(rows)-1])
		}
	}
	return page, nil
}

func cursorValue(sort admin.Sort, c admin.Cursor) any {
	if sort == admin.ByName || sort == admin.ByKind {
		return c.Text
	}
	return c.Number
}

func cursorOf(sort admin.Sort, l keyedListed) admin.Cursor {
	c := admin.Cursor{AppID: l.AppID}
	switch sort {
	case admin.ByName:
		c.Text = l.nameKey
	case admin.ByKind:
		c.Text = string(l.Kind)
	case admin.ByStatus:
		c.Number = int64(l.Status)
	case admin.BySets:
		c.Number = int64(len(l.Lacks))
	case admin.ByToken:
		c.Number = ms(l.TokenUntil)
	default:
		c.Number = ms(l.ChangedAt)
	}
	return c
}

const countAccounts = `SELECT status, kind, COUNT(*) FROM account_list WHERE platform = $1 AND hidden = FALSE GROUP BY status, kind`

// CountAccounts implements [admin.Store].
func (s *Store) CountAccounts(ctx context.Context) ([]admin.AccountCount, error) {
	scan := func(r *sql.Rows) (c admin.AccountCount, err error) { return c, r.Scan(&c.Status, &c.Kind, &c.N) }
	return many(ctx, s.engine.read, scan, countAccounts, s.platform)
}

// The distinct values of an indexed column, each found by one look-up.
const (
	seenSets = `WITH RECURSIVE seen(id) AS (
			SELECT MIN(permission) FROM account_grant WHERE platform = $1
			UNION ALL SELECT (SELECT MIN(permission) FROM account_grant WHERE platform = $1 AND permission > seen.id) FROM seen WHERE seen.id IS NOT NULL)
		SELECT id, CASE WHEN EXISTS (SELECT 1 FROM account_grant g WHERE g.platform = $1 AND g.permission = seen.id AND g.missing = FALSE) THEN 1 ELSE 0 END
		FROM seen WHERE id IS NOT NULL LIMIT 1000`
	seenTags = `WITH RECURSIVE seen(tag) AS (
			SELECT MIN(tag) FROM account_tag WHERE platform = $1
			UNION ALL SELECT (SELECT MIN(tag) FROM account_tag WHERE platform = $1 AND tag > seen.tag) FROM seen WHERE seen.tag IS NOT NULL)
		SELECT tag FROM seen WHERE tag IS NOT NULL LIMIT $2`
)

// SeenSets implements [admin.Store].
func (s *Store) SeenSets(ctx context.Context) ([]admin.SeenSet, error) {
	scan := func(r *sql.Rows) (set admin.SeenSet, err error) {
		var granted int
		err = r.Scan(&set.ID, &granted)
		set.Granted = granted == 1
		return set, err
	}
	return many(ctx, s.engine.read, scan, seenSets, s.platform)
}

// Tags implements [admin.Store].
func (s *Store) Tags(ctx context.Context, limit int) ([]string, error) {
	return many(ctx, s.engine.read, scanString, seenTags, s.platform, limit)
}
