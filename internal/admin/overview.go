package admin

import (
	"context"
	"time"

	"usher/internal/onboard"
)

// Block is a reason for which attempts cannot go on, and when it was met last.
type Block struct {
	Key onboard.Key
	At  time.Time
}

// PlatformTimes say how the platform's way to WeChat is; both may be zero.
type PlatformTimes struct {
	Ticket    time.Time // when the newest ticket arrived
	TokenEnds time.Time // of the platform token in hand
}

// OverviewStore answers what needs attention beside accounts and invites.
type OverviewStore interface {
	// CountParked counts, up to limit, the received events that wait for a person.
	CountParked(ctx context.Context, limit int) (int, error)
	// Blocks lists why unfinished attempts cannot go on, as far as that was noted
	// after since.
	Blocks(ctx context.Context, since time.Time) ([]Block, error)
	PlatformTimes(ctx context.Context) (PlatformTimes, error)
}

// Cause is why something needs attention.
type Cause string

// The causes, in the order in which an overview lists them.
const (
	CauseNoTicket    Cause = "no_ticket"    // none was ever received
	CauseTicketEnded Cause = "ticket_ended" // the newest is too old to work with
	CauseTicketLate  Cause = "ticket_late"  // none for an hour, although one is due every ten minutes
	CauseNoToken     Cause = "no_token"     // there is a ticket and no platform token
	CauseBlocked     Cause = "blocked"      // merchants cannot begin; Attention.Block says why
	CauseStatus      Cause = "status"       // accounts have Attention.Status
	CauseParked      Cause = "parked"
	CauseLapsed      Cause = "lapsed"
)

// Attention is one group of things that need somebody.
type Attention struct {
	Cause  Cause
	Status Status      // of CauseStatus
	Block  onboard.Key // of CauseBlocked
	N      int         // how many; 1 for what is one thing
	More   bool        // there are more than N
	Since  time.Time   // zero when nobody noted it
}

// Platform reports whether it is about the way to WeChat, which everybody needs.
func (a Attention) Platform() bool {
	switch a.Cause {
	case CauseStatus, CauseParked, CauseLapsed:
		return false
	}
	return true
}

// Serious reports whether merchants or accounts are not served because of it.
func (a Attention) Serious() bool {
	switch a.Cause {
	case CauseTicketLate, CauseParked, CauseLapsed:
		return false
	case CauseStatus:
		return a.Status == Dead || a.Status == Suspended
	}
	return true
}

// Overview is what an admin sees first.
type Overview struct {
	Todo []Attention // the most urgent first
	// Total counts the accounts that are not hidden, Served those without trouble,
	// Waiting the invites that wait for a merchant.
	Total, Served, Waiting int
	MoreWaiting            bool
	// Began is false while there is neither an account nor an invite.
	Began    bool
	Ticket   time.Time // when the newest arrived; zero for never
	Platform bool      // the way to WeChat is clear
}

const (
	// ticketLate is after how long without a ticket somebody should look: WeChat
	// sends one every ten minutes.
	ticketLate = time.Hour
	// blockFor is how long a reason for which an attempt stopped counts as the
	// present one, when no later attempt told otherwise.
	blockFor = time.Hour
	// countTo is up to where an overview counts.
	countTo = 1000
)

// Overview looks what needs attention. It never asks WeChat.
func (s *Service) Overview(ctx context.Context) (o Overview, err error) {
	now := s.now()
	if err := s.platformTrouble(ctx, &o, now); err != nil {
		return o, err
	}
	total, _, by, err := s.AccountCounts(ctx)
	if err != nil {
		return o, err
	}
	o.Total, o.Served = total, by[Fine]
	for _, status := range Statuses() {
		if status.Acting() && by[status] > 0 {
			o.Todo = append(o.Todo, Attention{Cause: CauseStatus, Status: status, N: by[status]})
		}
	}
	add := func(cause Cause, n int) {
		if n > 0 {
			o.Todo = append(o.Todo, Attention{Cause: cause, N: min(n, countTo), More: n > countTo})
		}
	}
	parked, err := s.store.CountParked(ctx, countTo+1)
	if err != nil {
		return o, err
	}
	add(CauseParked, parked)
	lapsed, err := s.store.CountLapsed(ctx, now, countTo+1)
	if err != nil {
		return o, err
	}
	add(CauseLapsed, lapsed)
	waiting, err := s.store.CountInvites(ctx, now, countTo+1)
	if err != nil {
		return o, err
	}
	o.Waiting, o.MoreWaiting = min(waiting, countTo), waiting > countTo
	if o.Began = total+waiting+lapsed > 0; !o.Began {
		// Hidden accounts and old invites count too: the beginning is over.
		page, err := s.store.ListInvites(ctx, InviteQuery{Size: 1}, now)
		if err != nil {
			return o, err
		}
		hidden, err := s.store.ListAccounts(ctx, AccountQuery{AccountFilter: AccountFilter{Hidden: true}}.normal())
		if err != nil {
			return o, err
		}
		o.Began = len(page.Rows)+len(hidden.Rows) > 0
	}
	return o, nil
}

// platformTrouble says what keeps everybody from being served.
func (s *Service) platformTrouble(ctx context.Context, o *Overview, now time.Time) error {
	times, err := s.store.PlatformTimes(ctx)
	if err != nil {
		return err
	}
	blocks, err := s.store.Blocks(ctx, now.Add(-blockFor))
	if err != nil {
		return err
	}
	o.Ticket = times.Ticket
	age := now.Sub(times.Ticket)
	add := func(cause Cause, since time.Time) {
		o.Todo = append(o.Todo, Attention{Cause: cause, N: 1, Since: since})
	}
	switch {
	case times.Ticket.IsZero():
		add(CauseNoTicket, time.Time{})
	case age >= onboard.TicketLife:
		add(CauseTicketEnded, times.Ticket)
	case now.After(times.TokenEnds):
		add(CauseNoToken, times.TokenEnds)
	case age >= ticketLate:
		add(CauseTicketLate, times.Ticket)
	}
	for _, b := range blocks {
		switch b.Key {
		case onboard.KeyBlockedIP, onboard.KeyBlockedCredentials, onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat, onboard.KeyBlockedUnpublished:
			o.Todo = append(o.Todo, Attention{Cause: CauseBlocked, Block: b.Key, N: 1})
		}
	}
	o.Platform = len(o.Todo) == 0
	return nil
}

// Unreleased reports whether WeChat lately refused a merchant because the platform
// is not released for everybody.
func (s *Service) Unreleased(ctx context.Context) (bool, error) {
	blocks, err := s.store.Blocks(ctx, s.now().Add(-LapsedFor))
	for _, b := range blocks {
		if b.Key == onboard.KeyBlockedUnpublished {
			return true, nil
		}
	}
	return false, err
}
