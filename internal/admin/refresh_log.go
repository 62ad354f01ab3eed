package admin

import (
	"strings"
	"time"
)

// Refresh is one entry of what refreshing an account's token did lately: a
// success, or failures of one kind in a row.
type Refresh struct {
	First  time.Time
	At     time.Time // the last of them; First for a single one
	Times  int
	Reason string // API, errcode and rid of the last failure; empty for a success
}

// OK reports whether it was a success.
func (r Refresh) OK() bool { return r.Reason == "" }

// The strip of an account's page.
const (
	StripCells   = 12
	StripCell    = 2 * time.Hour
	refreshesFor = (StripCells + 1) * 2 * time.Hour
	// refreshLimit bounds the entries of one account whatever happens to it.
	refreshLimit = 40
)

// failureClass is a reason without WeChat's request id, which differs every time.
func failureClass(reason string) string {
	class, _, _ := strings.Cut(reason, " rid ")
	return class
}

// AddRefresh appends what just happened to the entries of the last day, oldest
// first. Failures of the same kind within one cell of the strip become one entry.
func AddRefresh(all []Refresh, at time.Time, reason string) []Refresh {
	for len(all) > 0 && (at.Sub(all[0].At) > refreshesFor || len(all) >= refreshLimit) {
		all = all[1:]
	}
	if n := len(all); n > 0 && reason != "" && failureClass(all[n-1].Reason) == failureClass(reason) && all[n-1].First.Truncate(StripCell).Equal(at.Truncate(StripCell)) {
		all[n-1].At, all[n-1].Reason = at, reason
		all[n-1].Times++
		return all
	}
	return append(all, Refresh{First: at, At: at, Times: 1, Reason: reason})
}

// CellState is what one cell of the strip shows.
type CellState int

// The states of a cell.
const (
	CellEmpty  CellState = iota // nothing was due
	CellOK                      // every refresh worked
	CellLate                    // some failed, and one worked
	CellFailed                  // all failed
)

// Cell is two hours of the strip.
type Cell struct {
	From, Until time.Time
	State       CellState
	Failures    int
	Reason      string // of the last failure
}

// Strip draws the entries as cells, the oldest first; the last one holds now.
func Strip(all []Refresh, now time.Time) []Cell {
	cells := make([]Cell, StripCells)
	first := now.Truncate(StripCell).Add(-(StripCells - 1) * StripCell)
	for i := range cells {
		c := &cells[i]
		c.From = first.Add(time.Duration(i) * StripCell)
		c.Until = c.From.Add(StripCell)
		worked := false
		for _, r := range all {
			if r.First.Before(c.From) || !r.First.Before(c.Until) {
				continue
			}
			if r.OK() {
				worked = true
				continue
			}
			c.Failures += r.Times
			c.Reason = r.Reason
		}
		switch {
		case worked && c.Failures == 0:
			c.State = CellOK
		case worked:
			c.State = CellLate
		case c.Failures > 0:
			c.State = CellFailed
		}
	}
	return cells
}
