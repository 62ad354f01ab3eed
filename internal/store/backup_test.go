package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// backup copies a database that must allow it.
func backup(t *testing.T, database string, ring *secret.Ring) (file string, c store.Copied) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "copy.db")
	c, err := store.Backup(t.Context(), store.Options{Database: database, Platform: platform, Ring: ring}, file)
	if err != nil {
		t.Fatalf("Backup = %v", err)
	}
	return file, c
}

// names lists what is in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestBackup_Mode0600(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	file, c := backup(t, path, ring)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != c.Bytes {
		t.Errorf("the backup is %v with %d bytes, %v; want 600 with %d", info.Mode(), info.Size(), err, c.Bytes)
	}
	if got := names(t, filepath.Dir(file)); got != "copy.db" {
		t.Errorf("beside the backup lies %q", got)
	}
	if c.Accounts != 2 || c.Admins != 1 || c.Schema != store.Latest() || c.Unreadable != 0 {
		t.Errorf("Backup = %+v; want what was planted", c)
	}
}

// TestBackup_CanaryAbsent: a backup shows no secret, and does not even hold sealed
// what is of no use when it is needed.
func TestBackup_CanaryAbsent(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "usher.db"), secret.NewKey()
	s := openAt(t, path, ringOf(t, key))
	plant(t, s)
	dead, err := s.Strings(t.Context(), `SELECT access_token FROM account WHERE access_token <> '' UNION ALL SELECT value FROM platform_token`)
	if err != nil || len(dead) != 3 {
		t.Fatalf("%d sealed access tokens, %v; want 3", len(dead), err)
	}
	file, _ := backup(t, path, ringOf(t, key))
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), "wx2") {
		t.Fatalf("the backup does not even hold the accounts, so its search proves nothing: %v", err)
	}
	for _, word := range append(dead, "canary", key) {
		if strings.Contains(string(b), word) {
			t.Errorf("the backup holds %q", word)
		}
	}
}

// TestBackup_RestoreNeedsKey: a backup does not open with another key, and the try
// changes nothing.
func TestBackup_RestoreNeedsKey(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	file, _ := backup(t, path, ring)
	to := filepath.Join(t.TempDir(), "new.db")
	o := store.Options{Database: to, Platform: platform, Ring: newRing(t)}
	if _, err := store.Restore(t.Context(), o, file, store.RestoreOptions{Now: t0}); !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("Restore with another key = %v, want ErrWrongKey", err)
	}
	if got := names(t, filepath.Dir(to)); got != "new.db.lock" {
		t.Errorf("after the try there is %q", got)
	}
	// Neither does a backup with another key: it would be of no use.
	again := filepath.Join(t.TempDir(), "again.db")
	o.Database = path
	if _, err := store.Backup(t.Context(), o, again); !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("Backup with another key = %v, want ErrWrongKey", err)
	}
	if got := names(t, filepath.Dir(again)); got != "" {
		t.Errorf("a backup that failed left %q", got)
	}
}

// TestBackup_Live takes copies while the database is written to: each is of one
// moment, and everything that was acknowledged before is in it.
func TestBackup_Live(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := openAt(t, path, ring)
	var (
		writers sync.WaitGroup
		mu      sync.Mutex
		acked   = map[string]bool{}
	)
	ctx, stop := context.WithCancel(t.Context())
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				digest := fmt.Sprintf("%d-%06d", w, i)
				if _, err := s.SaveArrival(context.WithoutCancel(ctx), onboard.Arrival{Digest: digest, ReceivedAt: t0, Payload: secret.New(digest)}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[digest] = true
				mu.Unlock()
			}
		})
	}
	defer writers.Wait()
	defer stop()
	for range 5 {
		mu.Lock()
		before := make([]string, 0, len(acked))
		for digest := range acked {
			before = append(before, digest)
		}
		mu.Unlock()
		file, _ := backup(t, path, ring)
		db := raw(t, file)
		has := map[string]bool{}
		rows, err := db.Query(`SELECT digest FROM arrival ORDER BY digest`)
		if err != nil {
			t.Fatal(err)
		}
		next := map[string]int{}
		for rows.Next() {
			var digest string
			if err := rows.Scan(&digest); err != nil {
				t.Fatal(err)
			}
			has[digest] = true
			writer, number, _ := strings.Cut(digest, "-")
			if want := fmt.Sprintf("%06d", next[writer]); number != want {
				t.Fatalf("writer %s: %s is in the copy and %s is not", writer, number, want)
			}
			next[writer]++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, digest := range before {
			if !has[digest] {
				t.Errorf("%s was acknowledged before the copy and is not in it", digest)
			}
		}
	}
}

// TestBackup_Refuses: nothing is overwritten, and nothing is left behind.
func TestBackup_Refuses(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	dir := t.TempDir()
	there := filepath.Join(dir, "there.db")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		o    store.Options
		file string
		want error
	}{
		"a file that is there": {store.Options{Database: path, Platform: platform, Ring: ring}, there, os.ErrExist},
		"no such directory":    {store.Options{Database: path, Platform: platform, Ring: ring}, filepath.Join(dir, "no", "x.db"), fs.ErrNotExist},
		"no such database":     {store.Options{Database: path + "x", Platform: platform, Ring: ring}, filepath.Join(dir, "x.db"), fs.ErrNotExist},
		"PostgreSQL":           {store.Options{Database: "postgres://h/d", Platform: platform, Ring: ring}, filepath.Join(dir, "x.db"), store.ErrPostgres},
		"another platform":     {store.Options{Database: path, Platform: "wxother", Ring: ring}, filepath.Join(dir, "x.db"), nil},
	} {
		if _, err := store.Backup(t.Context(), tt.o, tt.file); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: Backup = %v, want %v", name, err, tt.want)
		}
	}
	if got := names(t, dir); got != "there.db" {
		t.Errorf("refused backups left %q", got)
	}
	if b, err := os.ReadFile(there); err != nil || string(b) != "mine" {
		t.Errorf("a file that was there holds %q now, %v", b, err)
	}
	// What a backup that died has left is in nobody's way.
	file := filepath.Join(dir, "copy.db")
	if err := os.WriteFile(file+".partial", []byte("half of a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Backup(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}, file); err != nil {
		t.Errorf("Backup after one that died = %v", err)
	}
	if got := names(t, dir); got != "copy.db there.db" {
		t.Errorf("there is %q", got)
	}
	// One that lives is left alone.
	busy, err := os.Create(filepath.Join(dir, "busy.db.partial"))
	if err == nil {
		err = syscall.Flock(int(busy.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	_, err = store.Backup(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring}, filepath.Join(dir, "busy.db"))
	if err == nil || !strings.Contains(err.Error(), "another backup") {
		t.Errorf("Backup beside another one = %v, want it refused", err)
	}
	if got := names(t, dir); got != "busy.db.partial copy.db there.db" {
		t.Errorf("there is %q", got)
	}
}
