package adminviews

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
)

// ReconcilePage compares the store with WeChat's list.
type ReconcilePage struct {
	Frame
	Run      admin.Run
	SweptAt  time.Time              // the last whole comparison by itself; zero for none
	Sections []RunSection           // one for each kind, or one that is shown alone
	Alone    onboard.DifferenceKind // empty for all
	Next     int                    // offset of the next page of the one alone; 0 at the end
	Past     []admin.PastRun
	Stale    bool // the comparison is too old to be applied
	Accounts bool // there are pages of accounts to link to
}

// RunSection is the differences of one kind, or the first of them.
type RunSection struct {
	Kind onboard.DifferenceKind
	All  int
	Rows []admin.RunRow
}

// DifferenceKinds lists the kinds in the order in which they are shown.
func DifferenceKinds() []onboard.DifferenceKind {
	return []onboard.DifferenceKind{onboard.DiffAdded, onboard.DiffChanged, onboard.DiffGone}
}

// ReconcileApplyPath is the page that asks before anything is applied.
const ReconcileApplyPath = ReconcilePath + "/apply"

// runPath is the page of one kind of differences.
func runPath(kind onboard.DifferenceKind, offset int) string {
	q := url.Values{"kind": {string(kind)}}
	if offset > 0 {
		q.Set("from", strconv.Itoa(offset))
	}
	return ReconcilePath + "?" + q.Encode()
}

// canApply reports whether what is shown can still be applied.
func (m ReconcilePage) canApply() bool {
	return m.Run.Phase == admin.PhaseCompared && !m.Stale && m.Run.Differences() > m.Run.Young
}

// ended reports whether accounts were dealt with, so that their results are shown.
func (m ReconcilePage) ended() bool { return m.Run.Phase == admin.PhaseApplied || m.Run.Broken }

func standingWord(ctx context.Context, s onboard.Standing) string {
	if s == "" {
		return i18n.T(ctx, i18n.ReconcileStandingNone)
	}
	return i18n.T(ctx, i18n.Key("reconcile.standing."+string(s)))
}

// endWord is how one difference came out, as a pill's class and word.
func endWord(ctx context.Context, r admin.RunRow) (class, word string) {
	switch {
	case r.End == onboard.RepairPostponed:
		return "wait", i18n.T(ctx, i18n.ReconcileEndPostponed)
	case r.End == onboard.RepairUnchanged:
		return "off", i18n.T(ctx, i18n.ReconcileEndUnchanged)
	case r.End != "":
		return "ok", i18n.T(ctx, i18n.Key("reconcile.end."+string(r.End)))
	case r.Reason != "":
		return "bad", i18n.T(ctx, i18n.ReconcileEndFailed)
	}
	return "", ""
}

// tallyWords are what an earlier run came to.
func tallyWords(ctx context.Context, p admin.PastRun) string {
	switch {
	case p.Failed != "":
		return i18n.T(ctx, i18n.ReconcileTallyFailed)
	case p.Action == "reconcile.compare":
		return i18n.T(ctx, i18n.ReconcileTallyCompare, "listed", p.Listed, "added", p.Added, "changed", p.Changed, "gone", p.Gone)
	}
	return i18n.T(ctx, i18n.ReconcileTallyEnd, "added", p.Added, "changed", p.Changed, "gone", p.Gone, "failing", p.Failing)
}
