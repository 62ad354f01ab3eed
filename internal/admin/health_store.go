package admin

import (
	"context"
	"time"

	"usher/internal/onboard"
)

// Beat is how often something happened in one minute.
type Beat struct {
	Minute time.Time // its beginning
	Kind   string
	N      int
	LastAt time.Time
}

// Load is what the database holds and has to do.
type Load struct {
	Waiting      int // arrivals that are not handled yet
	Parked       int // arrivals that wait for a person
	DatabaseSize int64
}

// HealthStore keeps what is known about the platform's health.
type HealthStore interface {
	// SavePulse adds counts and what was found out, in one transaction, and drops
	// counts of minutes before forget. Of one check the newer time counts whatever
	// the order of the calls; see [Check.Failing].
	SavePulse(ctx context.Context, beats []Beat, checks []Check, forget time.Time) error
	// Pulse sums the counts of the minutes from since by kind. Minute is zero.
	Pulse(ctx context.Context, since time.Time) ([]Beat, error)
	// Checks lists what is known, by name.
	Checks(ctx context.Context) ([]Check, error)
	// TicketTimes lists when tickets came since since, the oldest first; first is
	// when the oldest that is remembered came, zero for none.
	TicketTimes(ctx context.Context, since time.Time) (times []time.Time, first time.Time, err error)
	// Load reads what the database holds and has to do.
	Load(ctx context.Context) (Load, error)
	// CheckDatabase reads all of the database and returns what is damaged, empty for
	// nothing. The error is errors.ErrUnsupported where that is not ours to check.
	CheckDatabase(ctx context.Context) (damage string, err error)
	// SaveUsage keeps what WeChat said of the daily calls; Usage reads it, or
	// onboard.ErrNoRow.
	SaveUsage(ctx context.Context, all []onboard.Usage, at time.Time) error
	Usage(ctx context.Context) (all []onboard.Usage, at time.Time, err error)
}
