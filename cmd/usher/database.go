package main

import (
	"fmt"
	"slices"
	"strings"

	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

// databaseSettings are those of a command that opens sealed values.
var databaseSettings = []string{"USHER_DATABASE", "USHER_SECRET_KEY", "USHER_COMPONENT_APPID"}

// databaseOptions reads the settings of a command that opens the database, and
// others that it needs.
func databaseOptions(args, environ []string, others ...string) (config.Config, store.Options, error) {
	cfg, err := config.Load(args, environ, append(others, databaseSettings...)...)
	if err != nil {
		return cfg, store.Options{}, err
	}
	ring, err := secret.ParseRing(cfg.SecretKey.Reveal())
	if err != nil {
		return cfg, store.Options{}, fmt.Errorf("USHER_SECRET_KEY: %w", err)
	}
	return cfg, store.Options{Database: string(cfg.Database), Platform: onboard.AppID(cfg.AppID), Ring: ring}, nil
}

// asksHelp reports whether a command that reads its own words is asked what it does.
func asksHelp(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0])
}

// takeWord takes the first argument off unless it is a flag.
func takeWord(args []string) (word string, rest []string) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return "", args
	}
	return args[0], args[1:]
}

// takeFlag takes a flag without a value off, wherever it stands.
func takeFlag(args []string, name string) (given bool, rest []string) {
	for _, a := range args {
		if a == "--"+name || a == "-"+name {
			given = true
		} else {
			rest = append(rest, a)
		}
	}
	return given, rest
}

// numbered is a count with its noun.
func numbered(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
