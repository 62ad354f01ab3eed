// Package secret holds values that must never be shown: a type that prints as
// redacted everywhere, keyed hashes to look such values up by, and sealing for
// storage at rest. It knows nothing of what the values mean.
package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"unique"
)

// Secret is a token, code or key. Every way of printing it gives a redacted
// text with its length and a short fingerprint; only Reveal gives the value.
// The zero Secret is empty. Secrets are equal when their values are.
//
// The value sits behind a handle and not in a string field, because fmt prints
// the unexported fields of a struct that holds a Secret without asking for its
// methods; so printed, a handle is an address.
type Secret struct{ value unique.Handle[string] }

// New wraps value.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{unique.Make(value)}
}

// Reveal returns the value itself, for the one place that has to send or seal it.
func (s Secret) Reveal() string {
	if s.Empty() {
		return ""
	}
	return s.value.Value()
}

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s == Secret{} }

// String returns the redacted form, such as "[redacted len=43 sha=1f2e3d]".
func (s Secret) String() string {
	if s.Empty() {
		return "[empty]"
	}
	value := s.Reveal()
	sum := sha256.Sum256([]byte(value))
	return fmt.Sprintf("[redacted len=%d sha=%s]", len(value), hex.EncodeToString(sum[:3]))
}

// GoString keeps %#v from showing the field.
func (s Secret) GoString() string { return s.String() }

// Format keeps every verb of package fmt, %d and %x included, from showing the field.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalJSON writes the redacted form.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText writes the redacted form.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue gives slog the redacted form.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
