package views

import (
	"context"
	"time"

	"usher/internal/i18n"
	"usher/internal/onboard"
)

// step is one row of the progress list.
type step struct {
	class string // done, now, stop (it goes no further by itself) or todo
	title string
	meta  string
	at    time.Time // shown instead of meta when set
}

// track lists the four steps of an attempt in state.
func track(ctx context.Context, a onboard.Attempt, state onboard.State) []step {
	steps := []step{
		{class: "done", title: i18n.T(ctx, i18n.StepCode), at: a.CreatedAt},
		{class: "todo", title: i18n.T(ctx, i18n.StepScan)},
		{class: "todo", title: i18n.T(ctx, i18n.StepConfirm)},
		{class: "todo", title: i18n.T(ctx, i18n.StepRead)},
	}
	reached := 1 // index of the step that runs
	switch {
	case !a.FinishedAt.IsZero():
		reached = 4
	case !a.ArrivedAt.IsZero():
		reached = 3
	case !a.HandedOffAt.IsZero(), !a.OpenedAt.IsZero():
		reached = 2
	}
	for i := 1; i < reached; i++ {
		steps[i].class = "done"
	}
	if reached > 1 {
		steps[1].title, steps[1].at = i18n.T(ctx, i18n.StepOpened), a.OpenedAt
		if a.OpenedAt.IsZero() { // through WeChat's own page, which tells us nothing of a scan
			steps[1].title, steps[1].at = i18n.T(ctx, i18n.StepLeft), a.HandedOffAt
		}
	}
	if reached > 2 {
		steps[2].title, steps[2].at = i18n.T(ctx, i18n.StepConfirmed), a.ArrivedAt
	}
	if reached > 3 {
		steps[3].at = a.FinishedAt
		return steps
	}
	now := &steps[reached]
	now.class = "now"
	switch state {
	case onboard.Created:
		now.meta = i18n.T(ctx, i18n.StepScanHelp)
	case onboard.Opened:
		now.meta = i18n.T(ctx, i18n.StepTapHelp)
	case onboard.HandedOff:
		now.meta = i18n.T(ctx, i18n.StepConfirmHelp)
	case onboard.Exchanging:
		now.title = i18n.T(ctx, i18n.StepReading)
	case onboard.NoAnswer, onboard.ExpiredNow, onboard.Blocked:
		now.class = "stop"
		now.meta = stateWord(ctx, a, state)
	}
	return steps
}

// stateWord names a state in a few words, for a pill or a title.
func stateWord(ctx context.Context, a onboard.Attempt, state onboard.State) string {
	switch state {
	case onboard.ExpiredNow:
		if a.Invite() {
			return i18n.T(ctx, i18n.StateExpiredInvite)
		}
		return i18n.T(ctx, i18n.StateExpired)
	case onboard.Blocked:
		title, _ := blocked(ctx, a.Blocked)
		return title
	case onboard.Done:
		switch a.Verdict {
		case onboard.WrongAccount:
			return i18n.T(ctx, i18n.ResultWrong)
		case onboard.Missing:
			return i18n.T(ctx, i18n.ResultMissing, "n", len(a.Missing))
		}
	}
	return i18n.T(ctx, i18n.Key("state."+string(state)))
}

// stateClass is the shape and color of a state's pill and icon.
func stateClass(a onboard.Attempt, state onboard.State) string {
	switch state {
	case onboard.Created, onboard.Opened, onboard.HandedOff, onboard.Exchanging:
		return "wait"
	case onboard.NoAnswer:
		return "warn"
	case onboard.Blocked:
		return "bad"
	case onboard.Done:
		switch a.Verdict {
		case onboard.WrongAccount:
			return "bad"
		case onboard.Missing:
			return "warn"
		}
		return "ok"
	}
	return "off"
}

// life says how long the code of an attempt worked.
func life(ctx context.Context, a onboard.Attempt) string {
	return i18n.Span(ctx, a.ExpiresAt.Sub(a.CreatedAt))
}

// blocked explains why an attempt cannot go on.
func blocked(ctx context.Context, key onboard.Key) (title, text string) {
	title = i18n.T(ctx, i18n.StateBlocked)
	if t := i18n.Key(key + ".title"); i18n.Has(t) {
		title = i18n.T(ctx, t)
	}
	if i18n.Has(i18n.Key(key)) {
		return title, i18n.T(ctx, i18n.Key(key))
	}
	return title, i18n.T(ctx, i18n.ErrorInternal)
}

// recovers reports whether an attempt blocked by key goes on by itself when the
// cause is mended.
func recovers(key onboard.Key) bool {
	switch key {
	case onboard.KeyBlockedTicket, onboard.KeyBlockedCredentials, onboard.KeyBlockedIP, onboard.KeyBlockedWeChat:
		return true
	}
	return false
}

// retry is what the button of a blocked attempt does below its path: where
// WeChat already answered, the exchange is tried again; a code that is spent needs
// a new attempt.
func retry(a onboard.Attempt, start string) string {
	switch {
	case a.ArrivedAt.IsZero():
		return start
	case a.Blocked == onboard.KeyCodeSpent:
		return "/again"
	}
	return "/check"
}
