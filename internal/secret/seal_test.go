package secret_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"usher/internal/secret"
)

func ring(t testing.TB, keys ...string) *secret.Ring {
	t.Helper()
	r, err := secret.ParseRing(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRing(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb, 0xff, 0x3e, 7}, 8)
	std := base64.StdEncoding.EncodeToString(raw)
	url := base64.URLEncoding.EncodeToString(raw)
	other := secret.NewKey()
	tests := []struct {
		in string
		ok bool
	}{
		{std, true},
		{url, true},
		{strings.TrimRight(std, "="), true},
		{" " + std + " ,\n" + other, true},
		{"", false},
		{"  ", false},
		{std + ",", false},
		{std + "," + url, false}, // the same key twice
		{std[:20], false},
		{"not base64!", false},
		{base64.StdEncoding.EncodeToString(append(raw, 1)), false},
	}
	for _, tt := range tests {
		r, err := secret.ParseRing(tt.in)
		if (err == nil) != tt.ok || (r != nil) != tt.ok {
			t.Errorf("ParseRing(%q) = %v, %v; want ok %v", tt.in, r, err, tt.ok)
		}
		if err != nil && len(tt.in) > 20 && strings.Contains(err.Error(), tt.in[:10]) {
			t.Errorf("ParseRing(%q) shows the key: %v", tt.in, err)
		}
	}
	for _, form := range []string{url, strings.TrimRight(url, "=")} {
		sealed := ring(t, std).Seal("t", "c", "r", secret.New("x"))
		if got, err := ring(t, form).Open("t", "c", "r", sealed); err != nil || got.Reveal() != "x" {
			t.Errorf("Open with %q = %q, %v; want the key of %q", form, got.Reveal(), err, std)
		}
	}
}

func TestNewKey(t *testing.T) {
	if a, b := secret.NewKey(), secret.NewKey(); a == b {
		t.Errorf("NewKey() = %q twice", a)
	}
}

func TestSealOpensOnlyInPlace(t *testing.T) {
	r := ring(t, secret.NewKey())
	for _, value := range []string{"a", "refreshtoken@@@abc", strings.Repeat("票", 2000)} {
		sealed := r.Seal("account", "refresh", "wx1/wx2", secret.New(value))
		if len(value) > 4 && strings.Contains(sealed, value) {
			t.Errorf("Seal(%.20q) contains the value", value)
		}
		if again := r.Seal("account", "refresh", "wx1/wx2", secret.New(value)); again == sealed {
			t.Errorf("Seal(%.20q) gave the same text twice", value)
		}
		got, err := r.Open("account", "refresh", "wx1/wx2", sealed)
		if err != nil || got.Reveal() != value {
			t.Errorf("Open(Seal(%.20q)) = %.20q, %v", value, got.Reveal(), err)
		}
		for _, place := range [][3]string{
			{"account", "refresh", "wx1/wx3"}, {"account", "access", "wx1/wx2"}, {"ticket", "refresh", "wx1/wx2"},
			{"account", "refresh", ""}, {"accountrefresh", "", "wx1/wx2"}, {"account", "refreshwx1", "/wx2"},
		} {
			if got, err := r.Open(place[0], place[1], place[2], sealed); !errors.Is(err, secret.ErrUnsealed) || !got.Empty() {
				t.Errorf("Open(%q) of a value of another place = %v, %v; want ErrUnsealed", place, got, err)
			}
		}
	}
}

func TestSealEmpty(t *testing.T) {
	r := ring(t, secret.NewKey())
	if got := r.Seal("t", "c", "r", secret.Secret{}); got != "" {
		t.Errorf("Seal(empty) = %q, want empty", got)
	}
	if got, err := r.Open("t", "c", "r", ""); err != nil || !got.Empty() {
		t.Errorf("Open(empty) = %v, %v; want empty", got, err)
	}
}

