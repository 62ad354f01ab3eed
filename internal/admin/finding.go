package admin

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Level is how much a finding matters.
type Level int

// The levels, the worst first.
const (
	Blocking Level = iota // nobody can be authorized
	Wrong                 // something does not work or soon will not
	Hint                  // worth a look; not counted
)

// FindingName names what is wrong.
type FindingName string

// The findings. Their sentences are health.finding.<name>.
const (
	NoCredentials   FindingName = "credentials"
	NoTicket        FindingName = "no_ticket"
	OldTicket       FindingName = "ticket_stopped"
	LateTicket      FindingName = "ticket_aging"
	ExpiredTicket   FindingName = "ticket_expired"
	Unreachable     FindingName = "unreachable"
	AddressRefused  FindingName = "ip"
	AppIDWrong      FindingName = "appid"
	SecretWrong     FindingName = "secret"
	NoToken         FindingName = "no_token"
	UsedUp          FindingName = "quota"
	NotPublished    FindingName = "unpublished"
	CannotDecrypt   FindingName = "decrypt"
	BadSignature    FindingName = "signature"
	OtherPlatform   FindingName = "other_appid"
	UnreadablePush  FindingName = "unreadable"
	NoKeys          FindingName = "no_keys"
	Parked          FindingName = "parked"
	AddressNotReach FindingName = "address"
	Damaged         FindingName = "damaged"
)

// Finding is one thing that is wrong, with what is known about it.
type Finding struct {
	Name  FindingName
	Level Level
	Check Check // where a check found it
	N     int   // how often; 0 where it does not say anything
	Since time.Time
}

// recently is for how long a refusal that no success takes back is worth a word.
const recently = 24 * time.Hour

// pushFindings says what a class of refused pushes means.
var pushFindings = map[string]FindingName{
	"signature": BadSignature, "decrypt": CannotDecrypt, "appid": OtherPlatform,
	"content": UnreadablePush, "time": UnreadablePush, "keys": NoKeys,
}

// Findings lists what is wrong, the worst first.
func (h Health) Findings() []Finding {
	var all []Finding
	add := func(f Finding) { all = append(all, f) }
	if c := h.Checks[CheckDatabase]; c.Failing() {
		add(Finding{Name: Damaged, Level: Blocking, Check: c, Since: c.Since})
	}
	if len(h.Missing) > 0 {
		add(Finding{Name: NoCredentials, Level: Blocking, N: len(h.Missing)})
	}
	blocked := false // for a cause that WeChat named
	for name, finding := range map[CheckName]FindingName{CheckReach: Unreachable, CheckAllowList: AddressRefused, CheckAppID: AppIDWrong, CheckSecret: SecretWrong} {
		if c := h.Checks[name]; c.Failing() {
			add(Finding{Name: finding, Level: Blocking, Check: c, N: c.Times, Since: c.Since})
			blocked = true
		}
	}
	ticket := Finding{Since: h.TicketAt}
	switch h.Ticket {
	case TicketNever:
		ticket.Name, ticket.Level = NoTicket, Blocking
	case TicketExpired:
		ticket.Name, ticket.Level = ExpiredTicket, Blocking
	case TicketStopped:
		ticket.Name, ticket.Level = OldTicket, Wrong
	case TicketAging:
		ticket.Name, ticket.Level = LateTicket, Hint
	case TicketFresh:
		if !blocked && len(h.Missing) == 0 && !h.TokenUntil.After(h.Now) && h.Now.Sub(h.TicketAt) > time.Minute {
			add(Finding{Name: NoToken, Level: Blocking, Since: h.TokenUntil})
		}
	}
	if ticket.Name != "" && (ticket.Name != NoTicket || len(h.Missing) == 0) {
		add(ticket)
	}
	reset := h.Checks[CheckQuota("clear_quota/v2")].OKAt
	for _, c := range h.Checks {
		// The day's calls come back by themselves, or by a reset.
		if c.quotaAPI() != "" && c.Failing() && !c.FailedAt.Before(midnight(h.Now)) && c.FailedAt.After(reset) {
			c.What = c.quotaAPI()
			add(Finding{Name: UsedUp, Level: Wrong, Check: c, Since: c.Since})
		}
	}
	if c := h.Checks[CheckPublished]; c.Failing() && h.Now.Sub(c.FailedAt) < recently {
		add(Finding{Name: NotPublished, Level: Wrong, Check: c, N: c.Times, Since: c.Since})
	}
	if c := h.Checks[CheckAddress]; c.Failing() {
		add(Finding{Name: AddressNotReach, Level: Wrong, Check: c, Since: c.Since})
	}
	all = append(all, h.refusals()...)
	if h.Parked > 0 {
		add(Finding{Name: Parked, Level: Wrong, N: h.Parked})
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(order[a.Name], order[b.Name]), cmp.Compare(a.Check.Name, b.Check.Name))
	})
	return all
}

// refusals are findings about pushes. A stranger can send a push with a bad
// signature, so one counts only while no good push has come since.
func (h Health) refusals() (all []Finding) {
	by := map[FindingName]Finding{}
	for class, r := range h.Refusals {
		name, known := pushFindings[class]
		if !known || name == NoKeys && len(h.Missing) > 0 {
			continue
		}
		f := by[name]
		f.Name, f.N = name, f.N+r.N
		if r.LastAt.After(f.Since) {
			f.Since = r.LastAt
		}
		by[name] = f
	}
	for _, f := range slices.SortedFunc(maps.Values(by), func(a, b Finding) int { return cmp.Compare(a.Name, b.Name) }) {
		f.Level = Hint
		if f.Since.After(h.TicketAt) && h.Ticket != TicketFresh {
			f.Level = Wrong
		}
		all = append(all, f)
	}
	return all
}

// order is that of causes before effects.
var order = map[FindingName]int{
	Damaged: 0, NoCredentials: 1, Unreachable: 2, AddressRefused: 3, AppIDWrong: 4, SecretWrong: 5, ExpiredTicket: 6, NoTicket: 7, NoToken: 8,
	OldTicket: 9, NoKeys: 10, CannotDecrypt: 11, BadSignature: 12, OtherPlatform: 13, UnreadablePush: 14, UsedUp: 15, NotPublished: 16,
	AddressNotReach: 17, Parked: 18, LateTicket: 19,
}

// Verdict sums findings up: how many count, and whether one of them blocks.
func Verdict(all []Finding) (n int, blocking bool) {
	for _, f := range all {
		if f.Level != Hint {
			n++
		}
		blocking = blocking || f.Level == Blocking
	}
	return n, blocking
}
