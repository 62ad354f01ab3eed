package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// OpenBeside opens the database of a program that is running, for a command that
// does one thing and ends. SQLite lets processes take turns; only the check of the
// file, the change of the schema and the lock against a second program are left to
// the running one. The schema has to be today's.
func OpenBeside(ctx context.Context, o Options) (*Store, error) {
	e, err := openEngineBeside(ctx, o.Database)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := newStore(o, e)
	s.beside = true
	version, err := schemaVersion(ctx, e.read)
	if err == nil && version != latest {
		err = fmt.Errorf("the running program is of another version: its schema is %d, this one's %d", version, latest)
	}
	if err == nil {
		err = s.loadHasher(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

func openEngineBeside(ctx context.Context, database string) (engine, error) {
	if isPostgres(database) {
		return openPostgres(ctx, database)
	}
	if _, err := os.Stat(database); err != nil {
		return engine{}, err
	}
	path, err := prepareFile(database)
	if err == nil {
		err = notRestoring(path)
	}
	if err != nil {
		return engine{}, err
	}
	db, err := sql.Open("sqlite", dsn(path, writerParams))
	if err != nil {
		return engine{}, err
	}
	db.SetMaxOpenConns(1)
	if err := patient(ctx, func() error { return verifyPragmas(ctx, db, writerPragmas) }); err != nil {
		return engine{}, errors.Join(damaged(err), db.Close())
	}
	// Both sides use the pool of one connection, in turns.
	both := &prepared{prepare: db.PrepareContext}
	return engine{
		read:  both,
		group: func(ctx context.Context) (transaction, error) { return beginSQLite(ctx, both) },
		ping:  db.PingContext,
		file:  path,
		close: func() error { both.close(); return db.Close() },
	}, nil
}
