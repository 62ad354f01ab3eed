package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"usher/internal/failpoint"
)

//go:embed migrations/*.sql
var migrations embed.FS

// latest is the schema version this program is written for: the number of the
// newest file.
var latest = newest()

func newest() int64 {
	entries, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil || len(entries) == 0 {
		panic("store: no migrations are embedded")
	}
	number, _, _ := strings.Cut(entries[len(entries)-1].Name(), "_")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic("store: a migration without a number: " + err.Error())
	}
	return n
}

// migrate brings the schema up to date. On PostgreSQL a lock of the database
// lets several processes start at once.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60)) // seconds, tries
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	for {
		failpoint.Hit("migrate.before")
		if _, err := p.UpByOne(ctx); errors.Is(err, goose.ErrNoNextVersion) {
			break
		} else if err != nil {
			return fmt.Errorf("migrate the schema: %w", err)
		}
		failpoint.Hit("migrate.after")
	}
	version, err := schemaVersion(ctx, db)
	if err == nil && version > latest {
		err = fmt.Errorf("the database has schema version %d, this program knows %d: use a newer program", version, latest)
	}
	return err
}

func schemaVersion(ctx context.Context, q querier) (int64, error) {
	return one(ctx, q, scanInt, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`)
}
