// Package rescue turns a panic, which only a bug can cause, into an error, so that
// it ends one piece of work and not the process with all the others. It knows
// nothing of what the work is.
package rescue

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Do runs work. When work panics, the error is a [Panic].
func Do(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{value: v, stack: string(debug.Stack())}
		}
	}()
	return work()
}

// Panic is what became of a panic.
type Panic struct {
	value any
	stack string
}

// Error names a fault of the Go runtime in full. Any other value may hold what the
// work was about, a token for instance, so only its type is told.
func (p *Panic) Error() string {
	if err, ok := p.value.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic of type %T", p.value)
}

// Unwrap returns the value where it is an error, such as net/http.ErrAbortHandler,
// which is no bug.
func (p *Panic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// Attrs are key and value for the log: the error and, of a panic, where it happened.
func Attrs(err error) []any {
	attrs := []any{"err", err}
	if p, ok := errors.AsType[*Panic](err); ok {
		attrs = append(attrs, "stack", p.stack)
	}
	return attrs
}

// Is reports whether err is of a panic.
func Is(err error) bool {
	_, ok := errors.AsType[*Panic](err)
	return ok
}
