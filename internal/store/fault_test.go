package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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

// TestSQLite_CheckIsSparedOnlyAfterAGoodEnd: the note that lets the check be
// spared is gone while the file is in use, and does not fit a file that changed.
func TestSQLite_CheckIsSparedOnlyAfterAGoodEnd(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	o := store.Options{Database: path, Platform: platform, Ring: ring}
	note := func() string {
		t.Helper()
		b, err := os.ReadFile(path + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for range 2 { // new, then closed well
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := note(); got != "" {
			t.Errorf("while the file is open the note says %q", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if note() == "" {
			t.Error("no note after Close")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[len(b)/2 : len(b)/2+4096])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	// Even with its old time the file is checked when the note is gone, as after a crash.
	if err := errors.Join(os.Chtimes(path, info.ModTime(), info.ModTime()), os.Truncate(path+".lock", 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a refused file leaves no note
		if _, err := store.Open(t.Context(), o); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("Open = %v, want ErrDamaged", err)
		}
	}
}

// TestSQLite_DiskFull: a full disk refuses writes, keeps what was acknowledged,
// and is over when there is room again.
func TestSQLite_DiskFull(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	pages, err := s.WriterStrings(t.Context(), "PRAGMA page_count") // of the empty schema
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriterStrings(t.Context(), "PRAGMA max_page_count = "+pages[0]+"0"); err != nil { // ten times that
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
	if _, err := s.WriterStrings(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := save(saved); err != nil {
		t.Errorf("SaveArrival with room again = %v", err)
	}
	if got := count(); got != saved+1 {
		t.Errorf("%d arrivals are stored, want %d", got, saved+1)
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
