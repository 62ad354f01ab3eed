package config

import (
	"fmt"
	"log/slog"
)

// Hidden is a secret setting. It prints as set or unset, never as its value;
// only Reveal gives that.
type Hidden struct{ value string }

// Hide wraps value.
func Hide(value string) Hidden { return Hidden{value} }

// Reveal returns the value itself; empty when the setting is not set.
func (h Hidden) Reveal() string { return h.value }

// String tells only whether there is a value.
func (h Hidden) String() string {
	if h.value == "" {
		return "[not set]"
	}
	return "[set]"
}

// Format keeps every verb of package fmt from showing the field.
func (h Hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(h.String())) }

// MarshalText writes what String says, for encoding/json and its like.
func (h Hidden) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// LogValue gives slog what String says.
func (h Hidden) LogValue() slog.Value { return slog.StringValue(h.String()) }
