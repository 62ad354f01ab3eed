package views

import (
	"context"
	"net/url"

	"usher/internal/i18n"
	"usher/internal/onboard"
)

// way is a button under a result: a link when path is set, a form when post is,
// nothing when neither is.
type way struct {
	label string
	path  string // GET
	post  string // POST
}

// outcome is a result in words, the same for desk and phone.
type outcome struct {
	class string // of the icon
	title string
	tab   string // title of the tab, when it differs
	texts []string
	first way
	other way
}

func (m ResultPage) state() onboard.State { return m.Attempt.State(m.Now) }

// stranger reports whether the browser took no part: it is told that the attempt
// ended and how, and nothing about the account.
func (m ResultPage) stranger() bool { return m.Account == nil && m.Attempt.AppID == "" }

// kind names the account that came back, or what was asked for.
func (m ResultPage) kind(ctx context.Context) string {
	if m.Account != nil {
		return kindWord(ctx, m.Account.Profile.Kind)
	}
	return typeWord(ctx, m.Attempt.AuthType)
}

// again begins a new attempt: for the account that came back when this browser
// may see its page, else with the wish of this attempt.
func (m ResultPage) again(ctx context.Context, label i18n.Key) way {
	w := way{label: i18n.T(ctx, label), post: AttemptPath(m.Attempt.ID) + "/again"}
	if m.DashboardPath != "" && m.Attempt.Verdict != onboard.WrongAccount {
		w.post = m.DashboardPath + "/again"
	}
	return w
}

// view leads to the merchant's own page, for a browser that may see it.
func (m ResultPage) view(ctx context.Context, label i18n.Key) way {
	if m.DashboardPath == "" {
		return way{}
	}
	return way{label: i18n.T(ctx, label), path: m.DashboardPath}
}

func (m ResultPage) outcome(ctx context.Context) outcome {
	a, state := m.Attempt, m.state()
	o := outcome{class: stateClass(a, state), title: stateWord(ctx, a, state)}
	name := quotedName(ctx, m.Account, a.AppID)
	switch state {
	case onboard.Withdrawn:
		if m.stranger() {
			o.texts = []string{i18n.T(ctx, i18n.ResultStranger)}
			return o
		}
		o.texts = []string{i18n.T(ctx, i18n.StateRevokedText, "name", name, "time", i18n.Time(ctx, a.RevokedAt, m.Now))}
		o.first = m.again(ctx, i18n.StateConnectAgain)
	case onboard.Done:
		m.decided(ctx, &o, name)
		m.held(ctx, &o)
		m.goOn(ctx, &o)
	case onboard.Exchanging:
		o.texts = []string{i18n.T(ctx, i18n.StateExchangingText)}
	case onboard.Blocked:
		_, text := blocked(ctx, a.Blocked)
		o.texts = []string{text}
		if recovers(a.Blocked) {
			o.texts = append(o.texts, i18n.T(ctx, i18n.StateBlockedSelf))
		}
		o.first = way{label: i18n.T(ctx, i18n.SiteRetry), post: AttemptPath(a.ID) + retry(a, "/check")}
	case onboard.ExpiredNow:
		if a.InvitedBy != "" { // only the operator can make another one
			o.texts = []string{i18n.T(ctx, i18n.StateExpiredInviteText)}
			return o
		}
		o.texts = []string{i18n.T(ctx, i18n.StateExpiredText, "life", life(ctx, a))}
		if a.Invite() {
			o.texts = []string{i18n.T(ctx, i18n.StateExpiredInviteDesk)}
		}
		o.first = m.again(ctx, i18n.StateExpiredStart)
	default: // somebody opened this page before anything came back
		o.title = i18n.T(ctx, i18n.ResultWaiting)
		o.texts = []string{i18n.T(ctx, i18n.StateNoAnswerText)}
		o.first = way{label: i18n.T(ctx, i18n.StateCheck), post: AttemptPath(a.ID) + "/check"}
		o.other = way{label: i18n.T(ctx, i18n.ResultToAttempt), path: AttemptPath(a.ID)}
	}
	return o
}

// held reports that the operator decides on the account before it is used.
func (m ResultPage) held(ctx context.Context, o *outcome) {
	if m.Account == nil || m.Account.Standing != onboard.Quarantined || m.Attempt.Verdict == onboard.WrongAccount {
		return
	}
	o.class, o.title, o.tab = "warn", i18n.T(ctx, i18n.ResultHeld), ""
	text := i18n.T(ctx, i18n.ResultHeldText, "name", quotedName(ctx, m.Account, m.Account.AppID), "brand", m.Brand.name())
	o.texts = append([]string{text}, o.texts...)
}

// goOn offers the way back to the operator's own site. What the merchant still has
// to do here comes first.
func (m ResultPage) goOn(ctx context.Context, o *outcome) {
	to, err := url.Parse(m.ReturnURL)
	if err != nil || to.Host == "" || m.Attempt.Verdict == onboard.WrongAccount {
		return
	}
	w := way{label: i18n.T(ctx, i18n.ResultReturn, "host", to.Host), path: m.ReturnURL}
	if m.Attempt.Verdict == onboard.Missing && o.first.label != "" {
		o.other = w
		return
	}
	o.first, o.other = w, m.view(ctx, i18n.ResultView)
}

// decided fills o in for a finished attempt.
func (m ResultPage) decided(ctx context.Context, o *outcome, name string) {
	a := m.Attempt
	if m.stranger() {
		o.texts = []string{i18n.T(ctx, i18n.ResultStranger)}
		return
	}
	switch a.Verdict {
	case onboard.WrongAccount:
		wanted := quotedName(ctx, m.Expected, a.BizAppID)
		o.texts = []string{i18n.T(ctx, i18n.ResultWrongText, "got", name, "wanted", wanted)}
		o.first = m.again(ctx, i18n.ResultWrongAgain)
		return
	case onboard.Missing:
		o.texts = []string{i18n.T(ctx, i18n.ResultMissingText, "sets", setNames(ctx, a.Missing))}
		if only := onlyExclusive(a.Missing); len(only) > 0 {
			o.texts = append(o.texts, i18n.T(ctx, i18n.ResultMissingExclusive, "sets", setNames(ctx, only)))
		}
		o.first = m.again(ctx, i18n.ResultMissingAdd)
		o.other = m.view(ctx, i18n.ResultMissingSkip)
		return
	case onboard.Already:
		o.title = i18n.T(ctx, i18n.ResultAlready, "kind", m.kind(ctx))
		o.texts = []string{i18n.T(ctx, i18n.ResultAlreadyText)}
		o.first = m.view(ctx, i18n.ResultView)
		o.other = m.again(ctx, i18n.ResultAlreadyAgain)
		return
	case onboard.Updated:
		o.title = i18n.T(ctx, i18n.ResultUpdated)
		o.texts = []string{i18n.T(ctx, i18n.ResultUpdatedText, "added", len(a.Added), "removed", len(a.Removed))}
	default:
		o.title, o.tab = i18n.T(ctx, i18n.ResultOK), i18n.T(ctx, i18n.ResultOKTitle)
		if m.Account != nil {
			o.texts = []string{i18n.T(ctx, i18n.ResultOKText, "name", accountName(*m.Account), "n", len(m.Account.Grants))}
		}
	}
	if m.Account != nil && m.Account.ProfileAt.IsZero() { // without one the reader is a stranger
		o.texts = append(o.texts, i18n.T(ctx, i18n.ResultOKLate))
	}
	o.first = m.view(ctx, i18n.ResultView)
}
