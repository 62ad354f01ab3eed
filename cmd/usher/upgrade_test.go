//go:build unix

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUpgrade_KilledAtEveryMigration brings a database of every former schema, with
// a row in every table, up to date, and kills the program before and after each
// migration on the way. No row is lost and no value changes.
func TestUpgrade_KilledAtEveryMigration(t *testing.T) {
	t.Parallel()
	migrate := func(path, failpoints string) (out string, died bool) {
		t.Helper()
		out, err := runProgram(t, append(os.Environ(), "USHER_DATABASE="+path), failpoints, "migrate")
		if err != nil && !killed(err) {
			t.Fatalf("usher migrate with %q = %v\n%s", failpoints, err, out)
		}
		return out, err != nil
	}
	upgraded := 0
	for version := 1; ; version++ {
		path := filepath.Join(t.TempDir(), "usher.db")
		if _, died := migrate(path, fmt.Sprintf("migrate.after=kill@%d", version)); !died {
			break // there are no more migrations
		}
		db, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		before := fillTables(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		deaths := 0
		for died := true; died; deaths++ { // each life comes one migration further
			migrate(path, "migrate.before=kill@1")
			_, died = migrate(path, "migrate.after=kill@1")
		}
		if out, _ := migrate(path, ""); !strings.Contains(out, "is up to date") {
			t.Errorf("usher migrate = %s", out)
		}
		after, err := sql.Open("sqlite", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		compareTables(t, after, before, fmt.Sprintf("from migration %d after %d deaths", version, deaths))
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
		upgraded++
	}
	if upgraded < 5 {
		t.Errorf("%d schemas were upgraded, want at least 5", upgraded)
	}
}

// tables lists the columns of each table, with their types.
func tables(t *testing.T, db *sql.DB) map[string]map[string]string {
	t.Helper()
	rows, err := db.Query(`SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		if all[table] == nil {
			all[table] = map[string]string{}
		}
		all[table][column] = kind
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

// fillTables puts a row into every table and returns what is in them.
func fillTables(t *testing.T, db *sql.DB) map[string]map[string]string {
	t.Helper()
	all := tables(t, db)
	for table, columns := range all {
		names := slices.Sorted(maps.Keys(columns))
		values := make([]string, len(names))
		for i, name := range names {
			switch columns[name] {
			case "TEXT":
				values[i] = `'x'` // the same everywhere, so that references are right
			case "BIGINT":
				values[i] = `7`
			case "BOOLEAN":
				values[i] = `TRUE`
			default:
				t.Fatalf("%s.%s is %s", table, name, columns[name])
			}
		}
		text := `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) VALUES (` + strings.Join(values, ", ") + `)`
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return all
}

// compareTables looks for the row that fillTables left in each table, by the
// columns that there are still.
func compareTables(t *testing.T, db *sql.DB, before map[string]map[string]string, when string) {
	t.Helper()
	now := tables(t, db)
	for table, columns := range before {
		if now[table] == nil {
			t.Errorf("%s: there is no table %s any more", when, table)
			continue
		}
		want := []string{"1"}
		for column, kind := range columns {
			if now[table][column] == "" || column == "lease_until" { // the claims of the dead are given back
				continue
			}
			want = append(want, column+" = "+map[string]string{"TEXT": "'x'", "BIGINT": "7", "BOOLEAN": "TRUE"}[kind])
		}
		var n int
		text := `SELECT COUNT(*) FROM ` + table + ` WHERE ` + strings.Join(want, " AND ")
		if err := db.QueryRow(text).Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: %s = %d, %v; want 1", when, text, n, err)
		}
	}
}
