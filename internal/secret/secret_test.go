package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"usher/internal/secret"
)

const canary = "ticket@@@canary-5f1d"

// TestSecretNeverPrints tries every way in which a value usually ends in a log.
func TestSecretNeverPrints(t *testing.T) {
	s := secret.New(canary)
	type holder struct {
		Token secret.Secret
		Ptr   *secret.Secret
		inner secret.Secret
	}
	h := holder{s, &s, s}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		l := slog.New(handler)
		l.Info("m", "s", s, "p", &s, "h", h, "m", map[string]secret.Secret{"k": s}, "e", fmt.Errorf("token %v", s))
	}
	asJSON, err := json.Marshal(map[string]any{"s": s, "h": h, "l": []secret.Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"slog": log.String(), "json": string(asJSON), "Print": fmt.Sprint(s, &s, h, []secret.Secret{s})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s", "%T"} {
		texts[verb] = fmt.Sprintf(verb+" "+verb+" "+verb, s, &s, h)
	}
	texts["panic"] = func() (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		panic(errors.Join(fmt.Errorf("%w: %s", errors.New("x"), s)))
	}()
	for how, text := range texts {
		for _, leak := range []string{canary, canary[:8], fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary[:6]))[1:18]} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows %q: %s", how, leak, text)
			}
		}
	}
	if got := s.String(); !strings.Contains(got, fmt.Sprintf("len=%d", len(canary))) {
		t.Errorf("String() = %q, want the length in it", got)
	}
	if a, b := s.String(), secret.New("another value").String(); a == b {
		t.Errorf("two secrets print alike: %q", a)
	}
}

func TestSecretReveals(t *testing.T) {
	if got := secret.New(canary).Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
	var zero secret.Secret
	if !zero.Empty() || zero != secret.New("") || zero.String() != "[empty]" || secret.New("x").Empty() {
		t.Errorf("zero Secret = %v, Empty %v", zero, zero.Empty())
	}
}

func TestHasher(t *testing.T) {
	a, b := secret.NewHasher([32]byte{1}), secret.NewHasher([32]byte{2})
	got := a.Hash("code", "v")
	if len(got) != 64 || strings.Trim(got, "0123456789abcdef") != "" {
		t.Errorf("Hash(code, v) = %q, want 64 hexadecimal digits", got)
	}
	if again := a.Hash("code", "v"); again != got {
		t.Errorf("Hash(code, v) = %q, then %q", got, again)
	}
	for name, other := range map[string]string{
		"another key": b.Hash("code", "v"), "another purpose": a.Hash("state", "v"),
		"another value": a.Hash("code", "w"), "a shifted boundary": a.Hash("cod", "ev"),
	} {
		if other == got {
			t.Errorf("Hash with %s is the same: %q", name, got)
		}
	}
}

func TestHasherNeverPrintsItsKey(t *testing.T) {
	h := secret.NewHasher([32]byte{201, 202, 203, 204})
	type holder struct{ inner secret.Hasher }
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
		got := fmt.Sprintf(verb+" "+verb, h, holder{h})
		for _, leak := range []string{"201 202", "0xc9, 0xca", "c9cacb", "c9 ca"} {
			if strings.Contains(got, leak) {
				t.Errorf("Sprintf(%q) = %q, shows the key", verb, got)
			}
		}
	}
}
