package onboard_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// TestMasked: what people see, and what is kept for them, is bounded and tells
// nothing of a secret but whether two are the same.
func TestMasked(t *testing.T) {
	svc := onboard.NewService(onboard.Options{Hasher: secret.NewHasher([32]byte{1})})
	other := onboard.NewService(onboard.Options{Hasher: secret.NewHasher([32]byte{2})})
	fields := []onboard.Field{
		{Name: "a", Value: "shown"}, {Name: "b", Hidden: secret.New("授权canary")}, {Name: "c", Hidden: secret.New("授权canary")},
		{Name: "d", Hidden: secret.New("another")}, {Name: strings.Repeat("n", 100), Value: strings.Repeat("值", 500)},
	}
	got := svc.Masked(fields)
	if text := fmt.Sprint(got, fields); strings.Contains(text, "canary") {
		t.Errorf("Masked shows a secret: %s", text)
	}
	if got[0] != (onboard.MaskedField{Name: "a", Value: "shown"}) || got[1].Length != 8 || got[1].Value != "" || len(got[1].Print) != 8 {
		t.Errorf("Masked = %+v", got)
	}
	if got[1].Print != got[2].Print || got[1].Print == got[3].Print || got[1].Print == other.Masked(fields)[1].Print {
		t.Errorf("fingerprints %q, %q, %q: want the same for the same value, key and nothing else", got[1].Print, got[2].Print, got[3].Print)
	}
	if len([]rune(got[4].Name)) != 65 || len([]rune(got[4].Value)) != 161 {
		t.Errorf("Masked keeps %d and %d characters", len([]rune(got[4].Name)), len([]rune(got[4].Value)))
	}
	if n := len(svc.Masked(make([]onboard.Field, 200))); n > 30 {
		t.Errorf("Masked keeps %d fields", n)
	}
}
