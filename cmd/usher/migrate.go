package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"usher/internal/config"
	"usher/internal/store"
)

func migrateCommand(ctx context.Context, args []string, t terminal) error {
	const database = "USHER_DATABASE"
	cfg, err := config.Load(args, t.environ, database)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(t.out, "Usage: usher migrate [FLAGS]\n\nBrings the tables of the database up to date. usher serve does the same when it starts.\n\n")
		config.Usage(t.out, database)
	}
	if err != nil {
		return err
	}
	schema, err := store.Migrate(ctx, string(cfg.Database))
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s is up to date: schema %d\n", cfg.Database, schema)
	return nil
}
