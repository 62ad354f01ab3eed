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

	"usher/internal/admin"
	"usher/internal/failpoint"
)

// ErrExists means that there is a database where one would be restored.
var ErrExists = errors.New("there is a database already")

// RestoreOptions says how to restore.
type RestoreOptions struct {
	Replace bool      // set aside the database that is there
	LostKey bool      // the key that sealed the backup is lost: see Forget
	Now     time.Time // names what is set aside, and goes into the audit
}

// Restored is what Restore did.
type Restored struct {
	Copied
	From     int64  // version of the backup's schema
	SetAside string // where the database is that was there before; empty for none
}

// besideSuffixes are of the files that belong to a database file. What the old
// spool holds is of the old database; WeChat's list has it too.
var besideSuffixes = []string{"", "-wal", "-shm", spoolSuffix}

// Restore puts a backup, or any other whole SQLite file of Usher, where the
// database is. An older schema is brought up to date. The database is unverified
// afterwards: no token is served until a sweep has compared it with WeChat's list.
// The file is not touched. Broken off anywhere, it leaves the old database, or a
// note by which Open refuses until Restore was run again.
func Restore(ctx context.Context, o Options, file string, how RestoreOptions) (r Restored, err error) {
	if isPostgres(o.Database) {
		return r, ErrPostgres
	}
	from, err := existing(file)
	if err != nil {
		return r, err
	}
	path, err := prepareFile(o.Database)
	if err != nil {
		return r, err
	}
	if from == path {
		return r, fmt.Errorf("%s is the database itself", file)
	}
	side, err := lockFile(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, side.f.Close()) }() // without a note: the next start checks the file
	note, err := side.note()
	if err = errors.Join(err, ownAsDirectory(side.f.Name())); err != nil {
		return r, err
	}
	suffix, resumed := strings.CutPrefix(note, restoring)
	if !resumed && !how.Replace && anyExists(path) {
		return r, fmt.Errorf("%w at %s", ErrExists, path)
	}
	fresh := path + ".restoring"
	if r.From, err = freshCopy(ctx, o, from, fresh, how); err != nil {
		return r, errors.Join(err, removeIfThere(fresh))
	}
	if r.Copied, err = verifyCopy(ctx, o, fresh); err != nil {
		return r, errors.Join(err, removeIfThere(fresh))
	}
	if err := ownAsDirectory(fresh); err != nil {
		return r, err
	}
	failpoint.Hit("restore.after_copy")
	if !resumed {
		suffix = unusedSuffix(path, how.Now)
		if err := side.setNote(restoring + suffix); err != nil {
			return r, err
		}
	}
	failpoint.Hit("restore.after_note")
	if r.SetAside, err = setAside(path, suffix); err != nil {
		return r, err
	}
	failpoint.Hit("restore.after_aside")
	if err := errors.Join(os.Rename(fresh, path), syncDir(path)); err != nil {
		return r, err
	}
	failpoint.Hit("restore.after_place")
	return r, side.setNote("")
}

// freshCopy makes a database of a backup: whole, of today's schema, and trusted in
// nothing. It returns the version of the schema that the backup had.
func freshCopy(ctx context.Context, o Options, from, fresh string, how RestoreOptions) (schema int64, err error) {
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	params := url.Values{"mode": {"ro"}, "_busy_timeout": {"5000"}, "_defensive": {"1"}}
	if log, err := os.Stat(from + "-wal"); err != nil || log.Size() == 0 {
		params.Set("immutable", "1") // a medium that cannot be written to will do
	}
	if err := copyDatabase(ctx, dsn(from, params), f); err != nil {
		return 0, fmt.Errorf("read %s: %w", from, err)
	}
	err = withCopy(o, fresh, verifyParams, func(s *Store) error { schema, err = s.inspect(ctx); return err })
	if err != nil {
		return schema, err
	}
	if err := migrateCopy(ctx, fresh); err != nil {
		return schema, err
	}
	err = withCopy(o, fresh, copyParams, func(s *Store) error {
		if err := s.distrust(ctx); err != nil {
			return err
		}
		_, err := s.AppendAudit(ctx, admin.Entry{At: how.Now, Actor: "usher restore", Action: "database.restore", Target: filepath.Base(from)})
		if err != nil || !how.LostKey {
			return err
		}
		_, err = s.forget(ctx, true, how.Now)
		return errors.Join(err, s.loadHasher(ctx)) // makes a new key of the hashes
	})
	return schema, errors.Join(err, f.Sync())
}

func migrateCopy(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, copyParams))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, goose.DialectSQLite3, db), db.Close())
}

// setAside renames what lies at path, and returns where the database is then. It
// goes on where one that was broken off ended.
func setAside(path, suffix string) (string, error) {
	to := path + suffix
	_, err := os.Lstat(to)
	moved := err == nil
	for _, end := range besideSuffixes {
		if end == "" && moved {
			continue // what is at path now is the copy that was put there before the end
		}
		if err := os.Rename(path+end, to+end); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return "", err
		}
		moved = moved || end == ""
	}
	if !moved {
		to = ""
	}
	return to, syncDir(path)
}

func anyExists(path string) bool {
	for _, end := range []string{"", "-wal"} {
		if _, err := os.Lstat(path + end); err == nil {
			return true
		}
	}
	return false
}

// unusedSuffix makes names that are not taken.
func unusedSuffix(path string, now time.Time) string {
	base := ".before-" + now.UTC().Format("20060102T150405Z")
	suffix := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(path + suffix); err != nil {
			return suffix
		}
		suffix = fmt.Sprintf("%s-%d", base, n)
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// MarkRestored does for a PostgreSQL database that was restored by its own tools
// what Restore does for a file: none of its tokens is served before a sweep.
func (s *Store) MarkRestored(ctx context.Context) error { return s.distrust(ctx) }
