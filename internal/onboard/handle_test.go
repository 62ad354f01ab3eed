package onboard

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/secret"
)

// shelf keeps tickets and nothing else.
type shelf struct {
	Store
	broken string // the ticket that cannot be stored
	saved  []string
}

func (s *shelf) SaveTicket(_ context.Context, t Ticket) (bool, error) {
	if t.Value.Reveal() == s.broken {
		return false, errors.New("disk full")
	}
	s.saved = append(s.saved, t.Value.Reveal())
	return true, nil
}

// Tickets fails, so that no platform token is fetched: that is not looked at here.
func (s *shelf) Tickets(context.Context) ([]Ticket, error) { return nil, errors.New("not asked for") }

// reluctant does not take what became of arrivals at first.
type reluctant struct {
	Store
	refuses int
	batch   []Arrival
	ended   []ArrivalEnd
}

func (r *reluctant) ClaimArrivals(context.Context, time.Time, time.Time, int, string) ([]Arrival, error) {
	batch := r.batch
	r.batch = nil
	return batch, nil
}

func (r *reluctant) FinishArrivals(ctx context.Context, ends []ArrivalEnd, _ time.Time) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.refuses--; r.refuses >= 0 {
		return errors.New("connection refused")
	}
	r.ended = ends
	return nil
}

// TestHandleArrivals_Recorded: what was done is recorded once the database takes it
// again, within seconds and although the caller has left.
func TestHandleArrivals_Recorded(t *testing.T) {
	for refuses, recorded := range map[int]bool{0: true, 4: true, 1000: false} {
		synctest.Test(t, func(t *testing.T) {
			kept := &reluctant{refuses: refuses, batch: []Arrival{{ID: 7, Type: "unheard_of"}}}
			s := NewService(Options{Store: kept, Parse: func([]byte) (Event, error) { return Event{}, nil }})
			begun := time.Now()
			left, leave := context.WithCancel(t.Context())
			leave()
			err := s.HandleArrivals(left)
			took := time.Since(begun)
			if (err == nil) != recorded || (len(kept.ended) == 1) != recorded || took > 5*time.Second {
				t.Errorf("HandleArrivals of a database that refuses %d times = %v after %v, recorded %v", refuses, err, took, kept.ended)
			}
		})
	}
}

// held has an exchange that somebody else is at.
type held struct{ Store }

func (held) ClaimExchange(context.Context, string, string, time.Time, time.Time) (ExchangeClaim, error) {
	return ExchangeClaim{Tries: 1}, nil
}

// TestHandleOne_NotYet: while somebody else is at an exchange, the other witness
// looks again every second or two, however long it takes, and that counts as no try:
// when its turn comes, its first failure is its first.
func TestHandleOne_NotYet(t *testing.T) {
	now := time.Unix(1790000000, 0)
	s := NewService(Options{Store: held{}, Now: func() time.Time { return now }})
	for _, tries := range []int{1, 5, 11, 12, 100} {
		end := s.handleOne(t.Context(), Arrival{Type: RedirectEvent, CodeHash: "c", Payload: secret.New("code"), Tries: tries, ReceivedAt: now})
		if wait := end.RetryAt.Sub(now); end.Outcome != "" || !end.Untried || wait < time.Second || wait > 2*time.Second {
			t.Errorf("after %d tries it ends with %q, untried %v, and is looked at again in %v", tries, end.Outcome, end.Untried, wait)
		}
	}
}

// refusing has an exchange that fails.
type refusing struct {
	Store
	err error
}

func (r refusing) ClaimExchange(context.Context, string, string, time.Time, time.Time) (ExchangeClaim, error) {
	return ExchangeClaim{}, r.err
}

// TestHandleOne_Parks: an arrival waits for a person after twelve tries and two hours,
// so that one refusal after an outage, which used up the tries, does not bring it to
// that; and while WeChat is away not before three days.
func TestHandleOne_Parks(t *testing.T) {
	now := time.Unix(1790000000, 0)
	refused, away := errors.New("refused"), error(&UpstreamError{API: "api_query_auth", Reaction: Backoff})
	for _, tt := range []struct {
		err   error
		tries int
		age   time.Duration
		want  Outcome
	}{
		{refused, 12, 30 * time.Minute, ""},
		{refused, 11, 3 * time.Hour, ""},
		{refused, 12, 2 * time.Hour, Parked},
		{away, 100, 71 * time.Hour, ""},
		{away, 100, 73 * time.Hour, Parked},
	} {
		s := NewService(Options{Store: refusing{err: tt.err}, Now: func() time.Time { return now }})
		end := s.handleOne(t.Context(), Arrival{Type: RedirectEvent, CodeHash: "c", Payload: secret.New("code"), Tries: tt.tries, ReceivedAt: now.Add(-tt.age)})
		if end.Outcome != tt.want || tt.want == "" && !end.RetryAt.After(now) {
			t.Errorf("after %d tries in %v (%v) it ends with %q and is looked at again at %v, want %q", tt.tries, tt.age, tt.err, end.Outcome, end.RetryAt, tt.want)
		}
	}
}

// TestHandleGroup_Tickets: of a backlog of tickets one write keeps the newest;
// when that fails it is tried again later, and the one before is kept meanwhile.
func TestHandleGroup_Tickets(t *testing.T) {
	tests := []struct {
		name, broken string
		saved        []string
		outcomes     []Outcome // newest first
	}{
		{"all well", "", []string{"c"}, []Outcome{Handled, Ignored, Ignored}},
		{"the newest cannot be stored", "c", []string{"b"}, []Outcome{"", Handled, Ignored}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept := &shelf{broken: tt.broken}
			at := time.Unix(1790000000, 0)
			s := NewService(Options{
				Store: kept, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
				Parse: func(inner []byte) (Event, error) {
					return Event{Type: TicketEvent, Ticket: secret.New(string(inner))}, nil
				},
			})
			var group []Arrival
			for i, value := range []string{"a", "b", "c"} {
				group = append(group, Arrival{ID: int64(i), Type: TicketEvent, CreatedAt: at.Add(time.Duration(i) * time.Second), Payload: secret.New(value)})
			}
			var outcomes []Outcome
			for _, e := range s.handleGroup(t.Context(), group) {
				outcomes = append(outcomes, e.Outcome)
				if (e.Outcome == "") != (e.RetryAt.After(time.Now().Add(-time.Minute))) {
					t.Errorf("arrival %d ended with %q, due again at %v", e.ID, e.Outcome, e.RetryAt)
				}
			}
			if !slices.Equal(outcomes, tt.outcomes) || !slices.Equal(kept.saved, tt.saved) {
				t.Errorf("handleGroup = %q and saved %q, want %q and %q", outcomes, kept.saved, tt.outcomes, tt.saved)
			}
		})
	}
}
