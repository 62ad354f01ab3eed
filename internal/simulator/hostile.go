package simulator

import (
	"fmt"
	"time"
)

// An Outage is a time in which no API answers, again and again.
type Outage struct {
	Every time.Duration `json:"every,omitempty"` // from the begin of one to the begin of the next, on the simulated clock
	After time.Duration `json:"after,omitempty"` // from the begin of each turn to that of its outage
	For   time.Duration `json:"for,omitempty"`   // how long it lasts; 0 = there is none
}

func (o Outage) check() error {
	if o.For < 0 || o.After < 0 || o.For > 0 && o.After+o.For > o.Every {
		return fmt.Errorf("simulator: outage %+v does not fit into its turn", o)
	}
	return nil
}

// covers reports whether no API answers at now. Turns begin at the Unix epoch.
func (o Outage) covers(now time.Time) bool {
	if o.For == 0 {
		return false
	}
	in := time.Duration(now.UnixNano() % int64(o.Every))
	return in >= o.After && in < o.After+o.For
}

// outageFault is how a call fails while there is an outage: the caller waits for
// nothing, is cut off, or meets a gateway with nobody behind it.
func (s *Simulator) outageFault() Fault {
	kinds := []FaultKind{Hang, ResetBefore, BadGateway}
	return Fault{Kind: kinds[s.random.IntN(len(kinds))]}
}

// HostileFaults is a bad day: of the calls 5 % are refused, 2 % never answered,
// 2 % answered with garbage, 1 % cut off and 3 % answered too late after WeChat did
// what was asked; once a day no API answers for 19 minutes. Pushes come twice and
// overtake one another within a minute. Which calls are hit is decided by
// Config.Seed and the order of the calls.
func HostileFaults() Faults {
	return Faults{
		API: []Fault{
			{Kind: ErrCode, Percent: 5},
			{Kind: Hang, Percent: 2},
			{Kind: HTML, Percent: 1},
			{Kind: Truncated, Percent: 1},
			{Kind: ResetAfter, Percent: 1},
			{Kind: Late, Percent: 3, Delay: 9 * time.Second, Spread: 4 * time.Second},
			{Kind: Latency, Percent: 10, Spread: 3 * time.Second},
		},
		Push:   PushFaults{Duplicate: 1, Spread: time.Minute, Retries: 3, RetryPace: 5 * time.Second},
		Outage: Outage{Every: 24 * time.Hour, After: 10 * time.Hour, For: 19 * time.Minute},
	}
}