func TestOpenRefusesEveryChange(t *testing.T) {
	r := ring(t, secret.NewKey())
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/\n\x00"
	for n := 1; n <= 4; n++ { // every number of spare bits at the end
		sealed := r.Seal("t", "c", "r", secret.New(strings.Repeat("v", n)))
		for i := range len(sealed) {
			for _, c := range []byte(alphabet) {
				if sealed[i] == c {
					continue
				}
				bad := sealed[:i] + string(c) + sealed[i+1:]
				if got, err := r.Open("t", "c", "r", bad); !errors.Is(err, secret.ErrUnsealed) || !got.Empty() {
					t.Fatalf("Open(%q), byte %d changed = %q, %v; want ErrUnsealed", bad, i, got.Reveal(), err)
				}
			}
			for _, bad := range []string{sealed[:i], sealed[:i] + sealed[i+1:], sealed[:i] + "A" + sealed[i:], sealed[:i] + "\n" + sealed[i:]} {
				if bad == "" {
					continue
				}
				if got, err := r.Open("t", "c", "r", bad); !errors.Is(err, secret.ErrUnsealed) || !got.Empty() {
					t.Fatalf("Open(%q) = %q, %v; want ErrUnsealed", bad, got.Reveal(), err)
				}
			}
		}
	}
}

func TestRingRotation(t *testing.T) {
	oldKey, newKey := secret.NewKey(), secret.NewKey()
	before, during, after := ring(t, oldKey), ring(t, newKey, oldKey), ring(t, newKey)
	sealed := before.Seal("t", "c", "r", secret.New("v"))
	if !before.Current(sealed) || during.Current(sealed) {
		t.Errorf("Current = %v before and %v during the change; want true, false", before.Current(sealed), during.Current(sealed))
	}
	if got, err := during.Open("t", "c", "r", sealed); err != nil || got.Reveal() != "v" {
		t.Errorf("Open with the old key second = %q, %v; want v", got.Reveal(), err)
	}
	if _, err := after.Open("t", "c", "r", sealed); !errors.Is(err, secret.ErrUnsealed) {
		t.Errorf("Open without the old key = %v, want ErrUnsealed", err)
	}
	again := during.Seal("t", "c", "r", secret.New("v"))
	if got, err := after.Open("t", "c", "r", again); err != nil || got.Reveal() != "v" || !after.Current(again) {
		t.Errorf("Open of what the new key sealed = %q, %v; want v", got.Reveal(), err)
	}
}

func TestRingNeverPrintsKeys(t *testing.T) {
	key := secret.NewKey()
	r := ring(t, key)
	raw, _ := base64.StdEncoding.DecodeString(key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, r); !strings.Contains(got, "[1 secret keys]") || strings.Contains(got, fmt.Sprint(raw[:4])) {
			t.Errorf("Sprintf(%q) = %q, want only a count", verb, got)
		}
	}
}

func TestSealAllocations(t *testing.T) {
	r := ring(t, secret.NewKey())
	v := secret.New(strings.Repeat("t", 150))
	sealed := r.Seal("account", "access", "wx1/wx2", v)
	if n := testing.AllocsPerRun(100, func() { r.Seal("account", "access", "wx1/wx2", v) }); n > 2 {
		t.Errorf("Seal allocates %v times, want at most 2", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Open("account", "access", "wx1/wx2", sealed) }); n > 2 {
		t.Errorf("Open allocates %v times, want at most 2", n)
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, secret.NewKey())
	f.Add("")
	f.Add("1.")
	f.Add(r.Seal("t", "c", "other", secret.New("v")))
	f.Fuzz(func(t *testing.T, sealed string) {
		if got, err := r.Open("t", "c", "r", sealed); sealed != "" && (err == nil || !got.Empty()) {
			t.Errorf("Open(%q) = %q, %v; want an error", sealed, got.Reveal(), err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := ring(b, secret.NewKey())
	v := secret.New(strings.Repeat("t", 150))
	for b.Loop() {
		r.Seal("account", "access", "wx1/wx2", v)
	}
}
