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
	Hang  time.Duration `json:"hang,omitempty"`  // after which callers that wait for nothing are cut off; 0 = never
}

func (o Outage) check() error {
	if o.For < 0 || o.After < 0 || o.Hang < 0 || o.For > 0 && o.After+o.For > o.Every {
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
	return Fault{Kind: kinds[s.random.IntN(len(kinds))], Delay: s.faults.Outage.Hang}
}

// HostileFaults is a bad day: of the calls 5 % are refused, 2 % never answered,
// 2 % answered with garbage, 1 % cut off and 3 % answered too late after WeChat did
// what was asked; one in a hundred refresh tokens is called dead and is not; once a
// day no API answers for 19 minutes. Every tenth answer takes its time, and every
// hundredth much of it. Pushes come twice and overtake one another within a minute.
// Which calls are hit is decided by Config.Seed and the order of the calls.
func HostileFaults() Faults {
	const component = "/cgi-bin/component/"
	return Faults{
		API: []Fault{
			{Percent: 5, OneOf: []Fault{{Kind: ErrCode}, {Kind: ErrCode}, {Kind: ErrCode, Code: 42001}, {Kind: ErrCode, Code: 99999}, {Kind: ErrCodeText}}},
			{Percent: 1, Kind: ErrCode, Code: 61023, Path: component + "api_authorizer_token"},
			{Percent: 2, Kind: Hang},
			{Percent: 1, OneOf: []Fault{{Kind: HTML}, {Kind: BadGateway}, {Kind: ResetBefore}}},
			{Percent: 1, OneOf: []Fault{{Kind: Truncated}, {Kind: EmptyToken}, {Kind: ExpiresIn, Value: `"7200"`}, {Kind: ExpiresIn, Value: "1e300"}}},
			// An exchange that names another account cannot be told from one that does not.
			{Percent: 1, Kind: WrongAppID, Path: component + "api_get_authorizer_info"},
			{Percent: 1, Kind: WrongAppID, Path: component + "api_get_authorizer_list"},
			{Percent: 1, Kind: ResetAfter},
			{Percent: 3, Kind: Late, Delay: 9 * time.Second, Spread: 4 * time.Second},
			{Percent: 10, Kind: Latency, Spread: 3 * time.Second},
			{Percent: 1, Kind: Latency, Delay: 3 * time.Second, Spread: 5 * time.Second},
		},
		Push:   PushFaults{Duplicate: 1, Spread: time.Minute, Retries: 3, RetryPace: 5 * time.Second},
		Outage: Outage{Every: 24 * time.Hour, After: 10 * time.Hour, For: 19 * time.Minute},
	}
}

// Hurried are the same faults for callers that go by the wall clock and cannot wait
// so long: as often as before, and every wait n times shorter. A caller that would
// have given up meanwhile is cut off instead. An outage keeps its turn and gets
// shorter.
func (f Faults) Hurried(n int) Faults {
	const patience = 10 * time.Second // of callers
	f = f.clone()
	short := time.Duration(n)
	var hurry func([]Fault)
	hurry = func(list []Fault) {
		for i := range list {
			x := &list[i]
			switch x.Kind {
			case Hang:
				x.Delay = patience
			case Late:
				x.Kind = ResetAfter
			}
			x.Delay, x.Spread = x.Delay/short, x.Spread/short
			hurry(x.OneOf)
		}
	}
	hurry(f.API)
	f.Push.Delay, f.Push.Spread, f.Push.RetryPace = f.Push.Delay/short, f.Push.Spread/short, f.Push.RetryPace/short
	f.Outage.For, f.Outage.Hang = f.Outage.For/short, patience/short
	return f
}
