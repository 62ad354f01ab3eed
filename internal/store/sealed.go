package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"usher/internal/secret"
)

// sealedBatch is how many values are changed in one transaction by what goes
// through all of them.
const sealedBatch = 200

// sealedPlace is a column whose values are sealed.
type sealedPlace struct {
	table, column string
	keys          []string  // the primary key beside platform; the first names the row that a value is bound to
	bound         [2]string // table and column that a value is bound to, where they are others
	where         string    // which rows, where not all are sealed
	// wipe is what becomes of a row whose value nobody can open any more.
	wipe string
}

// sealedPlaces lists every column that a Ring seals. The key of the hashes is the
// last: what goes through all of them and is broken off leaves it as it was, so
// that the next start, or the next try, knows.
var sealedPlaces = []sealedPlace{
	{table: "platform_secret", column: "value", keys: []string{"name"}, wipe: `DELETE FROM platform_secret`},
	{table: "platform_token", column: "value", wipe: `UPDATE platform_token SET value = '', fetched_at = 0, expires_at = 0`},
	{table: "ticket", column: "value", keys: []string{"created_at"}, wipe: `DELETE FROM ticket`},
	{table: "account", column: "access_token", keys: []string{"appid"}, wipe: `UPDATE account SET access_token = '', access_expires_at = 0`},
	{table: "account", column: refreshColumn, keys: []string{"appid"}, wipe: `UPDATE account SET refresh_token = '', refresh_hash = ''`},
	{table: "kept_token", column: "refresh", keys: []string{"appid", "id"}, bound: [2]string{"account", refreshColumn}, wipe: `DELETE FROM kept_token`},
	{table: "dashboard_link", column: "token", keys: []string{"hash"}, wipe: `DELETE FROM dashboard_link`},
	{table: "arrival", column: "payload", keys: []string{"digest"}, wipe: `UPDATE arrival SET payload = '',
		reason = CASE WHEN outcome = '' THEN 'the key that sealed it is lost' ELSE reason END,
		finished_at = CASE WHEN outcome = '' THEN received_at ELSE finished_at END,
		outcome = CASE WHEN outcome = '' THEN 'ignored' ELSE outcome END`},
	{table: "admin", column: "totp", keys: []string{"id"}, wipe: `UPDATE admin SET totp = '', recovery = '', version = version + 1`},
	{table: "admin", column: "totp_next", keys: []string{"id"}, wipe: `UPDATE admin SET totp_next = '', version = version + 1`},
	{table: "setting", column: "value", keys: []string{"name"}, where: `name = '` + settingHashKey + `'`, wipe: `DELETE FROM setting`},
}

func (p sealedPlace) name() string { return p.table + "." + p.column }

// sealedValue is one value with the key of its row.
type sealedValue struct {
	key    []any
	sealed string
}

func (p sealedPlace) scan(r *sql.Rows) (v sealedValue, err error) {
	v.key = make([]any, len(p.keys))
	into := []any{&v.sealed}
	for i := range v.key {
		into = append(into, &v.key[i])
	}
	return v, r.Scan(into...)
}

// page reads some values after a key, in the order of the keys, leaving out those
// that begin with skip.
func (p sealedPlace) page(ctx context.Context, q querier, platform, skip string, after []any) ([]sealedValue, error) {
	args := []any{platform, skip}
	text := `SELECT ` + strings.Join(append([]string{p.column}, p.keys...), ", ") + ` FROM ` + p.table +
		` WHERE platform = $1 AND ` + p.column + ` <> '' AND ($2 = '' OR substr(` + p.column + fmt.Sprintf(`, 1, %d) <> $2)`, max(len(skip), 1))
	if p.where != "" {
		text += ` AND ` + p.where
	}
	if after != nil {
		if len(p.keys) == 0 {
			return nil, nil
		}
		places := make([]string, len(after))
		for i, k := range after {
			args = append(args, k)
			places[i] = fmt.Sprintf("$%d", len(args))
		}
		text += ` AND (` + strings.Join(p.keys, ", ") + `) > (` + strings.Join(places, ", ") + `)`
	}
	if len(p.keys) > 0 {
		text += ` ORDER BY ` + strings.Join(p.keys, ", ")
	}
	return many(ctx, q, p.scan, text+fmt.Sprintf(` LIMIT %d`, sealedBatch), args...)
}

// row is the row for which a value is sealed.
func (p sealedPlace) row(platform string, v sealedValue) string {
	if len(v.key) == 0 {
		return platform + "/"
	}
	return platform + "/" + fmt.Sprint(v.key[0])
}

func (p sealedPlace) boundTo() (table, column string) {
	if p.bound[0] != "" {
		return p.bound[0], p.bound[1]
	}
	return p.table, p.column
}

func (p sealedPlace) open(ring *secret.Ring, platform string, v sealedValue) (secret.Secret, error) {
	table, column := p.boundTo()
	return ring.Open(table, column, p.row(platform, v), v.sealed)
}

func (p sealedPlace) seal(ring *secret.Ring, platform string, v sealedValue, value secret.Secret) string {
	table, column := p.boundTo()
	return ring.Seal(table, column, p.row(platform, v), value)
}

// change runs verb on the row of v if it still holds that value, and returns how
// many rows it changed: a program that runs beside may have replaced it. The
// arguments of verb are $1 and so on.
func (p sealedPlace) change(ctx context.Context, q querier, platform, verb string, v sealedValue, args ...any) (int64, error) {
	args = append(args, platform, v.sealed)
	text := verb + fmt.Sprintf(` WHERE platform = $%d AND %s = $%d`, len(args)-1, p.column, len(args))
	for i, k := range v.key {
		args = append(args, k)
		text += fmt.Sprintf(` AND %s = $%d`, p.keys[i], len(args))
	}
	return exec(ctx, q, text, args...)
}

// eachSealed calls do with batches of the values of every column that do not
// begin with skip.
func (s *Store) eachSealed(ctx context.Context, skip string, do func(sealedPlace, []sealedValue) error) error {
	for _, p := range sealedPlaces {
		var after []any
		for {
			page, err := p.page(ctx, s.engine.read, s.platform, skip, after)
			if err != nil && !noTable(err) {
				return fmt.Errorf("read %s: %w", p.name(), err)
			}
			if len(page) == 0 {
				break
			}
			if err := do(p, page); err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			after = page[len(page)-1].key
		}
	}
	return nil
}
