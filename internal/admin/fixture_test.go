package admin_test

import (
	"context"
	"database/sql"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// password is good enough for every test.
const password = "correct horse battery staplers"

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// console is a Service on a real database.
type console struct {
	*admin.Service
	db   *store.Store
	path string
}

func open(t testing.TB, now func() time.Time) console {
	t.Helper()
	ring, err := secret.ParseRing(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "usher.db")
	db, err := store.Open(t.Context(), store.Options{
		Database: path, Platform: "wx00000000000000ff", Ring: ring,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := admin.NewService(admin.Options{Store: db, Hasher: db.Hasher(), Now: now})
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return console{s, db, path}
}

// at is a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// owner makes somebody who may do everything.
func (c console) owner(t testing.TB, name string) admin.Admin {
	t.Helper()
	a, err := c.CreateWithPassword(t.Context(), name, password, admin.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = c.Admin(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	return a
}

// from is a request from an address of its own network.
func from(ctx context.Context, n int) context.Context {
	address := netip.AddrFrom4([4]byte{198, byte(51 + n>>8), byte(n), 7})
	return admin.With(ctx, admin.Actor{
		Address: address.String(), Network: netip.PrefixFrom(address, 24).Masked().String(), Browser: "Test/1.0", RequestID: "REQ",
	})
}

// as is a request of somebody who is signed in.
func as(ctx context.Context, a admin.Admin) context.Context {
	return admin.With(ctx, admin.Actor{Admin: a, Address: "192.0.2.1", Network: "192.0.2.0/24", RequestID: "REQ"})
}

// key is the sentence that an error asks for.
func key(err error) onboard.Key {
	if err == nil {
		return ""
	}
	_, k := onboard.Explain(err)
	return k
}

// last is the newest row of the audit.
func (c console) last(t testing.TB) admin.Entry {
	t.Helper()
	rows, err := c.AuditRows(t.Context(), admin.Filter{Limit: 1})
	if err != nil || len(rows) == 0 {
		t.Fatalf("AuditRows = %v, %v; want a row", rows, err)
	}
	return rows[0]
}

// forget ends the delay of a name, for a test that is not about it.
func (c console) forget(t testing.TB, name string) {
	t.Helper()
	if err := c.db.ForgiveTry(t.Context(), []string{c.db.Hasher().Hash("admin try", "name\x00"+admin.NameKey(name))}, nil); err != nil {
		t.Fatal(err)
	}
}

// raw opens the database file beside the program, as somebody with a shell could.
func (c console) raw(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+c.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execSQL(t testing.TB, c console, text string) int64 {
	t.Helper()
	result, err := c.raw(t).ExecContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func countSQL(t testing.TB, c console, text string) (n int64) {
	t.Helper()
	if err := c.raw(t).QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
