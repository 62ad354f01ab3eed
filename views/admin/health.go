package adminviews

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
)

// Paste is what belongs into WeChat's console.
type Paste struct {
	Events, Messages, Domain string
	Address                  string // of ours, as WeChat named it; empty when it did not
}

// HealthPage shows how the platform is.
type HealthPage struct {
	Frame
	Setup    admin.Setup
	Findings []admin.Finding
	Platform string // AppID
	Version  string
	Paste    Paste
}

// QuotaPage shows the day's calls as WeChat counts them.
type QuotaPage struct {
	Frame
	All []onboard.Usage
	At  time.Time // when WeChat was asked; zero for never
}

// Number writes a number for a sentence.
func Number(n int) string { return strconv.Itoa(n) }

// summary is the class and the title of the one sentence.
func summary(ctx context.Context, all []admin.Finding) (class, title string) {
	switch n, blocking := admin.Verdict(all); {
	case blocking:
		return "bad", i18n.T(ctx, i18n.HealthVerdictBlocked)
	case n > 0:
		return "warn", i18n.T(ctx, i18n.HealthVerdictProblems, "n", n)
	}
	return "ok", i18n.T(ctx, i18n.HealthVerdictOK)
}

// levelClass is the look of a finding.
func levelClass(l admin.Level) string {
	return map[admin.Level]string{admin.Blocking: "bad", admin.Wrong: "warn", admin.Hint: "info"}[l]
}

// beatText says in words what the strip shows.
func (m HealthPage) beatText(ctx context.Context) string {
	h := m.Setup.Heartbeat
	return i18n.T(ctx, i18n.HealthBeatText, "all", len(h)-h.Count(admin.SlotNone), "ok", h.Count(admin.SlotOnTime), "late", h.Count(admin.SlotLate), "missing", h.Count(admin.SlotMissing))
}

// missingSpans are the last stretches without a ticket, as 19:30–20:00.
func (m HealthPage) missingSpans() string {
	spans := m.Setup.Heartbeat.Spans(admin.SlotMissing)
	text := ""
	if len(spans) > 3 {
		spans, text = spans[len(spans)-3:], "… "
	}
	for i, s := range spans {
		if i > 0 {
			text += " "
		}
		text += i18n.Clock(s.From) + "–" + i18n.Clock(s.Until)
	}
	return text
}

// cell is one bar of the strip.
type cell struct {
	class                   string
	x, y, width, height, rx string
}

// bars draws the strip in a box of 40 in height and returns its width.
func bars(h admin.Heartbeat, wide, gap int) (all []cell, width int) {
	for i, s := range h {
		b := cell{class: map[admin.SlotState]string{admin.SlotNone: "b-next", admin.SlotOnTime: "b-ok", admin.SlotLate: "b-late", admin.SlotMissing: "b-none"}[s.State],
			x: Number(i * (wide + gap)), width: Number(wide), rx: "1"}
		top := map[admin.SlotState]int{admin.SlotNone: 30, admin.SlotOnTime: 4, admin.SlotLate: 10, admin.SlotMissing: 30}[s.State]
		b.y, b.height = Number(top), Number(40-top)
		all = append(all, b)
	}
	return all, max(0, len(h)*(wide+gap)-gap)
}

// beatLabels are the times below the strip, the oldest first.
func (m HealthPage) beatLabels(ctx context.Context) []string {
	h := m.Setup.Heartbeat
	if len(h) == 0 {
		return nil
	}
	labels := []string{i18n.T(ctx, i18n.HealthBeatYesterday, "time", i18n.Clock(h[0].From))}
	for i := len(h) / 4; i < len(h); i += len(h) / 4 {
		labels = append(labels, i18n.Clock(h[i].From))
	}
	return append(labels, i18n.T(ctx, i18n.HealthBeatNow))
}

// findingText is a sentence about a finding with everything it may name.
func findingText(ctx context.Context, f admin.Finding, part string, now time.Time) string {
	key := i18n.Key("health.finding." + string(f.Name) + "." + part)
	if f.Name == admin.AddressNotReach && part == "text" {
		key = addressKey(f.Check.What)
	}
	if f.Name == admin.AddressRefused && f.Check.Address == "" {
		if other := key + "_unnamed"; i18n.Has(other) {
			key = other
		}
	}
	return i18n.T(ctx, key, "n", f.N, "code", f.Check.Code, "api", f.Check.What, "address", f.Check.Address, "span", since(ctx, f.Since, now),
		"left", lasting(ctx, max(0, onboard.TicketLife-now.Sub(f.Since))))
}

// lasting writes how long something lasts, in hours or, below two of them, in minutes.
func lasting(ctx context.Context, d time.Duration) string {
	if d >= 2*time.Hour {
		d = d.Truncate(time.Hour)
	}
	return i18n.Span(ctx, d)
}

// since writes how long ago something was.
func since(ctx context.Context, at, now time.Time) string {
	d := now.Sub(at)
	if d < time.Minute || at.IsZero() {
		d = time.Minute
	}
	if d >= 48*time.Hour {
		return i18n.Span(ctx, d.Truncate(24*time.Hour))
	}
	return lasting(ctx, d)
}

// addressKey is the sentence about a public address that does not lead to us.
func addressKey(kind string) i18n.Key {
	if key := i18n.Key("wizard.address." + kind); i18n.Has(key) {
		return key
	}
	return i18n.WizardAddressClosed
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KB", n>>10)
}
