package admin

import "time"

// The heartbeat of tickets: WeChat pushes one every ten minutes.
const (
	HeartbeatSlot  = 10 * time.Minute
	HeartbeatSlots = 144 // a day
	// beatPatience is how long after a ticket the next one is not yet missing.
	beatPatience = 15 * time.Minute
)

// SlotState is how tickets came in one slot.
type SlotState string

// The states, the best first.
const (
	SlotNone    SlotState = "none" // before the first ticket ever
	SlotOnTime  SlotState = "on_time"
	SlotLate    SlotState = "late"    // one came after too long a silence
	SlotMissing SlotState = "missing" // silence
)

// Slot is one stretch of the heartbeat.
type Slot struct {
	From, Until time.Time
	State       SlotState
}

// Heartbeat is how tickets came over the last day, the oldest slot first.
type Heartbeat []Slot

// NewHeartbeat judges the times of tickets, which are in order and begin before the
// day does. first is when the first ticket ever came, zero for never.
func NewHeartbeat(times []time.Time, first, now time.Time) Heartbeat {
	until := now.Truncate(HeartbeatSlot).Add(HeartbeatSlot)
	from := until.Add(-HeartbeatSlots * HeartbeatSlot)
	beat := make(Heartbeat, 0, HeartbeatSlots)
	var last time.Time
	next := 0
	for a := from; a.Before(until); a = a.Add(HeartbeatSlot) {
		c := Slot{From: a, Until: a.Add(HeartbeatSlot), State: SlotOnTime}
		for ; next < len(times) && times[next].Before(c.Until); next++ {
			if !last.IsZero() && times[next].Sub(last) > beatPatience && !times[next].Before(a) {
				c.State = SlotLate
			}
			last = times[next]
		}
		end := c.Until
		if end.After(now) {
			end = now
		}
		switch {
		case first.IsZero() || !first.Before(c.Until):
			c.State = SlotNone
		case last.IsZero() || end.Sub(last) > beatPatience:
			c.State = SlotMissing
		}
		beat = append(beat, c)
	}
	return beat
}

// Coarse joins every n slots into one of the worst state among them, for narrow
// screens.
func (h Heartbeat) Coarse(n int) Heartbeat {
	rank := map[SlotState]int{SlotNone: 0, SlotOnTime: 1, SlotLate: 2, SlotMissing: 3}
	var out Heartbeat
	for i, c := range h {
		if i%n == 0 {
			out = append(out, c)
			continue
		}
		joined := &out[len(out)-1]
		joined.Until = c.Until
		if rank[c.State] > rank[joined.State] {
			joined.State = c.State
		}
	}
	return out
}

// Count says how many slots have a state.
func (h Heartbeat) Count(state SlotState) (n int) {
	for _, c := range h {
		if c.State == state {
			n++
		}
	}
	return n
}

// Spans lists the stretches of neighboring slots in a state.
func (h Heartbeat) Spans(state SlotState) (spans []Slot) {
	for i, c := range h {
		switch {
		case c.State != state:
		case i > 0 && h[i-1].State == state:
			spans[len(spans)-1].Until = c.Until
		default:
			spans = append(spans, c)
		}
	}
	return spans
}
