package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

func versionCommand(_ context.Context, args []string, t terminal) error {
	if err := parse(flag.NewFlagSet("version", flag.ContinueOnError), args, t, "Prints the version, the commit it was built from, and the Go release."); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "usher %s %s\n", version(), runtime.Version())
	return nil
}

// version is what the build recorded: the module's version or "devel", and the
// commit with a + when files were changed since.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+"
		}
	}
	if revision == "" {
		return v
	}
	return v + " " + revision + modified
}
