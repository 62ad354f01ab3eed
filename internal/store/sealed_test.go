package store_test

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"usher/internal/store"
)

// TestSealedPlaces_Found plants a secret by every method that takes one and looks
// through every column of every table: each that holds a sealed value is one that
// a change of keys goes through, and the other way round.
func TestSealedPlaces_Found(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	plant(t, openAt(t, path, newRing(t)))
	db := raw(t, path)
	found := map[string]bool{}
	for _, column := range columns(t, db) {
		table, name, _ := strings.Cut(column, ".")
		var n int
		if err := db.QueryRow(`SELECT COUNT(*) FROM ` + table + ` WHERE ` + name + ` GLOB '1.????????.*'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			found[column] = true
		}
	}
	got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(slices.Values(store.SealedPlaces()))
	if !slices.Equal(got, want) {
		t.Errorf("sealed values are in %q, a change of keys goes through %q", got, want)
	}
}

// columns lists every column of every table, as table.column.
func columns(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.Query(`SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil || len(all) < 50 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	return all
}

// TestSealedPlaces_Source reads what the program seals from its source, so that a
// new sealed column cannot be forgotten in a change of keys.
func TestSealedPlaces_Source(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	known := append(store.SealedPlaces(), "spool.answer") // that is beside the database
	seals := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`\.Seal\("(\w+)", (?:"(\w+)"|(refreshColumn))`).FindAllStringSubmatch(string(text), -1) {
			seals++
			column := m[1] + "." + m[2]
			if m[3] != "" {
				column += "refresh_token"
			}
			if !slices.Contains(known, column) {
				t.Errorf("%s seals %s, which a change of keys does not go through", name, column)
			}
		}
	}
	if seals < 10 {
		t.Errorf("only %d calls of Seal found; this test does not read the source right", seals)
	}
}
