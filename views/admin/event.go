package adminviews

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// EventsPage lists what was received.
type EventsPage struct {
	Frame
	admin.EventList
	// The filter as it was typed.
	Type, Account, Result, From, Until string
	Past                               bool // not the first page
	Faults                             Faults
}

// EventPage is one received event.
type EventPage struct {
	Frame
	admin.Event
	Attempt     *onboard.Attempt // it belongs to; nil for none that is known
	AccountPath string           // of its page; empty when there is none
	AttemptPath string           // likewise
}

// EventPath is the address of one event.
func EventPath(id int64) string { return EventsPath + "/" + strconv.FormatInt(id, 10) }

// query is the filter as it stands in an address.
func (m EventsPage) query(extra ...string) string {
	q := url.Values{}
	pairs := append([]string{"type", m.Type, "account", m.Account, "result", m.Result, "from", m.From, "until", m.Until}, extra...)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// results are those that a filter offers.
func results() []string {
	var all []string
	for _, r := range admin.EventResults() {
		all = append(all, string(r))
	}
	return all
}

// types are those that a filter offers, the chosen one among them.
func (m EventsPage) types() []string {
	var all []string
	for _, t := range m.Types {
		all = append(all, string(t))
	}
	if m.Type != "" && !slices.Contains(all, m.Type) {
		all = append(all, m.Type)
	}
	return all
}

// eventWord names a type of event. One without words of its own is shown as it is.
func eventWord(ctx context.Context, t string) string {
	if key := i18n.Key("events.type." + t); i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return views.DisplayName(t)
}

func resultWord(ctx context.Context, r string) string {
	return i18n.T(ctx, i18n.Key("events.result."+r))
}

func resultClass(r admin.EventResult) string {
	switch r {
	case admin.EventFailed:
		return "bad"
	case admin.EventWaiting:
		return "wait"
	case admin.EventHandled, admin.EventAttached:
		return "ok"
	}
	return "off"
}

// reasonWords say what failed and, where that is known, why: from the class and
// the code that are kept of it, see onboard.ArrivalEnd.
func reasonWords(ctx context.Context, reason string) (what, why string) {
	if reason == "" {
		return "", ""
	}
	if key := i18n.Key("events.reason." + reason); i18n.Has(key) {
		return i18n.T(ctx, key), ""
	}
	if key := i18n.Key(reason); i18n.Has(key) {
		return i18n.T(ctx, key), ""
	}
	api, rest, _ := strings.Cut(reason, " ")
	if rest == "gave no readable answer" {
		return i18n.T(ctx, i18n.EventsReasonUnreadable, "api", views.DisplayName(api)), ""
	}
	code, _, _ := strings.Cut(rest, " ")
	if _, err := strconv.Atoi(code); err != nil {
		return views.DisplayName(reason), ""
	}
	what = i18n.T(ctx, i18n.EventsReasonCode, "api", views.DisplayName(api), "code", code)
	if code == "-1" {
		code = "busy"
	}
	if key := i18n.Key("events.code." + code); i18n.Has(key) {
		why = i18n.T(ctx, key)
	}
	return what, why
}

// open reports whether an event is not dealt with, so that its reason matters.
func open(e admin.Event) bool {
	return e.Result() == admin.EventFailed || e.Result() == admin.EventWaiting
}

// shortReason is what a list has room for.
func shortReason(ctx context.Context, reason string) string {
	what, why := reasonWords(ctx, reason)
	if why != "" {
		return why
	}
	return what
}

// rid is WeChat's id of the request that failed, for its support.
func rid(reason string) string {
	_, id, _ := strings.Cut(reason, " rid ")
	return id
}

// maskedWords show a field of a push.
func maskedWords(ctx context.Context, f onboard.MaskedField) string {
	switch {
	case f.Length == 0:
		return views.DisplayName(f.Value)
	case f.Print == "":
		return i18n.T(ctx, i18n.EventsHiddenShort, "n", f.Length)
	}
	return i18n.T(ctx, i18n.EventsHidden, "n", f.Length, "print", f.Print)
}

func noteClass(r admin.EventResult) string {
	switch r {
	case admin.EventFailed:
		return "bad"
	case admin.EventWaiting:
		return "warn"
	case admin.EventHandled, admin.EventAttached:
		return "ok"
	}
	return "info"
}

// attemptWords name the attempt that an event belongs to.
func attemptWords(ctx context.Context, m EventPage) string {
	key := i18n.EventsAttemptDesk
	if m.Attempt.Invite() {
		key = i18n.EventsAttemptInvite
	}
	return i18n.T(ctx, key, "time", i18n.Time(ctx, m.Attempt.CreatedAt, m.Now))
}
