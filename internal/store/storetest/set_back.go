package storetest

import (
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// setBack has everything written at noon and the clock set back to the morning.
func (s *suite) setBack() {
	noon, morning := 12*time.Hour, 9*time.Hour
	changed, err := s.SaveSetBack(s.ctx, at(morning), false)
	s.ok(err)
	s.same("SaveSetBack of a new database", changed, false)

	s.authorize("code", arrived("wx1", func(a *onboard.Arrived) { a.At, a.Now, a.DueAt = at(noon), at(noon), at(noon+time.Hour) }))
	must(s.ClaimDue(s.ctx, at(noon+time.Hour), at(noon+2*time.Hour), 9))(s)
	must(s.SaveArrival(s.ctx, onboard.Arrival{Digest: "1", Type: onboard.AuthorizedEvent, ReceivedAt: at(noon)}))(s)
	must(s.ClaimExchange(s.ctx, "held", "", at(noon), at(noon+time.Minute)))(s)
	fence, _, err := s.ClaimPlatformToken(s.ctx, at(noon), at(noon+time.Minute))
	s.ok(err)
	s.ok(s.SavePlatformToken(s.ctx, onboard.PlatformToken{Value: secret.New("p"), FetchedAt: at(noon), ExpiresAt: at(noon + 2*time.Hour), Fence: fence}))
	must(s.SaveTicket(s.ctx, onboard.Ticket{Value: secret.New("t"), CreatedAt: wechat(noon), ReceivedAt: at(noon)}))(s)

	changed, err = s.SaveSetBack(s.ctx, at(noon+time.Second), false)
	s.ok(err)
	s.same("SaveSetBack when nothing lies in the future", changed, false)
	changed, err = s.SaveSetBack(s.ctx, at(morning), false)
	s.ok(err)
	s.same("SaveSetBack when a ticket came in the future", changed, true)
	changed, err = s.SaveSetBack(s.ctx, at(morning), false)
	s.ok(err)
	s.same("SaveSetBack again", changed, false)

	s.same("accounts due", dues(must(s.ClaimDue(s.ctx, at(morning), at(morning+time.Minute), 9))(s)), []onboard.AppID{"wx1"})
	s.same("arrivals due", len(must(s.ClaimArrivals(s.ctx, at(morning), at(morning+time.Minute), 9, ""))(s)), 1)
	s.same("the exchange is free", must(s.ClaimExchange(s.ctx, "held", "", at(morning), at(morning+time.Minute)))(s).Won, true)
	s.same("the platform's token has ended", must(s.PlatformToken(s.ctx))(s).ExpiresAt.IsZero(), true)
	s.same("the ticket counts from now", must(s.Tickets(s.ctx))(s)[0].ReceivedAt, at(morning))

	changed, err = s.SaveSetBack(s.ctx, at(morning-time.Hour), true)
	s.ok(err)
	s.same("SaveSetBack that is certain", changed, true)
}
