package admin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
)

// strip writes a heartbeat with one letter a slot: none, on time, late, missing.
func strip(h admin.Heartbeat) string {
	var b strings.Builder
	for _, s := range h {
		b.WriteString(map[admin.SlotState]string{admin.SlotNone: ".", admin.SlotOnTime: "o", admin.SlotLate: "L", admin.SlotMissing: "X"}[s.State])
	}
	return b.String()
}

func TestNewHeartbeat(t *testing.T) {
	m := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	every := func(from, until int) (times []time.Time) {
		for n := from; n <= until; n += 10 {
			times = append(times, m(n))
		}
		return times
	}
	for _, tt := range []struct {
		name  string
		times []time.Time
		first time.Time
		end   string // of the strip, whose beginning repeats its first letter
	}{
		{"nothing ever", nil, time.Time{}, "."},
		{"only before the day", nil, m(-3000), "X"},
		{"one just now", []time.Time{m(4)}, m(4), ".o"},
		{"one at the edge of a slot", []time.Time{m(-10)}, m(-10), ".oo"},
		{"always, at the edge", every(-1500, 0), m(-5000), "o"},
		{"always, off the edge", every(-1497, 3), m(-5000), "o"},
		{"a little late does not count", append(every(-1497, -27), m(-13), m(-3)), m(-5000), "o"},
		{"silence since 25 minutes", every(-1495, -20), m(-5000), "oXX"},
		{"silence of an hour that ended", append(every(-1500, -70), m(-8), m(2)), m(-5000), "ooXXXXXLo"},
		{"late once", append(every(-1500, -40), m(-11), m(-1)), m(-5000), "ooXLoo"},
	} {
		h := admin.NewHeartbeat(tt.times, tt.first, m(5))
		want := strings.Repeat(tt.end[:1], admin.HeartbeatSlots-len(tt.end)) + tt.end
		if got := strip(h); got != want {
			t.Errorf("%s: …%s, want …%s", tt.name, got[len(got)-12:], want[len(want)-12:])
		}
		if last := h[len(h)-1]; !last.Until.Equal(m(10)) || !h[0].From.Equal(m(10).Add(-24*time.Hour)) {
			t.Errorf("%s: the strip lasts from %v until %v", tt.name, h[0].From, last.Until)
		}
	}
}

func TestHeartbeat_Coarse(t *testing.T) {
	h := admin.NewHeartbeat([]time.Time{noon.Add(-50 * time.Minute), noon.Add(-5 * time.Minute), noon}, noon.Add(-50*time.Minute), noon.Add(5*time.Minute))
	if got := strip(h); !strings.HasSuffix(got, "..oXXXLo") {
		t.Fatalf("the strip ends in %s", got[len(got)-8:])
	}
	coarse := h.Coarse(3)
	if got := strip(coarse); got != strings.Repeat(".", 46)+"XX" {
		t.Errorf("Coarse(3) = %s", got)
	}
	if n := h.Count(admin.SlotMissing); n != 3 {
		t.Errorf("Count(missing) = %d, want 3", n)
	}
	spans := h.Spans(admin.SlotMissing)
	want := []admin.Slot{{From: noon.Add(-40 * time.Minute), Until: noon.Add(-10 * time.Minute), State: admin.SlotMissing}}
	if !slices.Equal(spans, want) {
		t.Errorf("Spans(missing) = %v, want %v", spans, want)
	}
}
