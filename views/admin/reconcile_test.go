package adminviews_test

import (
	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// reconcilePages are the pages of a comparison with WeChat's list in every phase.
func reconcilePages(f adminviews.Frame, text string) map[string]templ.Component {
	counts := map[onboard.DifferenceKind]int{onboard.DiffAdded: 30, onboard.DiffChanged: 1, onboard.DiffGone: 1}
	run := func(p admin.Phase) admin.Run {
		return admin.Run{ID: text, Phase: p, By: text, BeganAt: noon, EndedAt: noon, Read: 500, Total: 1200, Listed: 1200, Held: 1190, Counts: counts, Young: 1, Done: 3, Reason: "api_x 45009 rid " + text}
	}
	row := func(kind onboard.DifferenceKind, s onboard.Standing, end onboard.Repair, reason string) admin.RunRow {
		return admin.RunRow{Difference: onboard.Difference{Kind: kind, AppID: onboard.AppID(text), Standing: s, AuthorizedAt: noon, Young: kind == onboard.DiffAdded && end == onboard.RepairPostponed}, Name: text, End: end, Reason: reason}
	}
	sections := []adminviews.RunSection{
		{Kind: onboard.DiffAdded, All: 30, Rows: []admin.RunRow{row(onboard.DiffAdded, "", onboard.RepairAdded, ""), row(onboard.DiffAdded, onboard.Revoked, onboard.RepairPostponed, "")}},
		{Kind: onboard.DiffChanged, All: 1, Rows: []admin.RunRow{row(onboard.DiffChanged, onboard.NeedsRescan, onboard.RepairRepaired, ""), row(onboard.DiffChanged, onboard.Quarantined, onboard.RepairUnchanged, "")}},
		{Kind: onboard.DiffGone, All: 1, Rows: []admin.RunRow{row(onboard.DiffGone, onboard.Refused, "", text), row(onboard.DiffGone, onboard.Active, onboard.RepairRevoked, "")}},
	}
	past := []admin.PastRun{{Entry: admin.Entry{Action: "reconcile.compare", Actor: text, At: noon}, Tally: admin.Tally{Listed: 3}},
		{Entry: admin.Entry{Action: "reconcile.end", Actor: text, At: noon}}, {Entry: admin.Entry{Action: "reconcile.end", Actor: text, At: noon}, Tally: admin.Tally{Failed: text}}}
	page := func(r admin.Run) adminviews.ReconcilePage {
		return adminviews.ReconcilePage{Frame: f, Run: r, SweptAt: noon, Sections: sections, Past: past, Accounts: true}
	}
	broken, same, applied, alone, stale := run(admin.PhaseFailed), run(admin.PhaseCompared), run(admin.PhaseApplied), page(run(admin.PhaseCompared)), page(run(admin.PhaseCompared))
	broken.Broken, same.Counts, applied.Result.Failures = true, nil, 1
	alone.Alone, alone.Next, alone.Sections = onboard.DiffAdded, 100, sections[:1]
	stale.Stale = true
	busy := adminviews.ReconcilePage{Frame: f, Run: run(admin.PhaseReading)}
	busy.Refresh = true
	return map[string]templ.Component{
		"reconcile":           adminviews.Reconcile(adminviews.ReconcilePage{Frame: f}),
		"reconcile, reading":  adminviews.Reconcile(busy),
		"reconcile, applying": adminviews.Reconcile(adminviews.ReconcilePage{Frame: f, Run: run(admin.PhaseApplying)}),
		"reconcile, compared": adminviews.Reconcile(page(run(admin.PhaseCompared))),
		"reconcile, alone":    adminviews.Reconcile(alone),
		"reconcile, stale":    adminviews.Reconcile(stale),
		"reconcile, same":     adminviews.Reconcile(adminviews.ReconcilePage{Frame: f, Run: same}),
		"reconcile, applied":  adminviews.Reconcile(page(applied)),
		"reconcile, failed":   adminviews.Reconcile(adminviews.ReconcilePage{Frame: f, Run: run(admin.PhaseFailed)}),
		"reconcile, broken":   adminviews.Reconcile(page(broken)),
		"reconcile, apply":    adminviews.ReconcileApply(page(run(admin.PhaseCompared))),
	}
}
