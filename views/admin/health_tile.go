package adminviews

import (
	"context"
	"fmt"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
)

// tile is one of the four figures at the top.
type tile struct {
	label       i18n.Key
	class, pill string
	value, unit string
	note        string
}

func (m HealthPage) tiles(ctx context.Context) []tile {
	return []tile{m.ticketTile(ctx), m.tokenTile(ctx), m.accountTile(ctx), m.callTile(ctx)}
}

func (m HealthPage) ticketTile(ctx context.Context) tile {
	h := m.Setup.Health
	t := tile{label: i18n.HealthTicket, pill: i18n.T(ctx, i18n.Key("health.ticket."+string(h.Ticket))), value: "—", note: i18n.T(ctx, i18n.HealthTicketLife)}
	t.class = map[admin.TicketState]string{admin.TicketNever: "bad", admin.TicketFresh: "ok", admin.TicketAging: "warn", admin.TicketStopped: "bad", admin.TicketExpired: "bad"}[h.Ticket]
	if h.Ticket == admin.TicketNever {
		t.unit = i18n.T(ctx, i18n.HealthTicketNone)
		return t
	}
	age := h.Now.Sub(h.TicketAt)
	switch minutes := int(age / time.Minute); {
	case minutes < 1:
		t.value, t.unit = "<1", i18n.T(ctx, i18n.HealthTicketMinutes, "n", 0)
	case minutes < 120:
		t.value, t.unit = Number(minutes), i18n.T(ctx, i18n.HealthTicketMinutes, "n", minutes)
	default:
		t.value, t.unit = Number(minutes/60), i18n.T(ctx, i18n.HealthTicketHours, "n", minutes/60)
	}
	switch left := onboard.TicketLife - age; {
	case left <= 0:
		t.note = i18n.T(ctx, i18n.HealthTicketOver)
	case h.Ticket == admin.TicketStopped:
		t.note = i18n.T(ctx, i18n.HealthTicketLeft, "span", lasting(ctx, left))
	}
	return t
}

func (m HealthPage) tokenTile(ctx context.Context) tile {
	h := m.Setup.Health
	t := tile{label: i18n.HealthToken, class: "ok", pill: i18n.T(ctx, i18n.HealthTokenOK), note: i18n.T(ctx, i18n.HealthTokenNote)}
	left := h.TokenUntil.Sub(h.Now)
	switch {
	case left <= 0:
		t.class, t.pill, t.value, t.unit = "bad", i18n.T(ctx, i18n.HealthTokenNone), "—", i18n.T(ctx, i18n.HealthTokenOver)
		if h.Ticket == admin.TicketNever {
			t.class = "off"
		}
		return t
	case left < 10*time.Minute:
		t.class, t.pill = "warn", i18n.T(ctx, i18n.HealthTokenSoon)
	}
	t.value, t.unit = fmt.Sprintf("%d:%02d", int(left/time.Hour), int(left/time.Minute)%60), i18n.T(ctx, i18n.HealthTokenLeft)
	return t
}

// actingStatuses are those that the tile of accounts names.
var actingStatuses = []admin.Status{admin.Incomplete, admin.Dead, admin.Undecided, admin.Failing, admin.Suspended}

func (m HealthPage) accountTile(ctx context.Context) tile {
	h := m.Setup.Health
	t := tile{label: i18n.HealthAccounts, class: "ok", pill: i18n.T(ctx, i18n.HealthAccountsOK), value: Number(h.Accounts), unit: i18n.T(ctx, i18n.HealthAccountsUnit, "n", h.Accounts)}
	if h.Acting > 0 {
		t.class, t.pill = "warn", i18n.T(ctx, i18n.HealthAccountsActing, "n", h.Acting)
	}
	var why []string
	for _, s := range actingStatuses {
		if n := h.ByStatus[s]; n > 0 {
			why = append(why, i18n.T(ctx, i18n.Key("health.status."+s.String()), "n", n))
		}
	}
	t.note = strings.Join(why, " · ")
	return t
}

func (m HealthPage) callTile(ctx context.Context) tile {
	h := m.Setup.Health
	t := tile{label: i18n.HealthCalls, class: "off", pill: i18n.T(ctx, i18n.HealthCallsNone), value: Number(h.Failed), unit: i18n.T(ctx, i18n.HealthCallsUnit, "n", h.Failed), note: i18n.T(ctx, i18n.HealthCallsCodes, "n", h.PreAuthCodes)}
	if h.Calls > 0 {
		share := 1000 * (h.Calls - h.Failed) / h.Calls // rounded down: 100 % means all
		t.pill = fmt.Sprintf("%d.%d%%", share/10, share%10)
		if share == 1000 {
			t.pill = "100%"
		}
		switch {
		case share >= 990:
			t.class = "ok"
		case share >= 900:
			t.class = "warn"
		default:
			t.class = "bad"
		}
	}
	return t
}
