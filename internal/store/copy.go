package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// copyParams are for a copy that nobody else uses yet: a crash leaves a file that
// is thrown away, so nothing is logged, and it is synced once at the end.
var copyParams = url.Values{
	"mode": {"rw"}, "_journal_mode": {"MEMORY"}, "_synchronous": {"OFF"}, "_foreign_keys": {"1"}, "_txlock": {"immediate"},
	"_defensive": {"1"}, "_dqs": {"0"}, "_pragma": {"trusted_schema(0)", "secure_delete(1)"},
}

// verifyParams are for a finished copy: nothing is written, not even beside it.
var verifyParams = url.Values{
	"mode": {"ro"}, "immutable": {"1"}, "_query_only": {"1"}, "_defensive": {"1"}, "_dqs": {"0"}, "_pragma": {"trusted_schema(0)"},
}

// Copied describes a copy that was verified.
type Copied struct {
	Bytes, Schema, Accounts, Attempts, Admins int64
	Unreadable                                int // values that no key of the ring opens
}

// copyDatabase writes what the database at an address holds at this moment into
// an empty file.
func copyDatabase(ctx context.Context, address string, into *os.File) error {
	if err := errors.Join(into.Truncate(0), into.Chmod(0o600)); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = patient(ctx, func() error {
		_, err := db.ExecContext(ctx, `VACUUM INTO $1`, into.Name())
		return err
	})
	return errors.Join(damaged(err), db.Close())
}

// openCopy opens a copy as a store that serves nobody.
func openCopy(o Options, path string, params url.Values) (*Store, error) {
	db, err := sql.Open("sqlite", dsn(path, params))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	both := &prepared{prepare: db.PrepareContext}
	return newStore(o, engine{
		read:  both,
		group: func(ctx context.Context) (transaction, error) { return beginSQLite(ctx, both) },
		ping:  db.PingContext,
		close: func() error { both.close(); return db.Close() },
	}), nil
}

// withCopy opens a copy for as long as do takes.
func withCopy(o Options, path string, params url.Values, do func(*Store) error) error {
	s, err := openCopy(o, path, params)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// verifyCopy opens a finished copy as it is on the disk, reads all of it, and
// proves that the ring opens it.
func verifyCopy(ctx context.Context, o Options, path string) (c Copied, err error) {
	err = withCopy(o, path, verifyParams, func(s *Store) error {
		if c.Schema, err = s.inspect(ctx); err != nil {
			return err
		}
		if c.Unreadable, err = s.unreadable(ctx); err != nil {
			return err
		}
		for name, n := range map[string]*int64{"account": &c.Accounts, "attempt": &c.Attempts, "admin": &c.Admins} {
			*n, err = one(ctx, s.engine.read, scanInt, `SELECT COUNT(*) FROM `+name+` WHERE platform = $1`, s.platform)
			if err != nil && !noTable(err) {
				return err
			}
		}
		c.Bytes, err = one(ctx, s.engine.read, scanInt, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`)
		return err
	})
	return c, err
}

// inspect refuses what is damaged, of a newer program or of other platforms, and
// returns the version of the schema.
func (s *Store) inspect(ctx context.Context) (int64, error) {
	if err := s.fullCheck(ctx); err != nil {
		return 0, err
	}
	schema, err := schemaVersion(ctx, s.engine.read)
	if noTable(err) || err == nil && schema == 0 {
		return 0, errors.New("this is not a database of Usher")
	}
	if err != nil {
		return 0, err
	}
	if schema > latest {
		return 0, fmt.Errorf("the database has schema version %d, this program knows %d: use a newer program", schema, latest)
	}
	return schema, s.ownPlatform(ctx)
}

// fullCheck reads every page, every index and every reference.
func (s *Store) fullCheck(ctx context.Context) error {
	found, err := many(ctx, s.engine.read, scanString, `PRAGMA integrity_check(5)`)
	if err != nil {
		return damaged(err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, strings.Join(found, "; "))
	}
	broken, err := many(ctx, s.engine.read, scanString, `SELECT "table" FROM pragma_foreign_key_check`)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: rows of %s refer to rows that are not there", ErrDamaged, broken[0])
	}
	return nil
}

// ownPlatform refuses a database that is all of other platforms.
func (s *Store) ownPlatform(ctx context.Context) error {
	platforms, err := many(ctx, s.engine.read, scanString, `SELECT DISTINCT platform FROM setting`)
	if err != nil {
		return err
	}
	for _, p := range platforms {
		if p == s.platform {
			return nil
		}
	}
	return fmt.Errorf("this database is of %q, not of platform %s: is USHER_COMPONENT_APPID right?", platforms, s.platform)
}

// distrust marks every platform of the database unverified and takes out what may
// be dead although its time has not come: access tokens, and sessions of admins,
// some of which may have been ended since. Every account is due for a refresh.
func (s *Store) distrust(ctx context.Context) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
		for _, text := range []string{
			`INSERT INTO setting (platform, name, value) SELECT DISTINCT platform, '` + settingUnverified + `', '1' FROM setting WHERE TRUE
				ON CONFLICT (platform, name) DO NOTHING`,
			`UPDATE account SET access_token = '', access_expires_at = 0, due_at = CASE WHEN due_at > 0 THEN 1 ELSE 0 END`,
			`UPDATE platform_token SET value = '', fetched_at = 0, expires_at = 0`,
			`DELETE FROM admin_session`,
			`DELETE FROM admin_enrollment`,
		} {
			if _, err = exec(ctx, q, text); err != nil && !noTable(err) {
				return 0, err
			}
		}
		return 0, nil
	})
	return err
}

// unreadable proves that the ring opens the key of the hashes, which every
// database has, or fails with ErrWrongKey. It counts the other values that it does
// not open.
func (s *Store) unreadable(ctx context.Context) (n int, err error) {
	sealed, err := s.sealedHashKey(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := s.ring.Open("setting", "value", s.row(settingHashKey), sealed); err != nil {
		return 0, fmt.Errorf("%w (%w)", ErrWrongKey, err)
	}
	err = s.eachSealed(ctx, "", func(p sealedPlace, page []sealedValue) error {
		for _, v := range page {
			if _, err := p.open(s.ring, s.platform, v); err != nil {
				n++
			}
		}
		return nil
	})
	return n, err
}

// noTable reports whether err says that a table is missing, as in a copy that has
// yet to see a migration.
func noTable(err error) bool {
	return sqliteCode(err) == 1 && strings.Contains(err.Error(), "no such table")
}
