package admin

import (
	"context"
	"strings"
	"time"

	"usher/internal/onboard"
)

// TicketState is how old the newest ticket is, in one word.
type TicketState string

// The states of the ticket.
const (
	TicketNever   TicketState = "never"
	TicketFresh   TicketState = "fresh"   // 15 minutes at most
	TicketAging   TicketState = "aging"   // an hour at most
	TicketStopped TicketState = "stopped" // longer
	TicketExpired TicketState = "expired" // WeChat does not accept it any more
)

// Ages at which a ticket changes its state. WeChat pushes one every ten minutes.
const (
	ticketFresh = 15 * time.Minute
	ticketAging = time.Hour
)

// TicketStateOf says how old a ticket that was received at is.
func TicketStateOf(at, now time.Time) TicketState {
	age := now.Sub(at)
	switch {
	case at.IsZero():
		return TicketNever
	case age <= ticketFresh:
		return TicketFresh
	case age <= ticketAging:
		return TicketAging
	case age < onboard.TicketLife:
		return TicketStopped
	}
	return TicketExpired
}

// ticketSeen is the time of the newest ticket as it was read last.
type ticketSeen struct{ read, received time.Time }

// TicketNow says how old the newest ticket is. It is asked for by every page, so it
// may be some seconds behind.
func (s *Service) TicketNow(ctx context.Context) (TicketState, error) {
	now := s.now()
	seen := s.ticket.Load()
	if seen == nil || now.Sub(seen.read) > countFor || now.Before(seen.read) {
		p, err := s.store.PlatformTimes(ctx)
		if err != nil {
			return "", err
		}
		seen = &ticketSeen{read: now, received: p.Ticket}
		s.ticket.Store(seen)
	}
	return TicketStateOf(seen.received, now), nil
}

// RefusedPushes is how many pushes were refused for one reason within an hour.
type RefusedPushes struct {
	N      int
	LastAt time.Time
}

// Health is what is known about the platform. It is read from the store alone:
// nothing in it asks WeChat.
type Health struct {
	Load
	Now        time.Time
	TicketAt   time.Time // when the newest ticket was received; zero for never
	TokenUntil time.Time // until when the platform token lives
	Ticket     TicketState
	Heartbeat  Heartbeat
	Checks     map[CheckName]Check
	// Of the last hour.
	Calls, Failed int
	Refusals      map[string]RefusedPushes // by class of the refusal
	// PreAuthCodes were minted since midnight in China.
	PreAuthCodes int
	// Missing are the credentials that are not set.
	Missing []CredentialName
	// Accounts that are not hidden, those that somebody has to act on, and why.
	Accounts, Acting int
	ByStatus         map[Status]int
}

// china is where WeChat's days begin.
var china = time.FixedZone("UTC+8", 8*60*60)

func midnight(now time.Time) time.Time {
	y, m, d := now.In(china).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, china)
}

// Health reads what is known about the platform.
func (s *Service) Health(ctx context.Context) (Health, error) {
	now := s.now()
	h := Health{Now: now, Checks: map[CheckName]Check{}, Refusals: map[string]RefusedPushes{}}
	platform, err := s.store.PlatformTimes(ctx)
	if err != nil {
		return h, err
	}
	if h.Load, err = s.store.Load(ctx); err != nil {
		return h, err
	}
	h.TicketAt, h.TokenUntil = platform.Ticket, platform.TokenEnds
	h.Ticket = TicketStateOf(h.TicketAt, now)
	times, first, err := s.store.TicketTimes(ctx, now.Add(-HeartbeatSlots*HeartbeatSlot-ticketAging))
	if err != nil {
		return h, err
	}
	h.Heartbeat = NewHeartbeat(times, first, now)
	checks, err := s.store.Checks(ctx)
	if err != nil {
		return h, err
	}
	inUse := s.secretInUse()
	for _, c := range checks {
		// What is known of another secret says nothing.
		if c.Name != CheckSecret || c.Subject == inUse {
			h.Checks[c.Name] = c
		}
	}
	hour, err := s.store.Pulse(ctx, now.Add(-time.Hour))
	if err != nil {
		return h, err
	}
	for _, b := range hour {
		switch class, refused := strings.CutPrefix(b.Kind, beatRefused); {
		case refused:
			h.Refusals[class] = RefusedPushes{b.N, b.LastAt}
		case b.Kind == beatCall:
			h.Calls = b.N
		case b.Kind == beatFailed:
			h.Failed = b.N
		}
	}
	today, err := s.store.Pulse(ctx, midnight(now))
	if err != nil {
		return h, err
	}
	for _, b := range today {
		if b.Kind == beatPreAuth {
			h.PreAuthCodes = b.N
		}
	}
	credentials := s.Credentials()
	for _, name := range []CredentialName{ComponentSecret, PushToken, AESKey} {
		if credentials[name].Value.Empty() {
			h.Missing = append(h.Missing, name)
		}
	}
	h.Accounts, h.Acting, h.ByStatus, err = s.AccountCounts(ctx)
	return h, err
}

// Address is ours as WeChat named it when it refused it; empty when it never did.
func (h Health) Address() string { return h.Checks[CheckAllowList].Address }
