package onboard

import (
	"context"
)

// Readiness says whether new merchants can be authorized, and if not, why.
type Readiness struct {
	OK      bool
	Reasons []string // "store", "migrations", "damaged", "no_ticket", "ticket_expired"
}

// Ready looks at the store and at the ticket. It never calls WeChat: a monitor
// asks often.
func (s *Service) Ready(ctx context.Context) Readiness {
	now := s.now()
	h, err := s.store.Health(ctx, now)
	if err != nil {
		s.log.ErrorContext(ctx, "the store is not healthy", "err", err)
		return Readiness{Reasons: []string{"store"}}
	}
	var r Readiness
	if !h.Migrated {
		r.Reasons = append(r.Reasons, "migrations")
	}
	if h.Damaged { // what is stored from now on may be lost with the rest
		r.Reasons = append(r.Reasons, "damaged")
	}
	switch {
	case h.Ticket.ReceivedAt.IsZero():
		r.Reasons = append(r.Reasons, "no_ticket")
	case now.Sub(h.Ticket.ReceivedAt) >= TicketLife:
		r.Reasons = append(r.Reasons, "ticket_expired")
	}
	r.OK = len(r.Reasons) == 0
	return r
}
