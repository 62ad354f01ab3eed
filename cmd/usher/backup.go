package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"usher/internal/config"
	"usher/internal/store"
)

const backupAbout = `Writes a verified copy of the SQLite database to FILE, beside a running Usher
too. FILE must not exist. The copy is readable by its owner only; what is secret
in it stays sealed with USHER_SECRET_KEY, which is not in it: keep that elsewhere.
PostgreSQL is backed up with pg_dump.

`

func backupCommand(ctx context.Context, args []string, t terminal) error {
	if asksHelp(args) {
		fmt.Fprint(t.out, "Usage: usher backup FILE [FLAGS]\n\n", backupAbout)
		config.Usage(t.out, databaseSettings...)
		return flag.ErrHelp
	}
	file, args := takeWord(args)
	if file == "" {
		return usageError{"the name of the new file is missing"}
	}
	cfg, options, err := databaseOptions(args, t.environ)
	if err != nil {
		return err
	}
	if cfg.Database.IsPostgres() {
		return fmt.Errorf("%s is PostgreSQL: back it up with pg_dump --format=custom --file=%s, which is consistent while Usher runs", cfg.Database, file)
	}
	c, err := store.Backup(ctx, options, file)
	if err != nil {
		return fmt.Errorf("back up %s: %w", cfg.Database, err)
	}
	fmt.Fprintf(t.out, "%s: %s. It was opened and checked. It is of no use without USHER_SECRET_KEY, which is not in it.\n", file, contents(c))
	warnUnreadable(t.out, c.Unreadable)
	return nil
}

func contents(c store.Copied) string {
	return fmt.Sprintf("%s, %s, %s, %d bytes, schema %d",
		numbered(c.Accounts, "account"), numbered(c.Attempts, "attempt"), numbered(c.Admins, "admin"), c.Bytes, c.Schema)
}

func warnUnreadable(w io.Writer, n int) {
	if n > 0 {
		fmt.Fprintf(w, "%s in it cannot be opened with USHER_SECRET_KEY: a key is missing there, or they are damaged. usher keys lost lists them.\n", numbered(int64(n), "sealed value"))
	}
}

const restoreAbout = `Puts a backup where the database is, while Usher is stopped. An older schema is
brought up to date. Afterwards no token is served until Usher has compared all
accounts with WeChat's list, which it does as soon as it has a ticket.

  usher restore FILE
  usher restore --after-pg-restore   a PostgreSQL database, after pg_restore

  --replace    there is a database already: set it aside
  --lost-key   the key that sealed the backup is lost; see usher keys lost

`

func restoreCommand(ctx context.Context, args []string, t terminal) error {
	if asksHelp(args) {
		fmt.Fprint(t.out, "Usage: usher restore FILE [FLAGS]\n\n", restoreAbout)
		config.Usage(t.out, databaseSettings...)
		return flag.ErrHelp
	}
	file, args := takeWord(args)
	how := store.RestoreOptions{Now: time.Now()}
	how.Replace, args = takeFlag(args, "replace")
	how.LostKey, args = takeFlag(args, "lost-key")
	afterwards, args := takeFlag(args, "after-pg-restore")
	if file == "" && !afterwards {
		return usageError{"the name of the backup is missing"}
	}
	cfg, options, err := databaseOptions(args, t.environ)
	if err != nil {
		return err
	}
	switch {
	case afterwards && (!cfg.Database.IsPostgres() || file != ""):
		return usageError{"--after-pg-restore is for PostgreSQL and without a file"}
	case afterwards:
		return markRestored(ctx, options, t.out)
	case cfg.Database.IsPostgres():
		return fmt.Errorf("%s is PostgreSQL: stop Usher, restore with pg_restore --dbname=… %s, then run usher restore --after-pg-restore", cfg.Database, file)
	}
	r, err := store.Restore(ctx, options, file, how)
	switch {
	case errors.Is(err, store.ErrLocked):
		return fmt.Errorf("stop Usher first: %w", err)
	case errors.Is(err, store.ErrExists):
		return fmt.Errorf("%w; --replace sets it aside", err)
	case errors.Is(err, store.ErrWrongKey):
		return fmt.Errorf("%s: %w. Nothing was changed. If that key is lost, --lost-key restores what does not need it", file, err)
	case err != nil:
		return fmt.Errorf("restore %s: %w", file, err)
	}
	fmt.Fprintf(t.out, "%s was restored to %s: %s.\n", file, cfg.Database, contents(r.Copied))
	if r.From != r.Schema {
		fmt.Fprintf(t.out, "Its schema %d was brought up to date.\n", r.From)
	}
	if r.SetAside != "" {
		fmt.Fprintf(t.out, "The database that was there is now %s; delete it when you no longer need it.\n", r.SetAside)
	}
	warnUnreadable(t.out, r.Unreadable)
	fmt.Fprint(t.out, afterRestore)
	return nil
}

const afterRestore = "Start Usher. It serves tokens once it has compared all accounts with WeChat's list. Admins sign in again.\n"

// markRestored makes a PostgreSQL database one that a sweep has to verify.
func markRestored(ctx context.Context, options store.Options, out io.Writer) error {
	db, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	if err := errors.Join(db.MarkRestored(ctx), db.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprint(out, afterRestore)
	return err
}
