package simulator

import (
	"fmt"
	"slices"
	"time"
)

// A FaultKind is a way in which an API answer goes wrong.
type FaultKind string

// The faults. Those up to HTML happen before anything changed; the others after
// WeChat has done what was asked, so that the answer is all that is lost.
const (
	Latency     FaultKind = "latency"      // answer after Fault.Delay, otherwise normally
	Hang        FaultKind = "hang"         // never answer; with Fault.Delay, cut the connection then
	ErrCode     FaultKind = "errcode"      // answer Fault.Code
	ErrCodeText FaultKind = "errcode_text" // answer Fault.Code as a JSON string
	ResetBefore FaultKind = "reset_before" // cut the connection
	BadGateway  FaultKind = "bad_gateway"  // HTTP 502 with HTML
	HTML        FaultKind = "html"         // HTTP 200 with HTML

	ResetAfter FaultKind = "reset_after" // cut the connection, after Fault.Delay
	Late       FaultKind = "late"        // answer after Fault.Delay, when the caller may have given up
	Truncated  FaultKind = "truncated"   // half of the JSON
	WrongAppID FaultKind = "wrong_appid" // the answer is about another account
	EmptyToken FaultKind = "empty_token" // tokens and codes are empty strings
	ExpiresIn  FaultKind = "expires_in"  // expires_in is Fault.Value, any JSON
)

// FaultKinds lists all kinds in the order the control page shows them.
func FaultKinds() []FaultKind {
	return []FaultKind{Latency, Hang, ErrCode, ErrCodeText, ResetBefore, BadGateway, HTML,
		ResetAfter, Late, Truncated, WrongAppID, EmptyToken, ExpiresIn}
}

// A Fault makes calls of one endpoint go wrong.
type Fault struct {
	Kind    FaultKind     `json:"kind,omitempty"`
	Path    string        `json:"path,omitempty"`    // endpoint; empty = every endpoint
	Next    int           `json:"next,omitempty"`    // how many calls it hits, then it is gone; 0 = no end
	Percent int           `json:"percent,omitempty"` // share of calls it hits, 1 to 99; 0 = all
	Code    int           `json:"code,omitempty"`    // errcode; 0 = -1
	Delay   time.Duration `json:"delay,omitempty"`   // for Latency, Late, Hang and ResetAfter
	Spread  time.Duration `json:"spread,omitempty"`  // up to this much is added to Delay
	Value   string        `json:"value,omitempty"`   // for ExpiresIn: JSON
	// OneOf, instead of Kind, has one of several happen to each call that is hit.
	// Of these only Kind and what belongs to the kind count.
	OneOf []Fault `json:"oneOf,omitempty"`
}

// PushFaults make pushes go wrong.
type PushFaults struct {
	Drop      int           `json:"drop,omitempty"`      // how many of the next pushes are never sent
	DropShare int           `json:"dropShare,omitempty"` // percentage of pushes never sent
	Duplicate int           `json:"duplicate,omitempty"` // extra copies of every push
	Delay     time.Duration `json:"delay,omitempty"`     // how long pushes wait; tickets are not delayed
	Spread    time.Duration `json:"spread,omitempty"`    // up to this much is added to Delay, for each copy anew: pushes overtake one another
	Skew      time.Duration `json:"skew,omitempty"`      // added to CreateTime
	Retries   int           `json:"retries,omitempty"`   // how often a push that was not accepted is repeated, 0 to 3
	RetryPace time.Duration `json:"retryPace,omitempty"` // pause before each repetition
}

// Faults is everything that is to go wrong. Which calls a percentage hits is
// decided by Config.Seed and the order of the calls.
type Faults struct {
	API    []Fault    `json:"api,omitempty"`
	Push   PushFaults `json:"push,omitzero"`
	Outage Outage     `json:"outage,omitzero"`
}

// SetFaults replaces all faults; the zero Faults ends them. It fails, changing
// nothing, when a fault has an unknown kind or endpoint or a bad number.
func (s *Simulator) SetFaults(f Faults) error {
	for _, x := range f.API {
		if err := s.checkFault(x); err != nil {
			return err
		}
	}
	if p := f.Push; p.Drop < 0 || p.DropShare < 0 || p.DropShare > 100 || p.Duplicate < 0 || p.Duplicate > 10 || p.Delay < 0 || p.Spread < 0 || p.Retries < 0 || p.Retries > 3 || p.RetryPace < 0 {
		return fmt.Errorf("simulator: push faults %+v are out of range", p)
	}
	if err := f.Outage.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f.clone()
	return nil
}

func (f Faults) clone() Faults {
	f.API = slices.Clone(f.API)
	for i := range f.API {
		f.API[i].OneOf = slices.Clone(f.API[i].OneOf)
	}
	return f
}

// AddFault adds one fault to those in force.
func (s *Simulator) AddFault(f Fault) error {
	if err := s.checkFault(f); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.API = append(s.faults.API, f)
	return nil
}

// Faults returns what is in force, with Next counted down.
func (s *Simulator) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.clone()
}

func (s *Simulator) checkFault(f Fault) error {
	for _, one := range f.OneOf {
		if f.Kind != "" || len(one.OneOf) > 0 {
			return fmt.Errorf("simulator: fault %+v is one of several in more than one way", f)
		}
		if err := s.checkFault(one); err != nil {
			return err
		}
	}
	if !slices.Contains(FaultKinds(), f.Kind) && len(f.OneOf) == 0 {
		return fmt.Errorf("simulator: unknown kind of fault %q", f.Kind)
	}
	if _, ok := s.endpoints[f.Path]; f.Path != "" && !ok {
		return fmt.Errorf("simulator: unknown endpoint %q", f.Path)
	}
	if f.Next < 0 || f.Percent < 0 || f.Percent > 100 || f.Delay < 0 || f.Spread < 0 {
		return fmt.Errorf("simulator: fault %+v is out of range", f)
	}
	if f.Kind == ExpiresIn && !validJSON(f.Value) {
		return fmt.Errorf("simulator: expires_in %q is not JSON", f.Value)
	}
	return nil
}

// hits decides with the seeded generator whether a share of 1 to 99 percent is
// hit; 0 and 100 always are.
func (s *Simulator) hits(percent int) bool {
	return percent == 0 || s.random.IntN(100) < percent
}

// upTo returns a seeded random part of d.
func (s *Simulator) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(d)))
}

// begin counts a call and returns the faults that hit it.
func (s *Simulator) begin(path string) faultList {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.calls[path]
	if count == nil {
		count = &CallCount{}
		s.calls[path] = count
	}
	count.Total++
	if s.faults.Outage.covers(s.now()) {
		count.Spoiled++
		return faultList{s.outageFault()}
	}
	hit := s.hitting(path)
	if slices.ContainsFunc(hit, func(f Fault) bool { return f.Kind != Latency }) {
		count.Spoiled++
	}
	return hit
}

// hitting draws the faults that hit a call.
func (s *Simulator) hitting(path string) faultList {
	var hit faultList
	kept := s.faults.API[:0]
	for _, f := range s.faults.API {
		if (f.Path == "" || f.Path == path) && s.hits(f.Percent) {
			one := f
			if n := len(f.OneOf); n > 0 {
				one = f.OneOf[s.random.IntN(n)]
			}
			one.Delay += s.upTo(one.Spread)
			hit = append(hit, one)
			if f.Next > 0 {
				if f.Next--; f.Next == 0 {
					continue
				}
			}
		}
		kept = append(kept, f)
	}
	s.faults.API = kept
	return hit
}
