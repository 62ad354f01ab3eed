package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/config"
	"usher/internal/store"
)

const keysAbout = `For the keys in USHER_SECRET_KEY that seal what is stored.

  usher keys rotate          seal everything again with the first key, beside a running Usher too
  usher keys lost            list what no key of the list opens, beside a running Usher too
  usher keys lost --wipe     remove that, while Usher is stopped; tokens come back from WeChat's list

`

func keysCommand(ctx context.Context, args []string, t terminal) error {
	if asksHelp(args) {
		fmt.Fprint(t.out, "Usage: usher keys rotate|lost [FLAGS]\n\n", keysAbout)
		config.Usage(t.out, databaseSettings...)
		return flag.ErrHelp
	}
	verb, args := takeWord(args)
	wipe := false
	switch verb {
	case "rotate":
	case "lost":
		wipe, args = takeFlag(args, "wipe")
	default:
		return usageError{fmt.Sprintf("keys %q is not rotate or lost", verb)}
	}
	cfg, options, err := databaseOptions(args, t.environ)
	if err != nil {
		return err
	}
	if verb == "rotate" {
		return rotateKeys(ctx, cfg, options, t.out)
	}
	f, err := store.Forget(ctx, options, wipe, time.Now())
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("stop Usher first: %w", err)
	}
	if err != nil {
		return fmt.Errorf("look for what does not open in %s: %w", cfg.Database, err)
	}
	tellForgotten(t.out, f, wipe)
	return nil
}

func rotateKeys(ctx context.Context, cfg config.Config, options store.Options, out io.Writer) error {
	var db *store.Store
	var err error
	if cfg.Database.IsPostgres() { // nobody knows whether somebody else uses it
		db, err = store.OpenBeside(ctx, options)
	} else if db, err = store.Open(ctx, options); errors.Is(err, store.ErrLocked) {
		db, err = store.OpenBeside(ctx, options)
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", cfg.Database, err)
	}
	r, err := db.Rotate(ctx)
	if err == nil && r.Resealed > 0 {
		_, err = db.AppendAudit(ctx, admin.Entry{At: time.Now(), Actor: "usher keys rotate", Action: "keys.rotate", After: numbered(int64(r.Resealed), "value")})
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%w\n%s sealed again so far; run usher keys rotate again to go on", err, numbered(int64(r.Resealed), "value"))
	}
	fmt.Fprintf(out, "%s sealed again with the first key.\n", numbered(int64(r.Resealed), "value"))
	for _, name := range slices.Sorted(maps.Keys(r.Unreadable)) {
		fmt.Fprintf(out, "%s: no key of the list opens %d. usher keys lost explains.\n", name, r.Unreadable[name])
	}
	switch {
	case r.Remaining > 0:
		return fmt.Errorf("%s sealed with another key appeared meanwhile: a program that uses this database still has the old key in front. Restart it, then rotate again", numbered(int64(r.Remaining), "value"))
	case r.Spooled > 0:
		return fmt.Errorf("beside the database, sealed with another key, waits what it did not take: %s of WeChat. Restart Usher, then rotate again", numbered(int64(r.Spooled), "answer"))
	}
	fmt.Fprint(out, "Nothing in the database needs the other keys. They may be dropped from USHER_SECRET_KEY; backups made before now still need them.\n")
	return nil
}

func tellForgotten(out io.Writer, f store.Forgotten, wiped bool) {
	if !f.Any() {
		fmt.Fprint(out, "Everything opens with USHER_SECRET_KEY. Nothing is lost.\n")
		return
	}
	fmt.Fprint(out, "USHER_SECRET_KEY does not open:\n")
	for _, name := range slices.Sorted(maps.Keys(f.Values)) {
		fmt.Fprintf(out, "  %-24s %d\n", name, f.Values[name])
	}
	if len(f.Credentials) > 0 {
		fmt.Fprintf(out, "To be entered again, in the console or as settings: %s.\n", strings.Join(f.Credentials, ", "))
	}
	if len(f.SecondFactors) > 0 {
		fmt.Fprintf(out, "Lose their second factor and have to set it up again: %s.\n", strings.Join(f.SecondFactors, ", "))
	}
	if f.Hashes {
		fmt.Fprint(out, "Links to dashboards, one-time links, sessions and authorizations that are under way end.\n")
	}
	if wiped {
		fmt.Fprint(out, "It was removed. Accounts, grants, history, invites and admins are kept. ", afterRestore)
		return
	}
	fmt.Fprint(out, "If it was sealed with a key that you have, add that key to the list. If the key is lost, stop Usher, copy the database, and run usher keys lost --wipe: the tokens come back from WeChat's list and no merchant has to scan again.\n")
}
