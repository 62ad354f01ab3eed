package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

var restoredAt = store.RestoreOptions{Replace: true, Now: time.Date(2026, 11, 27, 2, 30, 0, 0, time.UTC)}

// TestRestore: what was in the backup is there, and none of its tokens is trusted.
func TestRestore(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := openAt(t, path, ring)
	plant(t, s)
	file, _ := backup(t, path, ring)
	to := filepath.Join(t.TempDir(), "made", "new.db")
	o := store.Options{Database: to, Platform: platform, Ring: ring}
	r, err := store.Restore(t.Context(), o, file, store.RestoreOptions{Now: t0})
	if err != nil || r.Accounts != 2 || r.SetAside != "" || r.From != store.Latest() {
		t.Fatalf("Restore = %+v, %v", r, err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database is %v, %v; want 600", info.Mode(), err)
	}
	restored := open(t, o)
	state, err := restored.SweepState(t.Context())
	if err != nil || !state.Unverified {
		t.Errorf("SweepState = %+v, %v; want it unverified", state, err)
	}
	for _, id := range []onboard.AppID{"wx1", "wx2"} {
		was, err := s.Credentials(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		c, err := restored.Credentials(t.Context(), id)
		if err != nil || c.Refresh != was.Refresh || !c.Access.Empty() || !c.AccessExpiresAt.IsZero() {
			t.Errorf("Credentials(%s) = %+v, %v; want the refresh token alone", id, c, err)
		}
	}
	if due, err := restored.ClaimDue(t.Context(), t0, t0.Add(time.Minute), 9); err != nil || len(due) != 2 {
		t.Errorf("%d accounts are due, %v; want 2", len(due), err)
	}
	if _, err := restored.PlatformToken(t.Context()); !errors.Is(err, onboard.ErrNoRow) {
		t.Errorf("PlatformToken = %v, want none", err)
	}
	if all, err := restored.Sessions(t.Context(), "a"); err != nil || len(all) != 0 {
		t.Errorf("%d sessions of admins, %v; want none", len(all), err)
	}
	if a, err := restored.AdminByID(t.Context(), "a"); err != nil || a.TOTP.Reveal() != "canary-totp" {
		t.Errorf("AdminByID = %+v, %v", a, err)
	}
	entries, err := restored.Audit(t.Context(), admin.Filter{Limit: 9})
	if err != nil || len(entries) != 1 || entries[0].Action != "database.restore" || entries[0].Target != filepath.Base(file) || entries[0].Hash != entries[0].Sum("") {
		t.Errorf("Audit = %+v, %v; want the restore told", entries, err)
	}
	if restored.Hasher().Hash("p", "v") != s.Hasher().Hash("p", "v") {
		t.Error("what is looked up by a hash is lost")
	}
}

// TestRestore_LostKey: a backup whose key is lost is restored without what that
// sealed, in one go.
func TestRestore_LostKey(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	file, _ := backup(t, path, ring)
	o := store.Options{Database: filepath.Join(t.TempDir(), "new.db"), Platform: platform, Ring: newRing(t)}
	if r, err := store.Restore(t.Context(), o, file, store.RestoreOptions{LostKey: true, Now: t0}); err != nil || r.Accounts != 2 || r.Unreadable != 0 {
		t.Fatalf("Restore = %+v, %v", r, err)
	}
	s := open(t, o)
	held, err := s.Holdings(t.Context())
	if err != nil || len(held) != 2 || held[0].Damaged || !held[0].Refresh.Empty() {
		t.Errorf("Holdings = %+v, %v; want both accounts without a token", held, err)
	}
	if state, err := s.SweepState(t.Context()); err != nil || !state.Unverified {
		t.Errorf("SweepState = %+v, %v; want it unverified", state, err)
	}
	if entries, err := s.Audit(t.Context(), admin.Filter{Limit: 9}); err != nil || len(entries) != 2 || entries[0].Action != "keys.lost" {
		t.Errorf("Audit = %+v, %v; want the restore and the loss told", entries, err)
	}
}

// TestMarkRestored: a database that other tools restored is trusted no more than
// one that Restore made.
func TestMarkRestored(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := openAt(t, database, newRing(t))
		plant(t, s)
		if err := s.MarkRestored(t.Context()); err != nil {
			t.Fatal(err)
		}
		if state, err := s.SweepState(t.Context()); err != nil || !state.Unverified {
			t.Errorf("SweepState = %+v, %v; want it unverified", state, err)
		}
		c, err := s.Credentials(t.Context(), "wx1")
		if err != nil || c.Refresh.Empty() || !c.Access.Empty() {
			t.Errorf("Credentials = %+v, %v; want the refresh token alone", c, err)
		}
		if all, err := s.Sessions(t.Context(), "a"); err != nil || len(all) != 0 {
			t.Errorf("%d sessions of admins, %v; want none", len(all), err)
		}
	})
}

