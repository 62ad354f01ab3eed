package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// TestPowerCut_WALPrefix cuts the write-ahead log off at every frame and in the
// middle of every frame, as a power cut may. Whatever is left opens, is sound, and
// holds exactly the writes whose commit is in it.
func TestPowerCut_WALPrefix(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	s := begin(t, path, ring)
	if err := raw(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`).Close(); err != nil {
		t.Fatal(err)
	}
	const writes = 8
	for i := range writes {
		if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(i), ReceivedAt: t0, Payload: secret.New("p")}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const head, frameHead = 32, 24
	frame := frameHead + int(binary.BigEndian.Uint32(log[8:]))
	frames, commits := (len(log)-head)/frame, 0
	for n := 0; n <= frames; n++ {
		at := head + n*frame
		if n > 0 && binary.BigEndian.Uint32(log[at-frame+4:]) > 0 { // the size of the file after a commit
			commits++
		}
		for _, cut := range []int{at, at + frame/2} {
			copied := filepath.Join(t.TempDir(), "cut.db")
			if err := errors.Join(os.WriteFile(copied, file, 0o600), os.WriteFile(copied+"-wal", log[:min(cut, len(log))], 0o600)); err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), store.Options{Database: copied, Platform: platform, Ring: ring})
			if err != nil {
				t.Fatalf("Open with %d bytes of the log = %v", cut, err)
			}
			stored, err := s.Strings(t.Context(), `SELECT digest FROM arrival ORDER BY digest`)
			var want []string
			for i := range min(commits, writes) {
				want = append(want, fmt.Sprint(i))
			}
			if err != nil || fmt.Sprint(stored) != fmt.Sprint(want) {
				t.Errorf("with %d of %d frames: %v, %v; want %v", n, frames, stored, err, want)
			}
			check, err := s.Strings(t.Context(), `PRAGMA integrity_check`)
			if err != nil || len(check) != 1 || check[0] != "ok" {
				t.Errorf("with %d of %d frames: integrity_check = %q, %v", n, frames, check, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if commits != writes {
		t.Errorf("%d commits in the log, want %d: each write that is acknowledged is on the disk by then", commits, writes)
	}
}

// primary is the result code of SQLite that an error stands for.
func primary(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// TestSQLite_ReadOnly: when the file cannot be written to any more, writes fail and
// say so, and everything that is there can be read. It is over when it is over.
func TestSQLite_ReadOnly(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	authorize(t, s, "wx1")
	push := func(digest string) error {
		_, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: digest, ReceivedAt: t0, Payload: secret.New("p")})
		return err
	}
	writer, err := s.WriterExec(t.Context())
	if err == nil {
		err = writer("PRAGMA query_only = 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	const readOnly = 8
	if err := push("1"); primary(err) != readOnly {
		t.Errorf("SaveArrival = %v, want SQLITE_READONLY: WeChat must hear that the push was not taken", err)
	}
	if _, err := s.Health(t.Context(), t0); primary(err) != readOnly {
		t.Errorf("Health = %v, want SQLITE_READONLY", err)
	}
	if c, err := s.Credentials(t.Context(), "wx1"); err != nil || c.Access.Empty() {
		t.Errorf("Credentials = %+v, %v; want them read all the same", c, err)
	}
	if a, err := s.Account(t.Context(), "wx1"); err != nil || a.Standing != onboard.Active {
		t.Errorf("Account = %+v, %v; want it read all the same", a, err)
	}
	if err := writer("PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	if err := push("2"); err != nil {
		t.Errorf("SaveArrival afterwards = %v", err)
	}
	if stored, err := s.Strings(t.Context(), `SELECT digest FROM arrival`); err != nil || strings.Join(stored, " ") != "2" {
		t.Errorf("stored = %q, %v; want what was acknowledged", stored, err)
	}
}

// TestStore_ReadThenWrite_Contended: two processes that read and then write in the
// same transactions never meet SQLITE_BUSY, because each takes the lock first.
func TestStore_ReadThenWrite_Contended(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "usher.db"), newRing(t)
	o := store.Options{Database: path, Platform: platform, Ring: ring}
	running := open(t, o)
	beside, err := store.OpenBeside(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	const each = 60
	var all sync.WaitGroup
	for i, s := range []*store.Store{running, beside} {
		all.Go(func() {
			for n := range each {
				id := onboard.AppID(fmt.Sprintf("wx%d", (i+n)%2)) // both write both
				_, err := s.SaveRecovered(t.Context(), onboard.Arrived{AppID: id, Standing: onboard.Active, At: t0.Add(time.Duration(n) * time.Second), Now: t0.Add(time.Duration(2*n+i) * time.Millisecond),
					DueAt: t0, Tokens: onboard.Tokens{Access: secret.New("a"), Refresh: secret.New(fmt.Sprint(i, n)), Life: time.Hour}})
				if err != nil {
					t.Errorf("process %d, write %d: %v", i, n, err)
				}
			}
		})
	}
	all.Wait()
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSQLite_Busy: a write waits for another process that holds the file, and is
// done when that lets go.
func TestSQLite_Busy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	s := openAt(t, path, newRing(t))
	authorize(t, s, "wx1")
	db := raw(t, path)
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: "1", ReceivedAt: t0})
		ended <- err
	}()
	for range 20 { // reads do not wait
		if _, err := s.Credentials(t.Context(), "wx1"); err != nil {
			t.Errorf("Credentials while another process writes = %v", err)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("SaveArrival = %v while another process holds the file", err)
	default:
	}
	if _, err := db.Exec(`COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("SaveArrival = %v", err)
	}
}
