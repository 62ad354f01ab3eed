package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/internal/store"
)

// raw opens a file beside or after a Store, for tests that damage it.
func raw(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return db
}

func TestSQLite_FileModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	s := openAt(t, filepath.Join(dir, "usher.db"), newRing(t))
	if err := s.Write(t.Context(), nil, setting("x")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			seen++
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil || seen != 5 { // the file, its log, the index of that, the lock, the spool
		t.Errorf("%d files, %v; want 5", seen, err)
	}
	// A file that others can read is closed to them.
	path := filepath.Join(t.TempDir(), "loose.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, newRing(t))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of a file that was 644 = %v, %v; want 600", info.Mode(), err)
	}
}

// TestSQLite_OddPaths: what has a meaning in an address has none in a path.
func TestSQLite_OddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory.db", "a#b.db", "100%41.db", "票.db", "a&b;c.db"} {
		path := filepath.Join(t.TempDir(), name)
		openAt(t, path, newRing(t))
		if _, err := os.Stat(path + "-wal"); err != nil {
			t.Errorf("Open(%q): %v", name, err)
		}
	}
	for _, name := range []string{"", ":memory:", "file:x.db?mode=memory", "mysql://x"} {
		_, err := store.Open(t.Context(), store.Options{Database: name, Platform: platform, Ring: newRing(t)})
		if err == nil {
			t.Errorf("Open(%q) = nil, want an error", name)
		}
	}
}

func TestSQLite_Pragmas(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	for _, tt := range []struct{ name, writer, reader string }{
		{"journal_mode", "wal", "wal"}, {"synchronous", "2", ""}, {"foreign_keys", "1", "1"}, {"busy_timeout", "5000", "5000"},
		{"trusted_schema", "0", "0"}, {"secure_delete", "1", ""}, {"journal_size_limit", "67108864", ""}, {"wal_autocheckpoint", "8000", ""}, {"query_only", "0", "1"},
	} {
		got, err := s.WriterStrings(t.Context(), "PRAGMA "+tt.name)
		if err != nil || len(got) != 1 || got[0] != tt.writer {
			t.Errorf("PRAGMA %s of the writer = %q, %v; want %s", tt.name, got, err, tt.writer)
		}
		if got, err = s.Strings(t.Context(), "PRAGMA "+tt.name); tt.reader != "" && (err != nil || len(got) != 1 || got[0] != tt.reader) {
			t.Errorf("PRAGMA %s of a reader = %q, %v; want %s", tt.name, got, err, tt.reader)
		}
	}
	if got, err := s.Strings(t.Context(), `SELECT "no such column"`); err == nil { // _dqs=0
		t.Errorf(`SELECT "no such column" = %q, want an error`, got)
	}
	if _, err := s.Strings(t.Context(), `DELETE FROM setting RETURNING name`); err == nil {
		t.Error("a reader may write")
	}
	if err := store.VerifyPragmas(t.Context(), raw(t, filepath.Join(t.TempDir(), "plain.db"))); err == nil || !strings.Contains(err.Error(), "PRAGMA") {
		t.Errorf("a connection with the driver's own settings = %v, want it refused", err)
	}
}

func TestSQLite_SecondProcessIsRefused(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	openAt(t, path, ring)
	if _, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second Open = %v, want ErrLocked", err)
	}
	if _, err := store.Migrate(t.Context(), path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("Migrate of an open file = %v, want ErrLocked", err)
	}
}

func TestSQLite_NewerSchemaIsRefused(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	version, err := store.Migrate(t.Context(), path)
	if err != nil || version < 1 {
		t.Fatalf("Migrate = %d, %v", version, err)
	}
	db := raw(t, path, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)`, version+1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("Open of a newer schema = %v, want it refused", err)
	}
}

// TestSQLite_Plans: every query that runs often finds its rows by an index.
func TestSQLite_Plans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	for name, text := range store.HotQueries {
		plan, err := s.Plan(t.Context(), text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// What is due is sorted by what no index can hold; it is much after an outage only.
		sorted := strings.Contains(plan, "TEMP B-TREE") && name != "ClaimDue"
		if strings.Contains(plan, "SCAN") || sorted || strings.Contains(plan, "AUTOMATIC") || !strings.Contains(plan, "SEARCH") {
			t.Errorf("%s: %s", name, plan)
		}
		// A claim changes the rows that its inner query names, and nothing else is read for it.
		if outer, _, _ := strings.Cut(plan, ";"); strings.HasPrefix(name, "Claim") && !strings.Contains(outer, "id=?)") {
			t.Errorf("%s walks more rows than it claims: %s", name, plan)
		}
	}
	if plan, err := s.Plan(t.Context(), store.HotQueries["ClaimArrivals(code)"]); !strings.Contains(plan, "arrival_code (platform=? AND code_hash=?") {
		t.Errorf("ClaimArrivals of a code: %s, %v", plan, err)
	}
}

// TestSQLite_ListPlans: whatever the console's list is sorted and filtered by, it is
// either walked along the index of the column or found by the index of a condition.
func TestSQLite_ListPlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	for _, p := range store.ListPlans() {
		plan, err := s.Plan(t.Context(), p.Text)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		steps := strings.Split(plan, "; ")
		if at := slices.IndexFunc(steps, func(s string) bool { return !strings.HasPrefix(s, "CO-ROUTINE") }); !strings.HasPrefix(steps[at], p.Begins) {
			t.Errorf("%s: %s; want first %s", p.Name, plan, p.Begins)
		}
		for _, step := range steps {
			if strings.HasPrefix(step, "SCAN") && step != "SCAN few" || strings.Contains(step, "AUTOMATIC") || strings.Contains(step, "TEMP B-TREE") && !p.Sorts {
				t.Errorf("%s: %s", p.Name, plan)
			}
		}
	}
}
