package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
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
	if err != nil || seen != 4 { // the file, its log, the index of that, the lock
		t.Errorf("%d files, %v; want 4", seen, err)
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
		{"trusted_schema", "0", "0"}, {"secure_delete", "1", ""}, {"journal_size_limit", "67108864", ""}, {"query_only", "0", "1"},
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

func TestSQLite_DamageIsRefused(t *testing.T) {
	damage := map[string]func([]byte){
		"header":   func(b []byte) { copy(b, "not a database") },
		"page":     func(b []byte) { clear(b[len(b)/2 : len(b)/2+4096]) },
		"all of a": func(b []byte) { clear(b[4096:]) },
	}
	for name, change := range damage {
		t.Run(name, func(t *testing.T) {
			path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
			s, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 50 {
				if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: time.Unix(1, 0), Payload: secret.New(strings.Repeat("p", 2000))}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			change(b)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("Open = %v, want ErrDamaged", err)
			}
		})
	}
}

// TestSQLite_DiskFull: a full disk refuses writes, keeps what was acknowledged,
// and is over when there is room again.
func TestSQLite_DiskFull(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	if _, err := s.WriterStrings(t.Context(), "PRAGMA max_page_count = 100"); err != nil {
		t.Fatal(err)
	}
	save := func(i int) error {
		_, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: time.Unix(1, 0), Payload: secret.New(strings.Repeat("p", 4000))})
		return err
	}
	saved := 0
	for save(saved) == nil {
		saved++
	}
	count := func() int {
		digests, err := s.Strings(t.Context(), `SELECT digest FROM arrival`)
		if err != nil {
			t.Fatal(err)
		}
		return len(digests)
	}
	if got := count(); saved == 0 || got != saved {
		t.Errorf("%d arrivals are stored, %d were acknowledged", got, saved)
	}
	if _, err := s.WriterStrings(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := save(saved); err != nil {
		t.Errorf("SaveArrival with room again = %v", err)
	}
	if got := count(); got != saved+1 {
		t.Errorf("%d arrivals are stored, want %d", got, saved+1)
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
		if strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "AUTOMATIC") || !strings.Contains(plan, "SEARCH") {
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

// TestSQLite_KilledProcess kills a process in the middle of its work: what it had
// acknowledged is there.
func TestSQLite_KilledProcess(t *testing.T) {
	const key = "USHER_STORE_TEST_CHILD"
	if path := os.Getenv(key); path != "" {
		writeUntilKilled(path)
	}
	path, ringKey := filepath.Join(t.TempDir(), "usher.db"), secret.NewKey()
	ring, err := secret.ParseRing(ringKey)
	if err != nil {
		t.Fatal(err)
	}
	acked := 0
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestSQLite_KilledProcess$")
		cmd.Env = append(os.Environ(), key+"="+path, "USHER_STORE_TEST_KEY="+ringKey)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, want := bufio.NewScanner(out), acked+100
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "acknowledged ") {
				acked++
			}
			if acked == want {
				_ = cmd.Process.Kill() // and read on: it went further than we read
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process ended by itself")
		}
		s, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := s.Strings(t.Context(), `SELECT digest FROM arrival`)
		if err != nil || len(stored) < acked {
			t.Errorf("%d arrivals are stored, %v; %d were acknowledged", len(stored), err, acked)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func writeUntilKilled(path string) {
	ring, err := secret.ParseRing(os.Getenv("USHER_STORE_TEST_KEY"))
	if err == nil {
		var s *store.Store
		s, err = store.Open(context.Background(), store.Options{Database: path, Platform: platform, Ring: ring})
		var mu sync.Mutex
		for w := 0; w < 8 && err == nil; w++ {
			go func() {
				for i := 0; ; i++ {
					digest := fmt.Sprint(os.Getpid(), " ", w, " ", i)
					if ok, err := s.SaveArrival(context.Background(), onboard.Arrival{Digest: digest, ReceivedAt: time.Now(), Payload: secret.New("p")}); err == nil && ok {
						mu.Lock()
						fmt.Println("acknowledged", digest)
						mu.Unlock()
					}
				}
			}()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(0)
	}
	select {}
}
