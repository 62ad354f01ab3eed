package admin

import (
	"context"
	"slices"
	"time"

	"usher/internal/onboard"
)

// EventResult says how the handling of a received event stands, as a filter and as
// a word.
type EventResult string

// The results. An event fails when it was tried too often: it waits for a person.
const (
	AnyResult     EventResult = ""
	EventFailed   EventResult = "failed"
	EventWaiting  EventResult = "waiting"
	EventHandled  EventResult = "handled"
	EventAttached EventResult = "attached" // its other witness was handled
	EventIgnored  EventResult = "ignored"  // nothing to do
	EventUnknown  EventResult = "unknown"  // of a type that nobody acts on
)

// failedShown is how many failed ones stand above a list.
const failedShown = 20

// EventResults lists them as a filter offers them.
func EventResults() []EventResult {
	return []EventResult{EventFailed, EventWaiting, EventHandled, EventAttached, EventIgnored, EventUnknown}
}

// ParseEventResult reads a filter; what is none of them chooses all.
func ParseEventResult(s string) EventResult {
	if !slices.Contains(EventResults(), EventResult(s)) {
		return AnyResult
	}
	return EventResult(s)
}

// Event is a received push or redirect as the console shows it. What it brought is
// wiped when it was dealt with; the masked fields stay.
type Event struct {
	ID         int64
	Type       onboard.EventType
	AppID      onboard.AppID // may be empty
	Name       string        // of the account, as WeChat tells it; may be empty
	AttemptID  string        // may be empty
	CreatedAt  time.Time     // by WeChat's clock; zero when it does not say
	ReceivedAt time.Time
	Tries      int
	DueAt      time.Time // while it waits: when it is tried next, or the lease of a try ends
	Outcome    onboard.Outcome
	Reason     string // of the last failure, see onboard.ArrivalEnd
	FinishedAt time.Time
	Kept       bool // the sealed content is still there
	Fields     []onboard.MaskedField
}

// Result is how the event stands.
func (e Event) Result() EventResult {
	switch e.Outcome {
	case "":
		return EventWaiting
	case onboard.Parked:
		return EventFailed
	case onboard.Attached:
		return EventAttached
	case onboard.Ignored:
		if !e.Type.ActedOn() {
			return EventUnknown
		}
		return EventIgnored
	}
	return EventHandled
}

// MayAgain reports whether a person may have the event handled again now: it
// failed, or it waits long for its next try.
func (e Event) MayAgain(now time.Time) bool {
	return e.Kept && (e.Outcome == onboard.Parked || e.Outcome == "" && e.DueAt.After(now.Add(onboard.ArrivalLease)))
}

// EventFilter chooses received events. Zero members choose all.
type EventFilter struct {
	Type     onboard.EventType
	AppID    onboard.AppID
	Result   EventResult
	From     time.Time // received then or later
	Until    time.Time // received before
	Before   int64     // with a smaller ID, for the next page
	NoFailed bool
	Limit    int
}

// EventStore reads what was received.
type EventStore interface {
	// Events lists those of a filter, the newest first.
	Events(ctx context.Context, f EventFilter) ([]Event, error)
	// Event reads one.
	Event(ctx context.Context, id int64) (Event, error)
	// EventTypes lists the different types that were received.
	EventTypes(ctx context.Context) ([]onboard.EventType, error)
	// FailedEvents counts those that wait for a person, up to limit.
	FailedEvents(ctx context.Context, limit int) (int64, error)
}

// EventList is one page of events.
type EventList struct {
	Failed []Event // on the first page, unless the filter asks for a result
	Rows   []Event
	Next   int64 // to go on before; 0 at the end
	Types  []onboard.EventType
	More   bool // there are more failed ones than are listed
}

// Events reads one page of f.Limit events, failed ones first.
func (s *Service) Events(ctx context.Context, f EventFilter) (l EventList, err error) {
	if l.Types, err = s.store.EventTypes(ctx); err != nil {
		return l, err
	}
	if f.Result == AnyResult {
		f.NoFailed = true
		if f.Before == 0 {
			failed := f
			failed.Result, failed.NoFailed, failed.Limit = EventFailed, false, failedShown+1
			if l.Failed, err = s.store.Events(ctx, failed); err != nil {
				return l, err
			}
			if l.More = len(l.Failed) > failedShown; l.More {
				l.Failed = l.Failed[:failedShown]
			}
		}
	}
	page := f.Limit
	f.Limit++ // one more tells whether there is another page
	if l.Rows, err = s.store.Events(ctx, f); err != nil {
		return l, err
	}
	if len(l.Rows) > page {
		l.Rows = l.Rows[:page]
		l.Next = l.Rows[page-1].ID
	}
	return l, nil
}

// Event reads one; an id that is not there is NotFound.
func (s *Service) Event(ctx context.Context, id int64) (Event, error) {
	e, err := s.store.Event(ctx, id)
	return e, found(err)
}

// FailedEvents counts those that wait for a person, up to limit.
func (s *Service) FailedEvents(ctx context.Context, limit int) (int64, error) {
	return s.store.FailedEvents(ctx, limit)
}
