package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/internal/onboard"
	"usher/internal/store"
)

// TestPostgreSQL_DroppedConnections: the server drops every connection, as in a
// restart or a failover. Nobody who comes afterwards notices.
func TestPostgreSQL_DroppedConnections(t *testing.T) {
	address := postgres.Start(t).Database(t)
	s := openAt(t, address, newRing(t))
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	for i := range 5 {
		if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: t0}); err != nil {
			t.Errorf("SaveArrival after dropping connections %d times = %v", i, err)
		}
		if _, err := s.ClaimOpened(t.Context(), "none", t0); err != nil {
			t.Errorf("ClaimOpened after dropping connections %d times = %v", i, err)
		}
		if _, err := c.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPostgreSQL_OpenTogether: several processes that start at once on a new
// database make one schema and one hash key.
func TestPostgreSQL_OpenTogether(t *testing.T) {
	address, ring := postgres.Start(t).Database(t), newRing(t)
	type opened struct {
		s   *store.Store
		err error
	}
	all := make(chan opened)
	const n = 4
	for range n {
		go func() {
			s, err := store.Open(t.Context(), store.Options{Database: address, Platform: platform, Ring: ring})
			all <- opened{s, err}
		}()
	}
	hashes := map[string]bool{}
	for range n {
		o := <-all
		if o.err != nil {
			t.Errorf("Open = %v", o.err)
			continue
		}
		hashes[o.s.Hasher().Hash("p", "v")] = true
		if err := o.s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(hashes) != 1 {
		t.Errorf("%d hash keys, want one", len(hashes))
	}
}

// TestPostgreSQL_Deadlock: two transactions that lock the same rows in opposite
// orders both succeed, because the one that PostgreSQL breaks off is done again.
func TestPostgreSQL_Deadlock(t *testing.T) {
	address, ring := postgres.Start(t).Database(t), newRing(t)
	a, b := openAt(t, address, ring), openAt(t, address, ring)
	for _, id := range []string{"1", "2"} {
		if err := a.SaveAttempt(t.Context(), onboard.Attempt{ID: id, PhoneCode: id}); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	both.Add(2)
	ended := make(chan error, 2)
	cross := func(s *store.Store, first, second string) {
		met := false
		ended <- s.Cross(t.Context(), func(exec func(string) error) error {
			if err := exec(`UPDATE attempt SET version = version + 1 WHERE id = '` + first + `'`); err != nil {
				return err
			}
			if !met { // the first time wait until both hold a row
				met = true
				both.Done()
				both.Wait()
			}
			return exec(`UPDATE attempt SET version = version + 1 WHERE id = '` + second + `'`)
		})
	}
	go cross(a, "1", "2")
	go cross(b, "2", "1")
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("a transaction that met a deadlock = %v", err)
		}
	}
	got, err := a.Strings(t.Context(), `SELECT CAST(version AS TEXT) FROM attempt ORDER BY id`)
	if err != nil || len(got) != 2 || got[0] != "2" || got[1] != "2" {
		t.Errorf("versions = %q, %v; want 2 and 2", got, err)
	}
}

// TestPostgreSQL_SameNumber: a write whose number another process has drawn for its
// own row is done again, with a new one, alone and beside others.
func TestPostgreSQL_SameNumber(t *testing.T) {
	s := openAt(t, postgres.Start(t).Database(t), newRing(t))
	for _, digest := range []string{"taken", "0", "1"} {
		if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: digest, ReceivedAt: t0}); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.Strings(t.Context(), `SELECT CAST(id AS TEXT) FROM arrival WHERE digest = 'taken'`)
	if err != nil || len(ids) != 1 {
		t.Fatalf("ids = %q, %v", ids, err)
	}
	for digest, do := range map[string]func(context.Context, func(func(string) error) error) error{"0": s.Cross, "1": s.Batched} {
		drawn := []string{ids[0], ids[0], "1" + digest}
		if err := do(t.Context(), func(exec func(string) error) error {
			id := drawn[0]
			drawn = drawn[1:]
			return exec(`UPDATE arrival SET id = ` + id + ` WHERE digest = '` + digest + `'`)
		}); err != nil || len(drawn) != 0 {
			t.Errorf("a write with a number that is taken = %v after %d tries; want it done at the third", err, 3-len(drawn))
		}
	}
}

// TestPostgreSQL_Clock: whatever the machine's clock says and however it is set,
// the time that counts is the server's.
func TestPostgreSQL_Clock(t *testing.T) {
	address, ring := postgres.Start(t).Database(t), newRing(t)
	var set atomic.Int64
	set.Store(int64(-3 * time.Hour))
	log := &lines{}
	s, err := store.Open(t.Context(), store.Options{Database: address, Platform: platform, Ring: ring,
		Log: slog.New(slog.NewTextHandler(log, nil)), Host: func() time.Time { return time.Now().Add(time.Duration(set.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	right := func(when string) {
		t.Helper()
		if off := time.Since(s.Now().Round(0)).Abs(); off > time.Second {
			t.Errorf("%s Now is off by %v", when, off)
		}
	}
	right("behind by three hours,")
	set.Store(int64(3 * time.Hour))
	if err := s.ReadClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	right("set forward by six hours,")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	right("after Close,")
	if !strings.Contains(log.String(), "the clock of this machine differs") {
		t.Errorf("nobody is told that the clock is wrong:\n%s", log)
	}
}

// lines is a log that may be written from several goroutines.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestPostgreSQL_Peers: news reaches the other stores on the database, whole and
// in order, not one's own and not that of another platform; more than fits into one
// notification too. After a time without a connection everything counts as changed.
func TestPostgreSQL_Peers(t *testing.T) {
	server := postgres.Start(t)
	address, ring := server.Database(t), newRing(t)
	a, b := openAt(t, address, ring), openAt(t, address, ring)
	other, err := store.Open(t.Context(), store.Options{Database: address, Platform: "wx00000000000000ff", Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	heard := make(chan string, 2000)
	b.Listen(func(news ...string) {
		if len(news) == 0 {
			heard <- "everything"
		}
		for _, n := range news {
			heard <- n
		}
	})
	wrong := make(chan string, 2000)
	for _, s := range []*store.Store{a, other} {
		s.Listen(func(news ...string) { wrong <- fmt.Sprint(news) })
	}
	next := func() string {
		select {
		case n := <-heard:
			return n
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was heard for thirty seconds")
			return ""
		}
	}
	for got := ""; got != "hello"; { // listening may not have begun
		a.Tell("hello")
		select {
		case got = <-heard:
		case <-time.After(20 * time.Millisecond):
		}
	}
	const n = 500
	for i := range n {
		a.Tell(fmt.Sprintf("attempt %026d", i))
	}
	for i := 0; i < n; {
		got := next()
		if got == "hello" {
			continue
		}
		if want := fmt.Sprintf("attempt %026d", i); got != want {
			t.Fatalf("heard %q, want %q", got, want)
		}
		i++
	}
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "everything" {
		t.Errorf("after a broken connection %q was heard, want everything", got)
	}
	a.Tell("last")
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	for got := next(); got != "last"; got = next() {
	}
	select {
	case got := <-wrong:
		if got != "[]" { // those whose connection broke take everything for changed
			t.Errorf("somebody heard %q who should not", got)
		}
	default:
	}
}
