package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// readers is the size of the reading pool. Reads never wait for the writer.
const readers = 4

// What every connection must be set to. The driver ignores a key that it does
// not know, so the settings are read back after opening.
var (
	writerParams = url.Values{
		"_busy_timeout": {"5000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"1"},
		"_txlock": {"immediate"}, "_defensive": {"1"}, "_dqs": {"0"},
		"_pragma": {"trusted_schema(0)", "secure_delete(1)", "journal_size_limit(67108864)", "wal_autocheckpoint(8000)"},
	}
	writerPragmas = map[string]string{
		"busy_timeout": "5000", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		"trusted_schema": "0", "secure_delete": "1", "journal_size_limit": "67108864",
		"wal_autocheckpoint": "8000", // pages, 32 MB: a page that many commits wrote is copied back once
	}
	readerParams = url.Values{
		"mode": {"ro"}, "_busy_timeout": {"5000"}, "_query_only": {"1"}, "_foreign_keys": {"1"}, "_defensive": {"1"}, "_dqs": {"0"},
		"_pragma": {"trusted_schema(0)"},
	}
	readerPragmas = map[string]string{
		"busy_timeout": "5000", "journal_mode": "wal", "query_only": "1", "foreign_keys": "1", "trusted_schema": "0",
	}
)

// openSQLite opens the file at path: a single connection for writing, and a
// pool beside it that cannot write.
func openSQLite(ctx context.Context, path string) (e engine, err error) {
	path, err = prepareFile(path)
	if err != nil {
		return engine{}, err
	}
	side, err := lockFile(path)
	if err != nil {
		return engine{}, err
	}
	var closers []func() error
	defer func() {
		if errors.Is(err, ErrRestoring) { // its note stays
			err = errors.Join(err, side.f.Close())
		} else if err != nil {
			err = side.close(errors.Join(err, closeAll(closers)))
		}
	}()
	clean, err := side.takeClean()
	if err != nil {
		return engine{}, err
	}
	if err := restrict(path); err != nil {
		return engine{}, err
	}

	wdb, err := sql.Open("sqlite", dsn(path, writerParams))
	if err != nil {
		return engine{}, err
	}
	closers = append(closers, wdb.Close)
	wdb.SetMaxOpenConns(1)
	if err := patient(ctx, func() error { return verifyPragmas(ctx, wdb, writerPragmas) }); err != nil {
		return engine{}, damaged(err)
	}
	// The check reads the whole file, a third of a second for 100,000 accounts.
	// It is spared when nobody has touched the file since it was closed well.
	if !clean {
		if err := quickCheck(ctx, wdb); err != nil {
			return engine{}, err
		}
	}
	if err := migrate(ctx, goose.DialectSQLite3, wdb); err != nil {
		return engine{}, err
	}
	if !clean {
		if err := endClaims(ctx, wdb); err != nil {
			return engine{}, err
		}
	}
	conn, err := wdb.Conn(ctx)
	if err != nil {
		return engine{}, err
	}
	w := &prepared{prepare: conn.PrepareContext}
	closers = append(closers, func() error {
		// The log is folded into the file, so that a copy of the file alone is whole.
		_, err := conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
		w.close()
		return errors.Join(err, conn.Close())
	})

	rdb, err := sql.Open("sqlite", dsn(path, readerParams))
	if err != nil {
		return engine{}, err
	}
	rdb.SetMaxOpenConns(readers)
	rdb.SetMaxIdleConns(readers)
	r := &prepared{prepare: rdb.PrepareContext}
	closers = append(closers, func() error { r.close(); return rdb.Close() })
	if err := verifyPragmas(ctx, rdb, readerPragmas); err != nil {
		return engine{}, err
	}
	return engine{
		read:  r,
		group: func(ctx context.Context) (transaction, error) { return beginSQLite(ctx, w) },
		ping:  rdb.PingContext,
		file:  path,
		size:  `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`,
		close: func() error { return side.close(closeAll(closers)) },
	}, nil
}

// prepareFile makes the directory, for the owner alone, and returns the whole path.
func prepareFile(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") || strings.Contains(path, "://") {
		return "", fmt.Errorf("%q is neither the path of a file nor a postgres:// address", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return path, os.MkdirAll(filepath.Dir(path), 0o700)
}

// restrict makes the file if needed and keeps everybody but its owner out. The
// log beside it inherits the mode.
func restrict(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func dsn(path string, params url.Values) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: params.Encode()}
	return u.String()
}

// verifyPragmas reads back what the connections of a pool are set to.
func verifyPragmas(ctx context.Context, db *sql.DB, want map[string]string) error {
	for name, value := range want {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil {
			return fmt.Errorf("PRAGMA %s: %w", name, err)
		}
		if got != value {
			return fmt.Errorf("PRAGMA %s is %s and not %s", name, got, value)
		}
	}
	return nil
}

// quickCheck refuses a file that is broken.
func quickCheck(ctx context.Context, db *sql.DB) error {
	found, err := many(ctx, db, scanString, "PRAGMA quick_check(5)")
	if err != nil {
		return damaged(err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, strings.Join(found, "; "))
	}
	return nil
}

// damaged marks the errors by which SQLite says that the file is broken.
func damaged(err error) error {
	if code := sqliteCode(err); code == 11 || code == 26 { // SQLITE_CORRUPT, SQLITE_NOTADB
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// patient does again what another connection kept busy: the switch to a
// write-ahead log does not wait for the busy timeout.
func patient(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if err == nil || sqliteCode(err) != 5 || try == 20 { // SQLITE_BUSY
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 10 * time.Millisecond):
		}
	}
}

// sqliteCode returns the primary result code of an error of SQLite, or 0.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// closeAll closes in reverse order.
func closeAll(closers []func() error) (err error) {
	for i := len(closers) - 1; i >= 0; i-- {
		err = errors.Join(err, closers[i]())
	}
	return err
}

// sqliteTx is a transaction on the writer's own connection. It is not an
// *sql.Tx, because that prepares its statements anew each time.
type sqliteTx struct{ *prepared }

func beginSQLite(ctx context.Context, w *prepared) (transaction, error) {
	if _, err := w.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	return sqliteTx{w}, nil
}

func (t sqliteTx) commit() error {
	_, err := t.ExecContext(context.Background(), "COMMIT")
	if err != nil {
		t.rollback()
	}
	return err
}

// rollback has no error of interest: after a full disk SQLite has already
// undone the transaction by itself and says so.
func (t sqliteTx) rollback() { _, _ = t.ExecContext(context.Background(), "ROLLBACK") }
