package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/rescue"
	"usher/internal/secret"
	"usher/internal/store"
)

// engines runs a test of the writer on both engines.
func engines(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("SQLite", func(t *testing.T) { test(t, openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, openAt(t, postgres.Start(t).Database(t), newRing(t))) })
}

// behind holds the writer, starts n calls that wait for it, and lets them go
// together once all of them wait.
func behind(t *testing.T, s *store.Store, n int, call func(i int) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Hold(held, release); err != nil {
			t.Errorf("Hold() = %v", err)
		}
	})
	<-held
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	for s.Waiting() < n {
		runtime.Gosched()
	}
	close(release)
	wg.Wait()
	return errs
}

func setting(name string) string {
	return fmt.Sprintf(`INSERT INTO setting (platform, name, value) VALUES ('test', '%s', '')`, name)
}

func settings(t *testing.T, s *store.Store) string {
	t.Helper()
	names, err := s.Strings(t.Context(), `SELECT name FROM setting WHERE platform = 'test' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// TestGroupCommit: what waits together is committed together.
func TestGroupCommit(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		const n = 200
		_, before := s.Groups()
		for _, err := range behind(t, s, n, func(i int) error {
			isNew, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: time.Unix(1, 0), Payload: secret.New("p")})
			if !isNew {
				return errors.Join(err, errors.New("not new"))
			}
			return err
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, after := s.Groups(); after-before != 2 { // the one that held the writer, and all the others
			t.Errorf("%d writes that waited took %d commits, want 1", n, after-before-1)
		}
		stored, err := s.Strings(t.Context(), `SELECT digest FROM arrival`)
		if err != nil || len(stored) != n {
			t.Errorf("%d arrivals are stored, %v; want %d", len(stored), err, n)
		}
	})
}

// TestGroupCommit_FailureStaysAlone: writes that fail, each in its own way, take
// nothing with them and leave nothing behind.
func TestGroupCommit_FailureStaysAlone(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		failed := errors.New("failed")
		errs := behind(t, s, 6, func(i int) error {
			switch i {
			case 1:
				return s.Write(t.Context(), failed, setting("undone"))
			case 2:
				return s.Write(t.Context(), nil, setting("undone too"), "not SQL")
			case 3:
				return s.Panic(t.Context())
			case 4:
				return s.Write(t.Context(), onboard.ErrFenced)
			}
			return s.Write(t.Context(), nil, setting(fmt.Sprint("kept ", i)))
		})
		if errs[0] != nil || errs[5] != nil || !errors.Is(errs[1], failed) || errs[2] == nil ||
			!rescue.Is(errs[3]) || !errors.Is(errs[4], onboard.ErrFenced) {
			t.Errorf("errors = %v", errs)
		}
		if got := settings(t, s); got != "kept 0 kept 5" {
			t.Errorf("stored %q, want kept 0 and kept 5", got)
		}
		if err := s.Write(t.Context(), failed, setting("alone")); !errors.Is(err, failed) {
			t.Errorf("a lone write that fails = %v, want %v", err, failed)
		}
		if err := s.Write(t.Context(), nil, setting("later")); err != nil {
			t.Error(err)
		}
		if got := settings(t, s); got != "kept 0 kept 5 later" {
			t.Errorf("stored %q, want kept 0, kept 5 and later", got)
		}
	})
}

// TestWriter_Withdraw: a caller that gives up while it waits is told so, and
// its write never happens.
func TestWriter_Withdraw(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	ctx, cancel := context.WithCancel(t.Context())
	held, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 2)
	go func() { ended <- s.Hold(held, release) }()
	<-held
	gaveUp := make(chan error)
	go func() { gaveUp <- s.Write(ctx, nil, setting("withdrawn")) }()
	for s.Waiting() < 1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) { // while the writer is still held
		t.Errorf("Write = %v, want context.Canceled", err)
	}
	close(release)
	if err := errors.Join(<-ended, s.Write(t.Context(), nil, setting("kept"))); err != nil {
		t.Fatal(err)
	}
	if got := settings(t, s); got != "kept" {
		t.Errorf("stored %q, want kept alone", got)
	}
}

// TestClose_Drains: what was accepted is committed, what comes later is refused.
func TestClose_Drains(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	const n = 50
	answers := make(chan error, n+1)
	go func() { answers <- s.Hold(held, release) }()
	<-held
	for i := range n {
		go func() { answers <- s.Write(context.Background(), nil, setting(fmt.Sprint(i))) }()
	}
	for s.Waiting() < n {
		runtime.Gosched()
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	close(release)
	if err := <-closed; err != nil {
		t.Errorf("Close() = %v", err)
	}
	for range n + 1 {
		if err := <-answers; err != nil {
			t.Errorf("a write that waited when Close was called = %v", err)
		}
	}
	if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: "late"}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("SaveArrival after Close = %v, want ErrClosed", err)
	}
	again := openAt(t, path, ring)
	if got := len(strings.Fields(settings(t, again))); got != n {
		t.Errorf("%d writes are stored, want %d", got, n)
	}
}
