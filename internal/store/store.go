// Package store keeps the domain's nouns in SQLite or PostgreSQL. One SQL text
// serves both. It seals every secret before it reaches the database, and it
// refuses to know WeChat, HTTP and what the rows mean beyond the promises of
// [onboard.Store].
package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Errors by which Open refuses a database, and by which methods fail after Close.
var (
	// ErrWrongKey means that the database was written with another secret key.
	ErrWrongKey = errors.New("USHER_SECRET_KEY does not open this database: it was written with another key")
	// ErrLocked means that another process has the SQLite file open.
	ErrLocked = errors.New("another usher process is using this database file")
	// ErrDamaged means that SQLite's quick_check found the file broken.
	ErrDamaged = errors.New("the database file is damaged")
	// ErrClosed is returned by writes after Close.
	ErrClosed = errors.New("the store is closed")
)

// Options says what to open.
type Options struct {
	// Database is the path of a SQLite file, which is made when it is not there,
	// or the address of a PostgreSQL database (postgres://…).
	Database string
	// Platform is our own AppID: one Store serves one platform.
	Platform onboard.AppID
	// Ring seals what must not be read from the file or a backup.
	Ring *secret.Ring
	// Log is told of rows that do not open; nil for none.
	Log *slog.Logger
	// Host is the clock of this machine; nil for time.Now.
	Host func() time.Time
}

// Store implements [onboard.Store]. It is safe for concurrent use.
type Store struct {
	platform string
	ring     *secret.Ring
	hasher   secret.Hasher
	log      *slog.Logger
	engine   engine
	writer   *writer
	keeper   keeper
	ids      idSource
	beside   bool // another program serves from this database
	clock    *clock
	peers    *peers // nil on SQLite
}

var (
	_ onboard.Store = (*Store)(nil)
	_ onboard.Peers = (*Store)(nil)
)

// engine is one open database: where to read, and how transactions begin.
type engine struct {
	read  querier
	group func(context.Context) (transaction, error) // for the writer; one at a time
	// direct begins a transaction beside the writer. It is nil on SQLite, where
	// only the writer writes.
	direct func(context.Context) (transaction, error)
	ping   func(context.Context) error
	// shared prepares s for other processes on the same database; nil on SQLite.
	shared func(ctx context.Context, s *Store) error
	file   string // whole path of the SQLite file; empty on PostgreSQL
	size   string // the query for the size of the database in bytes
	close  func() error
}

// Open opens or makes the database, brings its schema up to date and checks
// that it is sound and that the ring opens it. The error is ErrWrongKey,
// ErrLocked, ErrDamaged or says in words what is wrong.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Platform == "" || o.Ring == nil {
		return nil, errors.New("store: no platform AppID or no secret key")
	}
	e, err := openEngine(ctx, o.Database)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := newStore(o, e)
	if e.shared != nil {
		if err := e.shared(ctx, s); err != nil {
			return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
		}
	}
	if err := s.loadHasher(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	if err := s.relist(ctx, time.Now()); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	if e.file == "" {
		return s, nil
	}
	var waiting []record
	if s.keeper.spool, waiting, err = openSpool(e.file + spoolSuffix); err != nil { // a full disk must not keep tokens from being served
		s.log.ErrorContext(ctx, "there is no spool; what the database does not take is kept in memory only", "err", err)
	}
	s.replay(ctx, waiting)
	return s, nil
}

// newStore makes a store that cannot hash yet.
func newStore(o Options, e engine) *Store {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{platform: string(o.Platform), ring: o.Ring, log: o.Log, engine: e, writer: newWriter(e.group),
		keeper: keeper{stop: make(chan struct{})}, clock: newClock(o.Host)}
}

// Migrate brings the schema of a database up to date and returns its version.
func Migrate(ctx context.Context, database string) (version int64, err error) {
	e, err := openEngine(ctx, database)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	version, err = schemaVersion(ctx, e.read)
	return version, errors.Join(err, e.close())
}

