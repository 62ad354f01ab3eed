package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"usher/internal/onboard"
	"usher/internal/store"
)

// TestRestore_SetsAside: with --replace the database that was there is kept, with
// its log and its spool.
func TestRestore_SetsAside(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	file, _ := backup(t, path, ring)
	used := filepath.Join(t.TempDir(), "used.db")
	if err := openAndClose(t, used, ring); err != nil {
		t.Fatal(err)
	}
	// As after a crash: a log that nobody has folded in.
	db := raw(t, used, `PRAGMA journal_mode = WAL`, `PRAGMA wal_autocheckpoint = 0`, `INSERT INTO setting (platform, name, value) VALUES ('p', 'in the log', 'x')`)
	o := store.Options{Database: used, Platform: platform, Ring: ring}
	for n, want := range []string{"used.db.before-20261127T023000Z", "used.db.before-20261127T023000Z-2"} {
		r, err := store.Restore(t.Context(), o, file, restoredAt)
		if err != nil || filepath.Base(r.SetAside) != want {
			t.Fatalf("Restore %d = %+v, %v; want what was there as %s", n, r, err, want)
		}
		if n == 0 {
			if _, err := os.Stat(used + "-wal"); err == nil {
				t.Error("the log of the old database lies beside the new one")
			}
			if _, err := os.Stat(r.SetAside + ".spool"); err != nil {
				t.Errorf("the spool of the old database: %v", err)
			}
			old := raw(t, r.SetAside)
			var n int
			if err := old.QueryRow(`SELECT COUNT(*) FROM setting WHERE name = 'in the log'`).Scan(&n); err != nil || n != 1 {
				t.Errorf("what is set aside lacks what was in its log: %d, %v", n, err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if a, err := open(t, o).Account(t.Context(), "wx1"); err != nil || a.Standing != onboard.Active {
		t.Errorf("Account = %+v, %v", a, err)
	}
}

// TestRestore_BrokenOff: a restore that was broken off keeps every other command
// out until it is run again, and the old database is not lost over it.
func TestRestore_BrokenOff(t *testing.T) {
	ring := newRing(t)
	path := filepath.Join(t.TempDir(), "usher.db")
	plant(t, openAt(t, path, ring))
	file, _ := backup(t, path, ring)
	const suffix = ".before-x"
	for name, change := range map[string]func(used string) error{
		"before anything was moved":    func(string) error { return nil },
		"after the database was moved": func(used string) error { return os.Rename(used, used+suffix) },
		"after the copy was placed": func(used string) error {
			b, err := os.ReadFile(file)
			return errors.Join(err, os.Rename(used, used+suffix), os.WriteFile(used, b, 0o600))
		},
	} {
		used := filepath.Join(t.TempDir(), "used.db")
		if err := openAndClose(t, used, ring); err != nil {
			t.Fatal(err)
		}
		old, err := os.ReadFile(used)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(change(used), os.WriteFile(used+".lock", []byte("restoring "+suffix), 0o600)); err != nil {
			t.Fatal(err)
		}
		o := store.Options{Database: used, Platform: platform, Ring: ring}
		for range 2 { // refusing does not wipe the note
			if _, err := store.Open(t.Context(), o); !errors.Is(err, store.ErrRestoring) {
				t.Errorf("%s: Open = %v, want ErrRestoring", name, err)
			}
		}
		r, err := store.Restore(t.Context(), o, file, store.RestoreOptions{Now: restoredAt.Now})
		if err != nil || r.SetAside != used+suffix {
			t.Errorf("%s: Restore = %+v, %v; want the old database as %s", name, r, err, suffix)
			continue
		}
		if b, err := os.ReadFile(r.SetAside); err != nil || string(b) != string(old) {
			t.Errorf("%s: what was set aside is not the old database, %v", name, err)
		}
		if a, err := open(t, o).Account(t.Context(), "wx1"); err != nil || a.Standing != onboard.Active {
			t.Errorf("%s: Account = %+v, %v", name, a, err)
		}
	}
}

// TestRestore_OlderSchema: a backup of any former version is brought up to date.
func TestRestore_OlderSchema(t *testing.T) {
	ring := newRing(t)
	keyed := filepath.Join(t.TempDir(), "keyed.db")
	if err := openAndClose(t, keyed, ring); err != nil {
		t.Fatal(err)
	}
	var hashKey string
	if err := raw(t, keyed).QueryRow(`SELECT value FROM setting WHERE name = 'hash_key'`).Scan(&hashKey); err != nil {
		t.Fatal(err)
	}
	for _, version := range store.Versions() {
		old := filepath.Join(t.TempDir(), "old.db")
		if err := store.UpTo(t.Context(), old, version); err != nil {
			t.Fatal(err)
		}
		if err := raw(t, old, `INSERT INTO setting (platform, name, value) VALUES ('`+string(platform)+`', 'hash_key', '`+hashKey+`')`,
			`INSERT INTO attempt (platform, id, phone_code, invite_code, recipient, auth_type, biz_appid, wanted, language, session, created_at, expires_at,
				opened_at, handed_off_at, code_ends_at, arrived_at, finished_at, verdict, appid, missing, added, removed, blocked, blocked_at, revoked_at, version)
			VALUES ('`+string(platform)+`', 'old', 'o', '', '', 6, '', '', 'zh-CN', '', 1, 2, 0, 0, 0, 0, 0, '', '', '', '', '', '', 0, 0, 1)`).Close(); err != nil {
			t.Fatal(err)
		}
		o := store.Options{Database: old, Platform: platform, Ring: ring}
		copied := filepath.Join(t.TempDir(), "copy.db")
		if c, err := store.Backup(t.Context(), o, copied); err != nil || c.Schema != version || c.Attempts != 1 {
			t.Errorf("Backup of version %d = %+v, %v", version, c, err)
		}
		o.Database = filepath.Join(t.TempDir(), "new.db")
		r, err := store.Restore(t.Context(), o, copied, store.RestoreOptions{Now: t0})
		if err != nil || r.Schema != store.Latest() || r.From != version {
			t.Errorf("Restore of version %d = %+v, %v; want version %d", version, r, err, store.Latest())
			continue
		}
		if a, err := open(t, o).Attempt(t.Context(), "old"); err != nil || a.PhoneCode != "o" {
			t.Errorf("version %d: Attempt = %+v, %v", version, a, err)
		}
	}
}
