package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A queuedPush is one event on its way to the authorization event URL.
type queuedPush struct {
	infoType, account string // account is empty for tickets
	xml               string
	due               time.Time
	tries             int // how often it was sent already
}

// cdata wraps v so that whatever it holds stays text.
func cdata(v string) string {
	return "<![CDATA[" + strings.ReplaceAll(v, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// event writes the plain XML of an event; fields are name and value in turn.
func (s *Simulator) event(infoType string, fields ...string) string {
	var b strings.Builder
	created := s.now().Add(s.faults.Push.Skew).Unix()
	fmt.Fprintf(&b, "<xml><AppId>%s</AppId>\n<CreateTime>%d</CreateTime>\n<InfoType>%s</InfoType>\n", cdata(s.cfg.AppID), created, cdata(infoType))
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "<%s>%s</%s>\n", fields[i], fields[i+1], fields[i])
	}
	b.WriteString("</xml>")
	return b.String()
}

// ticketPush issues a ticket and returns the push that tells it.
func (s *Simulator) ticketPush() queuedPush {
	t := ticket{newTicket(), s.now()}
	s.tickets = append(s.tickets, t)
	if len(s.tickets) > 200 { // more than the 12 hours that any of them lives
		s.tickets = slices.Delete(s.tickets, 0, len(s.tickets)-200)
	}
	const name = "component_verify_ticket"
	return queuedPush{infoType: name, xml: s.event(name, "ComponentVerifyTicket", cdata(t.value)), due: t.at}
}

// grantPush is the authorized or updateauthorized event about g. A grant that
// came from no link has no PreAuthCode.
func (s *Simulator) grantPush(infoType string, g *grant, code string) queuedPush {
	fields := []string{
		"AuthorizerAppid", cdata(g.account.appID),
		"AuthorizationCode", cdata(code),
		"AuthorizationCodeExpiredTime", fmt.Sprint(s.authCodes[code].expires.Unix()),
	}
	if g.preAuthCode != "" {
		fields = append(fields, "PreAuthCode", cdata(g.preAuthCode))
	}
	return queuedPush{infoType: infoType, account: g.account.appID, xml: s.event(infoType, fields...), due: s.now()}
}

// revokePush is the unauthorized event about a.
func (s *Simulator) revokePush(a *account) queuedPush {
	const name = "unauthorized"
	return queuedPush{infoType: name, account: a.appID, xml: s.event(name, "AuthorizerAppid", cdata(a.appID)), due: s.now()}
}

// queueDueTicket queues a ticket when one is due.
func (s *Simulator) queueDueTicket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.options.TicketsStopped || now.Before(s.nextTicket) {
		return
	}
	s.nextTicket = now.Add(s.cfg.TicketEvery)
	s.enqueue(s.ticketPush())
}

// idle is how long Run may sleep.
func (s *Simulator) idle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	wait := time.Hour
	if !s.options.TicketsStopped {
		wait = s.nextTicket.Sub(now)
	}
	for _, p := range s.queue {
		wait = min(wait, p.due.Sub(now))
	}
	return max(wait, 0)
}

// enqueue puts p and its duplicates in the queue, late or not at all as the
// faults say, and wakes Run.
func (s *Simulator) enqueue(p queuedPush) {
	f := &s.faults.Push
	if f.Drop > 0 || f.DropShare > 0 && s.hits(f.DropShare) {
		f.Drop = max(0, f.Drop-1)
		s.record(Delivery{At: s.now(), InfoType: p.infoType, Account: p.account, Outcome: "dropped"})
		return
	}
	for range 1 + f.Duplicate {
		one := p
		if p.account != "" {
			one.due = p.due.Add(f.Delay + s.upTo(f.Spread))
		}
		s.queue = append(s.queue, one)
	}
	s.nudge()
}

// PushTicket issues a new ticket and pushes it now. It fails when the client
// did not accept it.
func (s *Simulator) PushTicket(ctx context.Context) error {
	return s.pushNow(ctx, func() error {
		s.nextTicket = s.now().Add(s.cfg.TicketEvery)
		s.enqueue(s.ticketPush())
		return nil
	})
}

// Revoke lets the merchant cancel the authorization in its own console and
// pushes unauthorized. It fails when the account is not authorized or the client
// did not accept the push.
func (s *Simulator) Revoke(ctx context.Context, appID string) error {
	return s.pushNow(ctx, func() error {
		a, err := s.authorized(appID)
		if err == nil {
			s.drop(a)
			s.enqueue(s.revokePush(a))
		}
		return err
	})
}

// ChangePermissions lets the merchant edit what it grants in its own console.
// If the sets differ, updateauthorized is pushed with a new authorization code
// and a PreAuthCode that is not one of ours, since no link was used; if they do
// not, nothing is pushed, as documented. ids nil means all the account can give.
func (s *Simulator) ChangePermissions(ctx context.Context, appID string, ids []int) error {
	return s.pushNow(ctx, func() error {
		a, err := s.authorized(appID)
		if err == nil {
			ids, err = s.allowed(a, ids, nil)
		}
		if err == nil && !slices.Equal(slices.Sorted(slices.Values(ids)), a.grant.sets) {
			g, _, code, _ := s.issue(a, ids, newPreAuthCode())
			s.enqueue(s.grantPush("updateauthorized", g, code))
		}
		return err
	})
}

// AuthorizeSilently authorizes the account without any link, as when a WeChat
// Shop buys the platform's service in the market: the push is all the client
// sees, and it names no PreAuthCode.
func (s *Simulator) AuthorizeSilently(ctx context.Context, appID string, ids []int) error {
	return s.pushNow(ctx, func() error {
		a, err := s.eligibleAccount(appID)
		if err == nil {
			ids, err = s.allowed(a, ids, nil)
		}
		if err == nil {
			s.announce(a, ids, "")
		}
		return err
	})
}

// announce authorizes a and queues the push about it: authorized the first
// time, updateauthorized when the sets changed, none when they did not. It
// returns the code for the redirect.
func (s *Simulator) announce(a *account, ids []int, preAuthCode string) (redirectCode string) {
	infoType := "authorized"
	if a.grant != nil {
		infoType = "updateauthorized"
	}
	g, redirectCode, pushCode, changed := s.issue(a, ids, preAuthCode)
	if changed || infoType == "authorized" {
		s.enqueue(s.grantPush(infoType, g, pushCode))
	}
	return redirectCode
}

// allowed checks ids against what a may grant out of wanted; nil ids means all.
func (s *Simulator) allowed(a *account, ids, wanted []int) ([]int, error) {
	free, _ := a.offer(wanted, s.cfg.PermissionSets)
	var can []int
	for _, p := range free {
		can = append(can, p.id)
	}
	if ids == nil {
		return can, nil
	}
	for _, id := range ids {
		if !slices.Contains(can, id) {
			return nil, fmt.Errorf("simulator: account %q cannot grant set %d", a.appID, id)
		}
	}
	return slices.Clone(ids), nil
}

func (s *Simulator) eligibleAccount(appID string) (*account, error) {
	a := s.account(appID)
	if a == nil {
		return nil, fmt.Errorf("simulator: no account %q", appID)
	}
	if !a.eligible() {
		return nil, fmt.Errorf("simulator: account %q cannot authorize in its state", appID)
	}
	return a, nil
}