func openEngine(ctx context.Context, database string) (engine, error) {
	if isPostgres(database) {
		return openPostgres(ctx, database)
	}
	return openSQLite(ctx, database)
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// Close finishes the writes that wait, then closes the database.
func (s *Store) Close() error {
	err := s.keeper.close()
	s.clock.close()
	s.peers.close()
	s.writer.close()
	return errors.Join(err, s.engine.close())
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.engine.ping(ctx) }

// Hasher returns the keyed hash by which codes, states and sessions are looked
// up. Its key is made with the database and kept there, sealed.
func (s *Store) Hasher() secret.Hasher { return s.hasher }

// settingHashKey is the key of the keyed hashes, sealed.
const settingHashKey = "hash_key"

// loadHasher reads the hash key and makes one for a new database. It is the
// check of the secret key too, because it is the first sealed value.
func (s *Store) loadHasher(ctx context.Context) error {
	const table, column, name = "setting", "value", settingHashKey
	sealed, err := s.sealedHashKey(ctx)
	if errors.Is(err, onboard.ErrNoRow) {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:]) // never fails
		sealed = s.ring.Seal(table, column, s.row(name), secret.New(hex.EncodeToString(fresh[:])))
		sealed, err = write(ctx, s, func(ctx context.Context, q querier) (string, error) {
			_, err := exec(ctx, q, `INSERT INTO setting (platform, name, value) VALUES ($1, $2, $3)
				ON CONFLICT (platform, name) DO NOTHING`, s.platform, name, sealed)
			if err != nil {
				return "", err
			}
			return one(ctx, q, scanString, `SELECT value FROM setting WHERE platform = $1 AND name = $2`, s.platform, name)
		})
	}
	if err != nil {
		return err
	}
	value, err := s.ring.Open(table, column, s.row(name), sealed)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrWrongKey, err)
	}
	var key [32]byte
	if n, err := hex.Decode(key[:], []byte(value.Reveal())); err != nil || n != len(key) {
		return errors.New("the stored hash key is not 32 bytes")
	}
	s.hasher = secret.NewHasher(key)
	// Beside a running program the value stays as that program sealed it: so Rotate
	// knows which key is in use.
	if s.beside || s.ring.Current(sealed) {
		return nil
	}
	_, err = write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE setting SET value = $3 WHERE platform = $1 AND name = $2`,
			s.platform, name, s.ring.Seal(table, column, s.row(name), value))
	})
	return err
}

// row names a row of this platform for sealing.
func (s *Store) row(id string) string { return s.platform + "/" + id }

// open unseals one column for a method that cannot go on without it.
func (s *Store) open(table, column, row, sealed string) (secret.Secret, error) {
	v, err := s.ring.Open(table, column, row, sealed)
	if err != nil {
		return v, fmt.Errorf("%s.%s of %s: %w", table, column, row, err)
	}
	return v, nil
}

// write runs fn in a transaction of its own or of a group, and returns its
// result when that is committed. fn may run more than once, and may return
// onboard.ErrNoRow or onboard.ErrFenced only before it changed anything.
func write[T any](ctx context.Context, s *Store, fn func(context.Context, querier) (T, error)) (T, error) {
	if s.engine.direct == nil {
		return writeGrouped(ctx, s, fn)
	}
	var out T
	err := alone(ctx, s.engine.direct, func(ctx context.Context, q querier) (err error) {
		out, err = fn(ctx, q)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return out, nil
}

// writeGrouped is write through the writer on every engine.
func writeGrouped[T any](ctx context.Context, s *Store, fn func(context.Context, querier) (T, error)) (T, error) {
	var out T
	err := s.writer.do(ctx, func(ctx context.Context, q querier) (err error) {
		out, err = fn(ctx, q)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return out, nil
}

// fenced runs one conditional update; no row changed is onboard.ErrFenced.
func (s *Store) fenced(ctx context.Context, text string, args ...any) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		n, err := exec(ctx, q, text, args...)
		if err == nil && n == 0 {
			err = onboard.ErrFenced
		}
		return n, err
	})
	return err
}
