package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// poolSize bounds the connections to PostgreSQL beside the writer's own one,
// which is reserved so that pushes are stored whatever else goes on.
const poolSize = 16

// prompt limits a statement and a transaction, so that a database that hangs is
// noticed.
const prompt = 10 * time.Second

// openPostgres connects to a PostgreSQL database.
func openPostgres(ctx context.Context, address string) (e engine, err error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return engine{}, fmt.Errorf("the address of PostgreSQL: %w", err) // pgx leaves the password out
	}
	limit := strconv.FormatInt(prompt.Milliseconds(), 10)
	for name, value := range map[string]string{
		"application_name": "usher", "synchronous_commit": "on",
		"statement_timeout": limit, "idle_in_transaction_session_timeout": limit,
	} {
		if _, set := cfg.RuntimeParams[name]; !set {
			cfg.RuntimeParams[name] = value
		}
	}
	db, group := stdlib.OpenDB(*cfg), stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	group.SetMaxOpenConns(1)
	end := func() error { return errors.Join(db.Close(), group.Close()) }
	if err := migrate(ctx, goose.DialectPostgres, db); err != nil {
		return engine{}, errors.Join(err, end())
	}
	return engine{
		read:   db,
		group:  func(ctx context.Context) (transaction, error) { return beginPostgres(ctx, group) },
		direct: func(ctx context.Context) (transaction, error) { return beginPostgres(ctx, db) },
		ping:   db.PingContext,
		shared: func(ctx context.Context, s *Store) error {
			s.peers = newPeers(db, cfg, s.platform, s.log)
			return s.clock.follow(ctx, db, s.log)
		},
		size:  `SELECT pg_database_size(current_database())`,
		close: end,
	}, nil
}

// pgTx is a transaction on a connection of its own. The default level, read
// committed, is enough because every condition stands in the statement that
// writes.
type pgTx struct {
	*sql.Tx
	end func()
}

// beginPostgres waits for a connection as long as ctx lasts. The transaction does
// not end with ctx, because a commit that is broken off may or may not have
// happened. Connections that the server dropped meanwhile are passed over.
func beginPostgres(ctx context.Context, db *sql.DB) (transaction, error) {
	for try := 0; ; try++ {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), prompt)
		tx, err := conn.BeginTx(detached, nil)
		if err == nil {
			return pgTx{tx, func() { cancel(); _ = conn.Close() }}, nil
		}
		cancel()
		_ = conn.Close()
		if try == poolSize || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (t pgTx) commit() error { defer t.end(); return t.Commit() }
func (t pgTx) rollback()     { defer t.end(); _ = t.Rollback() }

// retryable reports whether PostgreSQL broke off a transaction only because of
// another one: a deadlock, a serialization failure, or a row with the number that
// two processes drew in one millisecond, which the next try draws anew.
func retryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40P01" || e.Code == "40001" || e.Code == "23505")
}
