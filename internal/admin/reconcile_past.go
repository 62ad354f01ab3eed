package admin

import (
	"context"
	"encoding/json"
	"slices"

	"usher/internal/onboard"
)

// Tally is the result of a half as the audit keeps it.
type Tally struct {
	Failed  string `json:"failed,omitempty"` // the reason
	Listed  int    `json:"listed"`
	Held    int    `json:"held"`
	Added   int    `json:"added"`
	Changed int    `json:"changed"`
	Gone    int    `json:"gone"`
	Later   int    `json:"later,omitempty"`
	Failing int    `json:"failing,omitempty"` // accounts that could not be set right
}

func tally(r Run) string {
	t := Tally{Failed: r.Reason, Listed: r.Listed, Held: r.Held,
		Added: r.Counts[onboard.DiffAdded], Changed: r.Counts[onboard.DiffChanged], Gone: r.Counts[onboard.DiffGone], Later: r.Young}
	if r.Phase == PhaseApplied || r.Broken {
		t.Added, t.Changed, t.Gone, t.Later, t.Failing = r.Result.Added, r.Result.Repaired, r.Result.Revoked, r.Result.Postponed, r.Result.Failures
	}
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // numbers and a string
	}
	return string(text)
}

// PastRun is one row of the audit about a reconciliation.
type PastRun struct {
	Entry
	Tally
}

// Past lists what the audit knows of the last runs, the newest first.
func (r *Reconciler) Past(ctx context.Context, limit int) ([]PastRun, error) {
	rows, err := r.console.AuditRows(ctx, Filter{Action: "reconcile.", Limit: 3 * limit})
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(e Entry) bool { return e.Action != "reconcile.compare" && e.Action != "reconcile.end" })
	past := make([]PastRun, 0, limit)
	for _, e := range rows[:min(len(rows), limit)] {
		p := PastRun{Entry: e}
		if err := json.Unmarshal([]byte(e.After), &p.Tally); err != nil {
			return nil, err
		}
		past = append(past, p)
	}
	return past, nil
}

// SweepState says when the store last agreed with WeChat's whole list.
func (s *Service) SweepState(ctx context.Context) (onboard.SweepState, error) {
	return s.store.SweepState(ctx)
}
