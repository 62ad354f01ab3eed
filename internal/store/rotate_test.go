package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// ringOf reads a list of keys.
func ringOf(t testing.TB, keys ...string) *secret.Ring {
	t.Helper()
	r, err := secret.ParseRing(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onBoth runs a test with the address of a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "usher.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres.Start(t).Database(t)) })
}

// lost lists what a ring does not open.
func lost(t *testing.T, database string, ring *secret.Ring) map[string]int {
	t.Helper()
	f, err := store.Forget(t.Context(), store.Options{Database: database, Platform: platform, Ring: ring}, false, t0)
	if err != nil {
		t.Fatal(err)
	}
	return f.Values
}

// TestRotate: after a change of keys the old one opens nothing and is not needed.
func TestRotate(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		oldKey, newKey := secret.NewKey(), secret.NewKey()
		s := begin(t, database, ringOf(t, oldKey))
		plant(t, s)
		for i := range store.SealedBatch + 10 { // more than a batch
			authorize(t, s, onboard.AppID(fmt.Sprintf("wxmany%010d", i)))
		}
		hash := s.Hasher().Hash("p", "v")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := lost(t, database, ringOf(t, oldKey)); len(got) > 0 {
			t.Fatalf("the first key does not open %v", got)
		}
		s = begin(t, database, ringOf(t, newKey, oldKey))
		r, err := s.Rotate(t.Context())
		if err != nil || r.Remaining != 0 || len(r.Unreadable) > 0 || r.Resealed < 2*store.SealedBatch {
			t.Errorf("Rotate = %+v, %v; want everything sealed again", r, err)
		}
		if again, err := s.Rotate(t.Context()); err != nil || again.Resealed != 0 {
			t.Errorf("a second Rotate = %+v, %v; want nothing to do", again, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := lost(t, database, ringOf(t, newKey)); len(got) > 0 {
			t.Errorf("the new key alone does not open %v", got)
		}
		s = begin(t, database, ringOf(t, newKey))
		if got := s.Hasher().Hash("p", "v"); got != hash {
			t.Errorf("Hasher().Hash = %q after the change, want %q: what is looked up by a hash is lost", got, hash)
		}
		c, err := s.Credentials(t.Context(), "wx1")
		if err != nil || c.Refresh.Empty() {
			t.Errorf("Credentials = %+v, %v", c, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := lost(t, database, ringOf(t, oldKey)); got["account.refresh_token"] != store.SealedBatch+12 {
			t.Errorf("the old key does not open %v, want none of %d accounts", got, store.SealedBatch+12)
		}
	})
}

// TestRotate_Beside: a program that still seals with the old key is found out,
// because it could not read what the new one sealed.
func TestRotate_Beside(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		oldKey, newKey := secret.NewKey(), secret.NewKey()
		rotate := func() (store.Rotation, error) {
			s, err := store.OpenBeside(t.Context(), store.Options{Database: database, Platform: platform, Ring: ringOf(t, newKey, oldKey)})
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Rotate(t.Context())
			return r, errors.Join(err, s.Close())
		}
		running := begin(t, database, ringOf(t, oldKey))
		plant(t, running)
		for range 2 { // looking does not change what is found
			if r, err := rotate(); !errors.Is(err, store.ErrKeyNotInUse) || r.Resealed != 0 {
				t.Errorf("Rotate beside a program with the old key = %+v, %v; want ErrKeyNotInUse", r, err)
			}
		}
		if err := running.Close(); err != nil {
			t.Fatal(err)
		}
		running = begin(t, database, ringOf(t, newKey, oldKey))
		// It goes on to write while everything is sealed again. What it writes last counts.
		ctx, stop := context.WithCancel(t.Context())
		last := make(chan string)
		go func() {
			n := 0
			for ; ctx.Err() == nil; n++ {
				at := t0.Add(time.Duration(n) * time.Second)
				if _, err := running.SaveTicket(t.Context(), onboard.Ticket{Value: secret.New(fmt.Sprint(n)), CreatedAt: at, ReceivedAt: at}); err != nil {
					t.Error(err)
				}
			}
			last <- fmt.Sprint(n - 1)
		}()
		r, err := rotate()
		stop()
		written := <-last
		if err != nil || r.Remaining != 0 || r.Resealed == 0 {
			t.Errorf("Rotate beside a program with the new key = %+v, %v", r, err)
		}
		tickets, err := running.Tickets(t.Context())
		if err != nil || len(tickets) == 0 || written != "0" && tickets[0].Value.Reveal() != written {
			t.Errorf("Tickets = %v, %v; want %s first", tickets, err, written)
		}
		if err := running.Close(); err != nil {
			t.Fatal(err)
		}
		if got := lost(t, database, ringOf(t, newKey)); len(got) > 0 {
			t.Errorf("the new key alone does not open %v", got)
		}
	})
}

// TestRotate_Damaged: what opens with no key is counted, left alone, and does not
// stop the others.
func TestRotate_Damaged(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		oldKey, newKey := secret.NewKey(), secret.NewKey()
		s := begin(t, database, ringOf(t, oldKey))
		plant(t, s)
		flip := `UPDATE account SET refresh_token = substr(refresh_token, 1, 40) || CASE substr(refresh_token, 41, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(refresh_token, 42) WHERE appid = 'wx1'`
		if err := errors.Join(s.Write(t.Context(), nil, flip), s.Close()); err != nil {
			t.Fatal(err)
		}
		s = begin(t, database, ringOf(t, newKey, oldKey))
		r, err := s.Rotate(t.Context())
		if err := errors.Join(err, s.Close()); err != nil || r.Remaining != 0 || len(r.Unreadable) != 1 || r.Unreadable["account.refresh_token"] != 1 {
			t.Errorf("Rotate = %+v, %v; want one value counted as unreadable", r, err)
		}
		if got := lost(t, database, ringOf(t, newKey)); len(got) != 1 || got["account.refresh_token"] != 1 {
			t.Errorf("the new key alone does not open %v, want the damaged value only", got)
		}
	})
}

// TestRotate_Spool: an answer of WeChat that waits beside the database keeps the
// old key needed.
func TestRotate_Spool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	oldKey, newKey := secret.NewKey(), secret.NewKey()
	s := begin(t, path, ringOf(t, oldKey))
	a := exchangeOf(t, s, "wx1")
	if err := s.Write(t.Context(), nil, full); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.FinishExchange(ctx, a); err == nil {
		t.Fatal("FinishExchange = nil while the database takes nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = begin(t, path, ringOf(t, newKey, oldKey)) // the database is still full
	if r, err := s.Rotate(t.Context()); err != nil || r.Spooled != 1 {
		t.Errorf("Rotate = %+v, %v; want one answer that waits", r, err)
	}
	if err := errors.Join(s.Write(t.Context(), nil, notFull), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = begin(t, path, ringOf(t, newKey, oldKey))
	checkKept(t, s, "wx1")
	if r, err := s.Rotate(t.Context()); err != nil || r.Spooled != 0 || r.Remaining != 0 {
		t.Errorf("Rotate = %+v, %v; want nothing left", r, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
