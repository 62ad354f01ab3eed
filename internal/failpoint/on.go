//go:build failpoint

package failpoint

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Enabled tells whether the program was built with the tag failpoint.
const Enabled = true

// Err is what Fail returns where the action is err.
var Err = errors.New("failpoint")

// Hit marks a step at which the process may end, panic or be held. It says so on
// the standard error output before it does.
func Hit(name string) { _ = act(name) }

// Fail marks a step that may fail besides, with [Err].
func Fail(name string) error { return act(name) }

// rule is one entry of USHER_FAILPOINT.
type rule struct {
	action       string
	pause        time.Duration
	first, count int

	mu   sync.Mutex
	hits int
}

// rules are read once: a program does not change its environment.
var rules = sync.OnceValue(func() map[string]*rule {
	all, err := parse(os.Getenv("USHER_FAILPOINT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "USHER_FAILPOINT:", err)
		os.Exit(2)
	}
	return all
})

func parse(text string) (map[string]*rule, error) {
	all := map[string]*rule{}
	if text == "" {
		return all, nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		name, action, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not NAME=ACTION", entry)
		}
		r := &rule{first: 1}
		var err error
		if before, count, ok := strings.Cut(action, "x"); ok {
			action = before
			if r.count, err = strconv.Atoi(count); err != nil {
				return nil, fmt.Errorf("%q: %w", entry, err)
			}
		}
		if before, first, ok := strings.Cut(action, "@"); ok {
			action = before
			if r.first, err = strconv.Atoi(first); err != nil {
				return nil, fmt.Errorf("%q: %w", entry, err)
			}
		}
		r.action = action
		if d, ok := strings.CutPrefix(action, "pause:"); ok {
			r.action = "pause"
			if r.pause, err = time.ParseDuration(d); err != nil {
				return nil, fmt.Errorf("%q: %w", entry, err)
			}
		}
		switch r.action {
		case "kill", "panic", "err", "pause":
		default:
			return nil, fmt.Errorf("%q: there is no action %q", entry, r.action)
		}
		all[name] = r
	}
	return all, nil
}

// due counts a hit and tells whether the action is to be carried out.
func (r *rule) due() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hits++
	return r.hits >= r.first && (r.count == 0 || r.hits < r.first+r.count)
}

func act(name string) error {
	r := rules()[name]
	if r == nil || !r.due() {
		return nil
	}
	fmt.Fprintf(os.Stderr, "failpoint %s %s\n", name, r.action)
	switch r.action {
	case "kill":
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {} // the signal is on its way; nothing more may happen here
	case "panic":
		panic("failpoint " + name)
	case "pause":
		time.Sleep(r.pause)
	case "err":
		return fmt.Errorf("%w %s", Err, name)
	}
	return nil
}
