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
