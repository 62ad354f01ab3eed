package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// Each benchmark of the store stands beside a floor that does the least that
// could be done with the same bytes and the same durability. Only their ratio
// says something.

const callers = 32 // times GOMAXPROCS

var payload = strings.Repeat("<xml>", 140) // 700 bytes, as a ticket push has

func BenchmarkSaveArrival(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		s := openAt(b, filepath.Join(b.TempDir(), "usher.db"), newRing(b))
		var n atomic.Int64
		b.SetParallelism(callers)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				a := onboard.Arrival{Digest: fmt.Sprintf("%064x", n.Add(1)), Type: onboard.TicketEvent, CreatedAt: t0, ReceivedAt: t0, Payload: secret.New(payload)}
				if isNew, err := s.SaveArrival(context.Background(), a); err != nil || !isNew {
					b.Error(isNew, err)
				}
			}
		})
		writes, commits := s.Groups()
		b.ReportMetric(float64(writes)/float64(commits), "writes/commit")
	})
	b.Run("floor", func(b *testing.B) {
		c := plainFile(b, `CREATE TABLE inbox (digest TEXT PRIMARY KEY, payload TEXT)`)
		insert, err := c.PrepareContext(context.Background(), `INSERT INTO inbox VALUES ($1, $2) ON CONFLICT DO NOTHING`)
		if err != nil {
			b.Fatal(err)
		}
		type job struct {
			digest, payload string
			done            chan error
		}
		jobs := make(chan job, 256)
		defer close(jobs)
		go func() {
			for j := range jobs {
				batch := []job{j}
				for more := true; more && len(batch) < 256; {
					select {
					case j = <-jobs:
						batch = append(batch, j)
					default:
						more = false
					}
				}
				_, err := c.ExecContext(context.Background(), "BEGIN IMMEDIATE")
				for _, j := range batch {
					if err == nil {
						_, err = insert.Exec(j.digest, j.payload)
					}
				}
				if err == nil {
					_, err = c.ExecContext(context.Background(), "COMMIT")
				}
				for _, j := range batch {
					j.done <- err
				}
			}
		}()
		sealed := newRing(b).Seal("t", "c", "r", secret.New(payload))
		var n atomic.Int64
		b.SetParallelism(callers)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				j := job{fmt.Sprintf("%064x", n.Add(1)), sealed, make(chan error, 1)}
				jobs <- j
				if err := <-j.done; err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkCredentials(b *testing.B) {
	const n = 10_000
	b.Run("store", func(b *testing.B) {
		s := openAt(b, filepath.Join(b.TempDir(), "usher.db"), newRing(b))
		seed(b, s, n)
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			if c, err := s.Credentials(context.Background(), benchID(i%n)); err != nil || c.Access.Empty() {
				b.Fatal(c, err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		sealed := newRing(b).Seal("t", "c", "r", secret.New(strings.Repeat("t", 150)))
		c := plainFile(b, `CREATE TABLE token (appid TEXT PRIMARY KEY, access TEXT, refresh TEXT)`, `BEGIN`)
		for i := range n {
			if _, err := c.ExecContext(context.Background(), `INSERT INTO token VALUES ($1, $2, $2)`, string(benchID(i)), sealed); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := c.ExecContext(context.Background(), `COMMIT`); err != nil {
			b.Fatal(err)
		}
		read, err := c.PrepareContext(context.Background(), `SELECT access, refresh FROM token WHERE appid = $1`)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			var access, refresh string
			if err := read.QueryRow(string(benchID(i%n))).Scan(&access, &refresh); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkClaimAndSaveRefreshed counts one refreshed account as one operation.
func BenchmarkClaimAndSaveRefreshed(b *testing.B) {
	const n, batch = 10_000, 50
	s := openAt(b, filepath.Join(b.TempDir(), "usher.db"), newRing(b))
	seed(b, s, n)
	now := t0
	b.ResetTimer()
	for done := 0; done < b.N; {
		now = now.Add(2 * time.Hour)
		for range n / batch {
			due, err := s.ClaimDue(context.Background(), now, now.Add(time.Minute), batch)
			if err != nil || len(due) == 0 {
				b.Fatal(len(due), err)
			}
			results := make([]onboard.Refreshed, len(due))
			for i, d := range due {
				results[i] = onboard.Refreshed{AppID: d.AppID, Fence: d.Fence, WasDueAt: d.DueAt, Now: now, DueAt: now.Add(time.Hour), Tokens: benchTokens(d.AppID)}
			}
			if fenced, err := s.SaveRefreshed(context.Background(), results); err != nil || len(fenced) > 0 {
				b.Fatal(fenced, err)
			}
			if done += len(due); done >= b.N {
				break
			}
		}
	}
}

func benchID(i int) onboard.AppID { return onboard.AppID(fmt.Sprintf("wx%016x", i)) }

func benchTokens(id onboard.AppID) onboard.Tokens {
	long := strings.Repeat("t", 130) + string(id)
	return onboard.Tokens{Access: secret.New(long), Life: 2 * time.Hour, Refresh: secret.New("refreshtoken@@@" + string(id))}
}

// seed stores n accounts; their commits are shared, as those of many callers are.
func seed(b *testing.B, s *store.Store, n int) {
	b.Helper()
	var next atomic.Int64
	ended := make(chan error)
	for range 64 {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					ended <- nil
					return
				}
				code := fmt.Sprint(i)
				c, err := s.ClaimExchange(context.Background(), code, "", t0, t0.Add(time.Minute))
				if err == nil {
					_, err = s.FinishExchange(context.Background(), onboard.Arrived{CodeHash: code, Fence: c.Fence, AppID: benchID(i),
						At: t0, Now: t0, DueAt: t0.Add(time.Hour), Standing: onboard.Active, Tokens: benchTokens(benchID(i))})
				}
				if err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for range 64 {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// plainFile opens a file with the durability of the store and nothing else.
func plainFile(b *testing.B, statements ...string) *sql.Conn {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "floor.db")+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000")
	if err != nil {
		b.Fatal(err)
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close(); _ = db.Close() })
	for _, text := range statements {
		if _, err := c.ExecContext(context.Background(), text); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// BenchmarkEvents reads pages of the console's list out of a million events: those
// of a year with many merchants.
func BenchmarkEvents(b *testing.B) {
	const n = 1_000_000
	s := openAt(b, filepath.Join(b.TempDir(), "usher.db"), newRing(b))
	err := s.Write(b.Context(), nil, fmt.Sprintf(`WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < %d)
		INSERT INTO arrival (platform, id, digest, type, appid, code_hash, handoff_id, attempt_id, created_at, received_at, payload, tries, fence, due_at, outcome, reason, finished_at)
		SELECT '%s', (1790000000000 + i * 1000) * 1048576, i, CASE WHEN i %% 20 = 0 THEN 'authorized' WHEN i %% 1000 = 1 THEN 'unauthorized' ELSE 'component_verify_ticket' END,
			CASE WHEN i %% 20 = 0 THEN 'wx' || (i %% 100000) ELSE '' END, '', '', '', 1790000000000 + i * 1000, 1790000000000 + i * 1000, '', 1, 1, 0,
			CASE WHEN i %% 50000 = 0 THEN 'parked' WHEN i %% 500 = 0 THEN 'ignored' ELSE 'handled' END, '', 1790000000000 + i * 1000 FROM k`, n, platform))
	if err != nil {
		b.Fatal(err)
	}
	middle := (int64(1790000000000) + n/2*1000) << 20
	for name, f := range map[string]admin.EventFilter{
		"newest": {NoFailed: true}, "middle": {Before: middle}, "failed": {Result: admin.EventFailed}, "account": {AppID: "wx20"},
		"type": {Type: onboard.AuthorizedEvent, Before: middle}, "result": {Result: admin.EventIgnored}, "unknown": {Result: admin.EventUnknown},
		"rare type, result": {Type: onboard.UnauthorizedEvent, Result: admin.EventIgnored},
		"type, result":      {Type: onboard.AuthorizedEvent, Result: admin.EventIgnored, Before: middle},
	} {
		f.Limit = 51
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Events(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("types", func(b *testing.B) {
		for b.Loop() {
			if types, err := s.EventTypes(b.Context()); err != nil || len(types) != 3 {
				b.Fatal(types, err)
			}
		}
	})
}
