// Command usher brings merchants on board of a WeChat third-party platform: it
// shows them the way to WeChat's authorization page, receives what WeChat sends
// back and keeps the authorizations fresh.
//
// This package is the only one that knows all the others. It holds the commands
// and the wiring, and no rule of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"usher/internal/config"
)

// terminal is what a command talks to.
type terminal struct {
	environ []string
	out     io.Writer // results
	err     io.Writer // logs and complaints
}

// A command is one of the program's verbs.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, t terminal) error
}

func commands() []command {
	return []command{
		{"serve", "run the site", serveCommand},
		{"demo", "run the site together with a stand-in for WeChat, without any settings", demoCommand},
		{"simulate", "run the stand-in for WeChat alone", simulateCommand},
		{"admin", "make an admin of the console, or reset a password", adminCommand},
		{"backup", "copy the database to a file", backupCommand},
		{"restore", "put a backup in the place of the database", restoreCommand},
		{"keys", "seal everything with a new key, or go on after a key was lost", keysCommand},
		{"migrate", "bring the database up to date and exit", migrateCommand},
		{"version", "print the version", versionCommand},
	}
}

func main() {
	umask() // before any file can be made
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], terminal{environ: os.Environ(), out: os.Stdout, err: os.Stderr}))
}

// execute runs the command that args name and returns the exit status: 0, 1 for
// a failure, 2 for a wrong use.
func execute(ctx context.Context, args []string, t terminal) int {
	if len(args) == 0 {
		usage(t.err)
		return 2
	}
	name := args[0]
	switch name {
	case "help", "-h", "-help", "--help":
		usage(t.out)
		return 0
	case "-version", "--version":
		name = "version"
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(t.err, "usher: there is no command %q\n\n", name)
		usage(t.err)
		return 2
	}
	err := all[i].run(ctx, args[1:], t)
	var faults config.Faults
	var wrong usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &faults), errors.As(err, &wrong):
		fmt.Fprintf(t.err, "usher %s: %v\n", name, err)
		return 2
	}
	fmt.Fprintf(t.err, "usher %s: %v\n", name, err)
	return 1
}

// usageError is a wrong use of the program, as opposed to a failure of it.
type usageError struct{ problem string }

func (e usageError) Error() string { return e.problem + "; --help explains" }

func usage(w io.Writer) {
	fmt.Fprint(w, "Usage: usher COMMAND [FLAGS]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nusher COMMAND --help explains one of them.\n")
}

// parse reads the flags of a command that has some of its own. about is the text
// above the list of flags.
func parse(flags *flag.FlagSet, args []string, t terminal, about string) error {
	flags.SetOutput(io.Discard) // every complaint is told once, by execute
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(t.out, "Usage: usher %s [FLAGS]\n\n%s\n\n", flags.Name(), about)
		flags.SetOutput(t.out)
		flags.PrintDefaults()
		return err
	case err != nil:
		return usageError{err.Error()}
	case flags.NArg() > 0:
		return usageError{fmt.Sprintf("%q is not expected", flags.Arg(0))}
	}
	return nil
}

// newLog makes the log of the program. Without a format it is text on a terminal
// and JSON elsewhere.
func newLog(w io.Writer, format string, level slog.Level) *slog.Logger {
	if format == "" {
		format = "json"
		if f, ok := w.(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				format = "text"
			}
		}
	}
	options := &slog.HandlerOptions{Level: level}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
