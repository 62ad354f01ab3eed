package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"usher/internal/failpoint"
)

// ErrPostgres means that a command is for SQLite files only.
var ErrPostgres = errors.New("this database is PostgreSQL")

// Backup writes a copy of a SQLite database to a new file, readable by its owner
// only, while another program may go on using the database. The copy is of one
// moment, was opened and checked, and holds no access token: those of a backup
// are old when it is needed. It is marked unverified, so that whichever way it is
// put back, no token is served before a sweep. The file is there whole or not at all.
func Backup(ctx context.Context, o Options, file string) (c Copied, err error) {
	if isPostgres(o.Database) {
		return c, ErrPostgres
	}
	source, err := existing(o.Database)
	if err == nil {
		err = notRestoring(source)
	}
	if err != nil {
		return c, err
	}
	if file, err = filepath.Abs(file); err != nil {
		return c, err
	}
	if _, err := os.Lstat(file); err == nil {
		return c, fmt.Errorf("%s: %w; a backup never overwrites a file", file, os.ErrExist)
	}
	partial := file + ".partial"
	f, err := os.OpenFile(partial, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := flock(f); errors.Is(err, ErrLocked) {
		return c, fmt.Errorf("another backup is writing %s", partial)
	} else if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(partial)
		}
	}()
	failpoint.Hit("backup.before_copy")
	if err := copyDatabase(ctx, dsn(source, url.Values{"mode": {"rw"}, "_busy_timeout": {"5000"}, "_defensive": {"1"}}), f); err != nil {
		return c, err
	}
	failpoint.Hit("backup.after_copy")
	if err := withCopy(o, partial, copyParams, func(s *Store) error { return s.distrust(ctx) }); err != nil {
		return c, err
	}
	if err := f.Sync(); err != nil {
		return c, err
	}
	if c, err = verifyCopy(ctx, o, partial); err != nil {
		return c, err
	}
	failpoint.Hit("backup.after_verify")
	if err := place(partial, file); err != nil {
		return c, err
	}
	failpoint.Hit("backup.after_place")
	return c, nil
}

// existing is the whole path of a database file that is there.
func existing(database string) (string, error) {
	path, err := filepath.Abs(database)
	if err == nil {
		_, err = os.Stat(path)
	}
	return path, err
}

// place gives a finished file its name, unless there is one of that name.
func place(partial, file string) error {
	if err := os.Link(partial, file); err == nil {
		return errors.Join(os.Remove(partial), syncDir(file))
	} else if errors.Is(err, os.ErrExist) {
		return err
	}
	// A file system without hard links.
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s: %w", file, os.ErrExist)
	}
	return errors.Join(os.Rename(partial, file), syncDir(file))
}

// syncDir makes the names beside file last.
func syncDir(file string) error {
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
