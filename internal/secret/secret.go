// Package secret holds values that must never be shown: a type that prints as
// redacted everywhere, keyed hashes to look such values up by, and sealing for
// storage at rest. It knows nothing of what the values mean.
package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Secret is a token, code or key. Every way of printing it gives a redacted
// text with its length and a short fingerprint; only Reveal gives the value.
// The zero Secret is empty.
type Secret struct{ value string }

// New wraps value.
func New(value string) Secret { return Secret{value} }

// Reveal returns the value itself, for the one place that has to send or seal it.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

// String returns the redacted form, such as "[redacted len=43 sha=1f2e3d]".
func (s Secret) String() string {
	if s.value == "" {
		return "[empty]"
	}
	sum := sha256.Sum256([]byte(s.value))
	return fmt.Sprintf("[redacted len=%d sha=%s]", len(s.value), hex.EncodeToString(sum[:3]))
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