// TestRestore_Owner: what root restores belongs to whom the program runs as.
func TestRestore_Owner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	plant(t, openAt(t, path, ring))
	file, _ := backup(t, path, ring)
	to := filepath.Join(t.TempDir(), "new.db")
	if err := os.Chown(filepath.Dir(to), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), store.Options{Database: to, Platform: platform, Ring: ring}, file, store.RestoreOptions{Now: t0}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{to, to + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 65534 {
			t.Errorf("%s belongs to %d, want 65534", name, owner)
		}
	}
}

// TestRestore_Refuses: whatever is wrong is said, and the database stays as it was.
func TestRestore_Refuses(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := openAt(t, path, ring)
	plant(t, s)
	file, _ := backup(t, path, ring)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(change func([]byte) []byte) string {
		name := filepath.Join(t.TempDir(), "changed.db")
		if err := os.WriteFile(name, change(append([]byte{}, good...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	newer := write(func(b []byte) []byte { return b })
	if err := raw(t, newer, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)`, store.Latest()+1)).Close(); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if err := raw(t, foreign, `CREATE TABLE notes (x)`).Close(); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(t.TempDir(), "used.db")
	if err := openAndClose(t, used, ring); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(used)
	if err != nil {
		t.Fatal(err)
	}
	was := names(t, filepath.Dir(used))
	for name, tt := range map[string]struct {
		o    store.Options
		file string
		how  store.RestoreOptions
		want error
		says string
	}{
		"a running program":        {store.Options{Database: path, Platform: platform, Ring: ring}, file, restoredAt, store.ErrLocked, ""},
		"a database is there":      {store.Options{Database: used, Platform: platform, Ring: ring}, file, store.RestoreOptions{Now: t0}, store.ErrExists, used},
		"another key":              {store.Options{Database: used, Platform: platform, Ring: newRing(t)}, file, restoredAt, store.ErrWrongKey, "USHER_SECRET_KEY"},
		"another platform":         {store.Options{Database: used, Platform: "wxother", Ring: ring}, file, restoredAt, nil, string(platform)},
		"no such file":             {store.Options{Database: used, Platform: platform, Ring: ring}, file + "x", restoredAt, fs.ErrNotExist, ""},
		"the database itself":      {store.Options{Database: used, Platform: platform, Ring: ring}, used, restoredAt, nil, "itself"},
		"PostgreSQL":               {store.Options{Database: "postgres://h/d", Platform: platform, Ring: ring}, file, restoredAt, store.ErrPostgres, ""},
		"text":                     {store.Options{Database: used, Platform: platform, Ring: ring}, write(func([]byte) []byte { return []byte("hello") }), restoredAt, store.ErrDamaged, ""},
		"half of it":               {store.Options{Database: used, Platform: platform, Ring: ring}, write(func(b []byte) []byte { return b[:len(b)/2] }), restoredAt, store.ErrDamaged, ""},
		"a page of zeros":          {store.Options{Database: used, Platform: platform, Ring: ring}, write(func(b []byte) []byte { clear(b[8192:12288]); return b }), restoredAt, store.ErrDamaged, ""},
		"nothing":                  {store.Options{Database: used, Platform: platform, Ring: ring}, write(func([]byte) []byte { return nil }), restoredAt, nil, "not a database of Usher"},
		"another program's":        {store.Options{Database: used, Platform: platform, Ring: ring}, foreign, restoredAt, nil, "not a database of Usher"},
		"a newer program's schema": {store.Options{Database: used, Platform: platform, Ring: ring}, newer, restoredAt, nil, "newer program"},
	} {
		if _, err := store.Restore(t.Context(), tt.o, tt.file, tt.how); err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: Restore = %v, want %v %q", name, err, tt.want, tt.says)
		}
	}
	if after, err := os.ReadFile(used); err != nil || string(after) != string(before) || names(t, filepath.Dir(used)) != was {
		t.Errorf("a refused restore changed the database (%v), or left %q", err, names(t, filepath.Dir(used)))
	}
	if err := openAndClose(t, used, ring); err != nil {
		t.Errorf("Open after refused restores = %v", err)
	}
}

func openAndClose(t *testing.T, database string, ring *secret.Ring) error {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Database: database, Platform: platform, Ring: ring})
	if err != nil {
		return err
	}
	return s.Close()
}

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
