package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func texts(all []record) (out []string) {
	for _, r := range all {
		out = append(out, string(r.text))
	}
	return out
}

// TestSpool_CutAnywhere cuts a write off at every byte: what was added before it
// stays readable, and what was cut off is not taken for a record.
func TestSpool_CutAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	p, waiting, err := openSpool(path)
	if err != nil || len(waiting) != 0 {
		t.Fatalf("openSpool = %d records, %v; want none", len(waiting), err)
	}
	for _, text := range []string{"first", "second"} {
		if _, err := p.add([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.add([]byte("third")); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i := range after {
		if after[i] != before[i] {
			last = i + 1
		}
	}
	for cut := range last + 1 {
		torn := append(bytes.Clone(after[:cut]), before[cut:]...)
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		p, waiting, err := openSpool(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "[first second]"
		if cut == last {
			want = "[first second third]"
		}
		if got := fmt.Sprint(texts(waiting)); got != want {
			t.Errorf("cut at byte %d: %s, want %s", cut, got, want)
		}
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	p, _, err := openSpool(path)
	if err != nil {
		t.Fatal(err)
	}
	add := func(text string) int64 {
		t.Helper()
		at, err := p.add([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	reopen := func(want string) []record {
		t.Helper()
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
		var waiting []record
		if p, waiting, err = openSpool(path); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(texts(waiting)); got != want {
			t.Errorf("waiting = %s, want %s", got, want)
		}
		return waiting
	}
	add("a")
	b := add("b")
	add("c")
	if err := p.done(b); err != nil {
		t.Fatal(err)
	}
	add("d")
	for _, r := range reopen("[a c d]") {
		if err := p.done(r.at); err != nil {
			t.Fatal(err)
		}
	}
	reopen("[]")
	// The space is used again, and shorter records do not wake what lay behind.
	add("e")
	reopen("[e]")
	big := bytes.Repeat([]byte("x"), spoolSize/3)
	n := 0
	for ; ; n++ {
		if _, err := p.add(big); errors.Is(err, errSpoolFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != spoolSize || n != 2 {
		t.Errorf("after %d large records the file has %v bytes, %v; want 2 and %d", n, info.Size(), err, spoolSize)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
}
