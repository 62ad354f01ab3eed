package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A Fault is one setting that is missing or wrong.
type Fault struct {
	Name    string // of the variable, or the flag as it was written
	Problem string // what is wrong and what to do; never a secret value
}

// Faults is the error of Load: everything that is wrong.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("the settings need attention:")
	for _, fault := range f {
		fmt.Fprintf(&b, "\n  %s %s", fault.Name, fault.Problem)
	}
	return b.String()
}

// Load reads the settings with these names, or all of them without names. A
// flag wins over a variable and a variable over the default. A secret is never
// given by a flag: NAME_FILE or its flag names a file that holds it. environ is
// what os.Environ returns. The error is flag.ErrHelp when args ask for help, and
// Faults otherwise.
func Load(args, environ []string, names ...string) (Config, error) {
	var (
		c      Config
		faults Faults
	)
	texts, err := collect(args, environ, names, &faults)
	if err != nil {
		return Config{}, err
	}
	for _, s := range selected(names) {
		text, given := texts[s.name]
		switch {
		case faulty(faults, s.name):
		case text == "" && s.def != "":
			text = s.def
			fallthrough
		case text != "":
			if err := s.set(&c, text); err != nil {
				faults = append(faults, Fault{s.name, err.Error()})
			}
		case s.required && given:
			faults = append(faults, Fault{s.name, "is empty: " + s.usage})
		case s.required:
			faults = append(faults, Fault{s.name, "is not set: " + s.usage})
		}
	}
	if len(faults) > 0 {
		return Config{}, faults
	}
	c.Unknown = unknown(environ)
	return c, nil
}

// collect finds the text of each setting: the variable, its file, then flags.
func collect(args, environ, names []string, faults *Faults) (map[string]string, error) {
	texts, files := map[string]string{}, map[string]string{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if base, ok := strings.CutSuffix(name, "_FILE"); ok {
			files[base] = text
		} else {
			texts[name] = text
		}
	}
	flags := flag.NewFlagSet("usher", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // everything is told once, by the caller
	given := map[string]string{}
	for _, s := range selected(names) {
		if texts[s.name] != "" && files[s.name] != "" && s.fromFile() {
			*faults = append(*faults, Fault{s.name, "and " + s.name + "_FILE are both set: remove one"})
		}
		if !s.secret {
			flags.Func(s.flag(), s.usage, func(text string) error { texts[s.name], files[s.name] = text, ""; return nil })
		}
		if s.fromFile() {
			flags.Func(s.flag()+"-file", s.usage, func(path string) error { given[s.name] = path; return nil })
		}
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		*faults = append(*faults, Fault{"command line:", err.Error() + "; --help lists the flags"})
	} else if flags.NArg() > 0 {
		*faults = append(*faults, Fault{"command line:", fmt.Sprintf("%q is not expected; --help lists the flags", flags.Arg(0))})
	}
	for _, s := range selected(names) {
		path, byFlag := given[s.name]
		if !byFlag {
			path = files[s.name]
		}
		if path == "" || !s.fromFile() || faulty(*faults, s.name) {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			*faults = append(*faults, Fault{s.name + "_FILE", "cannot be read: " + err.Error()})
			continue
		}
		texts[s.name] = string(raw)
	}
	for name, text := range texts {
		texts[name] = strings.TrimSpace(text) // editors end a file with a line break
	}
	return texts, nil
}

// flag is the name of the setting as a flag: listen for USHER_LISTEN.
func (s setting) flag() string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.name, "USHER_")), "_", "-")
}

// fromFile reports whether a file may hold the setting: every secret, and the
// database, whose address may hold a password.
func (s setting) fromFile() bool { return s.secret || s.name == "USHER_DATABASE" }

func selected(names []string) []setting {
	if len(names) == 0 {
		return settings
	}
	var some []setting
	for _, s := range settings {
		if slices.Contains(names, s.name) {
			some = append(some, s)
		}
	}
	return some
}

func faulty(faults Faults, name string) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool { return f.Name == name || f.Name == name+"_FILE" })
}

func unknown(environ []string) []string {
	var names []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		known := slices.ContainsFunc(settings, func(s setting) bool {
			return name == s.name || s.fromFile() && name == s.name+"_FILE"
		})
		// USHER_TEST_… steers the tests of this program, not the program.
		if strings.HasPrefix(name, "USHER_") && !strings.HasPrefix(name, "USHER_TEST_") && !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Usage writes a table of the settings with these names, or of all without
// names, each with its flag, meaning and default.
func Usage(w io.Writer, names ...string) {
	for _, s := range selected(names) {
		switch {
		case s.secret:
			fmt.Fprintf(w, "  %s, %s_FILE, --%s-file PATH\n", s.name, s.name, s.flag())
		case s.fromFile():
			fmt.Fprintf(w, "  %s, %s_FILE, --%s %s, --%s-file PATH\n", s.name, s.name, s.flag(), s.value, s.flag())
		default:
			fmt.Fprintf(w, "  %s, --%s %s\n", s.name, s.flag(), s.value)
		}
		fmt.Fprintf(w, "      %s", s.usage)
		switch {
		case s.def != "":
			fmt.Fprintf(w, " (default %s)", s.def)
		case s.required:
			fmt.Fprint(w, " (required)")
		}
		fmt.Fprintln(w)
	}
}
