//go:build failpoint

package failpoint

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text         string
		action       string
		pause        time.Duration
		first, count int
		fails        bool
	}{
		{text: "a.b=kill", action: "kill", first: 1},
		{text: "a.b=err@2x3", action: "err", first: 2, count: 3},
		{text: "a.b=panic@4", action: "panic", first: 4},
		{text: "c.d=kill,a.b=pause:2s", action: "pause", pause: 2 * time.Second, first: 1},
		{text: "a.b", fails: true},
		{text: "=kill", fails: true},
		{text: "a.b=dance", fails: true},
		{text: "a.b=err@x", fails: true},
		{text: "a.b=errxy", fails: true},
		{text: "a.b=pause:soon", fails: true},
	}
	for _, tt := range tests {
		all, err := parse(tt.text)
		if tt.fails {
			if err == nil {
				t.Errorf("parse(%q) = nil, want an error", tt.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("parse(%q) = %v, want nil", tt.text, err)
			continue
		}
		r := all["a.b"]
		if r == nil || r.action != tt.action || r.pause != tt.pause || r.first != tt.first || r.count != tt.count {
			t.Errorf("parse(%q) = %+v, want %+v", tt.text, r, tt)
		}
	}
}

func TestDue(t *testing.T) {
	r := &rule{first: 2, count: 2}
	got := ""
	for range 5 {
		if r.due() {
			got += "x"
		} else {
			got += "-"
		}
	}
	if got != "-xx--" {
		t.Errorf("due at the 2nd time, twice: %s, want -xx--", got)
	}
}
