package adminviews

import (
	"context"
	"slices"
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// AccountPage is one account.
type AccountPage struct {
	Frame
	admin.AccountDetail
	OpenURL string // of the invite that the merchant may still use
	NewNote string // as it was typed
	NewTag  string
	Faults  Faults
}

// name is what the account is called.
func (m AccountPage) name() string {
	if name := views.DisplayName(m.Account.Profile.Nickname); name != "" {
		return name
	}
	return string(m.Account.AppID)
}

// known reports whether the account was ever authorized.
func (m AccountPage) known() bool { return m.Status != admin.NeverDone }

// status is the status in words, exact where WeChat restricts the account.
func (m AccountPage) status(ctx context.Context) string {
	if m.Status == admin.Suspended {
		return i18n.T(ctx, i18n.Key("accounts.status."+suspension(m.Account)))
	}
	return statusWord(ctx, m.Status)
}

// suspension names what WeChat did to an account (account_status of
// api_get_authorizer_info).
func suspension(a onboard.Account) string {
	switch a.Profile.Status {
	case 14:
		return "closed"
	case 16:
		return "banned"
	}
	return "frozen"
}

// act is the one button of the box that says why an account is unhappy.
type act string

const (
	actNone   act = ""
	actInvite act = "invite"
	actDecide act = "decide"
	actResume act = "resume"
	actReread act = "refresh"
)

// why says what is wrong with an account, who has to act and how.
type why struct {
	class, title, text string
	who                i18n.Key // empty for nobody in particular
	act                act
	label              string // of the button
}

// why returns nil for an account that is well.
func (m AccountPage) why(ctx context.Context) *why {
	t := func(key i18n.Key, args ...any) string { return i18n.T(ctx, key, args...) }
	merchant, us := i18n.AccountWhoMerchant, i18n.AccountWhoUs
	a, invite := m.Account, t(i18n.AccountInvite)
	when := func() string { return i18n.Time(ctx, m.Since, m.Now) }
	switch m.Status {
	case admin.Undecided:
		return &why{"warn", t(i18n.AccountWhyUndecided), t(i18n.AccountWhyUndecidedText), us, actDecide, t(i18n.AccountDecide)}
	case admin.Dead:
		text := t(i18n.AccountWhyDeadText)
		if code := errcode(a.LastError); code != "" {
			text = t(i18n.AccountWhyDeadCode, "code", code)
		}
		return &why{"bad", t(i18n.AccountWhyDead), text, merchant, actInvite, invite}
	case admin.Failing:
		key := i18n.AccountWhyFailingText
		if !m.Now.Before(a.AccessExpiresAt) {
			key = i18n.AccountWhyFailingEnded
		}
		text := t(key, "n", a.Failures, "until", i18n.Time(ctx, a.AccessExpiresAt, m.Now), "next", i18n.Time(ctx, m.State.DueAt, m.Now))
		return &why{"warn", t(i18n.AccountWhyFailing), text, i18n.AccountWhoNobody, actNone, ""}
	case admin.Suspended:
		return &why{"bad", t(i18n.Key("account.why." + suspension(a))), t(i18n.AccountWhySuspendedText), merchant, actReread, t(i18n.AccountRefresh)}
	case admin.Incomplete:
		missing := a.Missing()
		return &why{"warn", t(i18n.AccountWhyMissing, "n", len(missing)), t(i18n.AccountWhyMissingText, "sets", views.SetSentence(ctx, missing)), merchant, actInvite, invite}
	case admin.Unconfirmed:
		return &why{"info", t(i18n.AccountWhyUnconfirmed), t(i18n.AccountWhyUnconfirmedText, "sets", views.SetSentence(ctx, views.Unconfirmed(a.Grants))), merchant, actNone, ""}
	case admin.NoTokens:
		return &why{"warn", t(i18n.AccountWhyNoAPI), t(i18n.AccountWhyNoAPIText), merchant, actInvite, invite}
	case admin.Stopped:
		return &why{"info", t(i18n.AccountWhyStopped), t(i18n.AccountWhyStoppedText), us, actResume, t(i18n.AccountResume)}
	case admin.Refused:
		return &why{"info", t(i18n.AccountWhyRefused), t(i18n.AccountWhyRefusedText), us, actDecide, t(i18n.AccountDecideAgain)}
	case admin.Withdrawn:
		return &why{"info", t(i18n.AccountWhyRevoked), t(i18n.AccountWhyRevokedText, "time", when()), merchant, actInvite, invite}
	case admin.NeverDone:
		return &why{"info", t(i18n.AccountWhyNever), t(i18n.AccountWhyNeverText, "n", len(m.Attempts)), merchant, actInvite, invite}
	}
	return nil
}

// sinceShown reports whether the text of the box does not tell the time already.
func (m AccountPage) sinceShown() bool { return !m.Since.IsZero() && m.Status != admin.Withdrawn }

// Blocked says to an operator why WeChat could not be asked; another text, such as
// the API and the errcode of a refusal, is shown as it is.
func Blocked(ctx context.Context, reason string) string {
	if key := i18n.Key("account." + reason); strings.HasPrefix(reason, "blocked.") && i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return views.DisplayName(reason)
}

// errcode is the number in "api_authorizer_token 61023 rid 65f0-…".
func errcode(reason string) string {
	words := strings.Fields(reason)
	if len(words) < 2 || strings.Trim(words[1], "-0123456789") != "" {
		return ""
	}
	return words[1]
}

// token is the class and the word of the token's pill.
func (m AccountPage) token(ctx context.Context) (class, word string) {
	a := m.Account
	switch {
	case a.AccessExpiresAt.IsZero(), m.Status == admin.Withdrawn, m.Status == admin.Refused:
		return "off", i18n.T(ctx, i18n.AccountTokenNone)
	case m.Status == admin.Dead:
		return "bad", statusWord(ctx, admin.Dead)
	case !m.Now.Before(a.AccessExpiresAt):
		return "warn", i18n.T(ctx, i18n.AccountTokenEnded)
	case a.Failures > 0:
		return "warn", i18n.T(ctx, i18n.AccountTokenFailing)
	}
	return "ok", i18n.T(ctx, i18n.AccountTokenOK)
}

// stripText is the strip in words.
func (m AccountPage) stripText(ctx context.Context) string {
	n := map[admin.CellState]int{}
	for _, c := range m.Strip {
		n[c.State]++
	}
	return i18n.T(ctx, i18n.AccountStrip, "ok", n[admin.CellOK], "late", n[admin.CellLate], "failed", n[admin.CellFailed], "empty", n[admin.CellEmpty])
}

func cellClass(s admin.CellState) string {
	switch s {
	case admin.CellOK:
		return "b-ok"
	case admin.CellLate:
		return "b-late"
	case admin.CellFailed:
		return "b-bad"
	}
	return "b-none"
}

// holds reports whether a set is granted now.
func (m AccountPage) holds(r admin.SetRow) bool { return r.Granted && m.Status != admin.Withdrawn }

// setsSum counts the three columns of the table.
func (m AccountPage) setsSum(ctx context.Context) string {
	var has, asked, granted int
	for _, r := range m.Sets {
		for n, is := range map[*int]bool{&has: r.Has, &asked: r.Asked, &granted: m.holds(r)} {
			if is {
				*n++
			}
		}
	}
	return i18n.T(ctx, i18n.AccountSetsSum, "has", has, "asked", asked, "granted", granted)
}

// setPill is the class and the word of one row of the table.
func (m AccountPage) setPill(ctx context.Context, r admin.SetRow) (class, word string) {
	switch {
	case r.Granted && m.Status == admin.Withdrawn:
		return "off", i18n.T(ctx, i18n.AccountSetWas)
	case r.Waits:
		return "wait", i18n.T(ctx, i18n.SetConfirm)
	case r.Granted:
		return "ok", i18n.T(ctx, i18n.AccountSetGranted)
	case r.Asked:
		return "warn", i18n.T(ctx, i18n.AccountSetMissing)
	}
	return "off", i18n.T(ctx, i18n.AccountSetIdle)
}

// serviceWord is what WeChat says of the account's state.
func serviceWord(ctx context.Context, a onboard.Account) string {
	switch a.Profile.Status {
	case 1:
		return i18n.T(ctx, i18n.AccountService1)
	case 14, 16, 19:
		return i18n.T(ctx, i18n.Key("accounts.status."+suspension(a)))
	case 18:
		return i18n.T(ctx, i18n.AccountService18)
	}
	return i18n.T(ctx, i18n.AccountServiceOther, "id", a.Profile.Status)
}

// timelineShown is how many lines are shown before the rest is folded.
const timelineShown = 12

func (m AccountPage) recent() []admin.Happening {
	return m.Timeline[:min(len(m.Timeline), timelineShown)]
}

func (m AccountPage) earlier() []admin.Happening {
	return m.Timeline[min(len(m.Timeline), timelineShown):]
}

// happened is one line of the timeline in words.
func happened(ctx context.Context, h admin.Happening) string {
	key := i18n.Key("account.did." + string(h.Kind))
	switch h.Kind {
	case admin.HappenedInvited:
		return i18n.T(ctx, key, "actor", h.Actor)
	case admin.HappenedHandedOff:
		channel := i18n.Key("account.channel." + h.Detail)
		if !i18n.Has(channel) {
			channel = i18n.AccountChannelH5
		}
		return i18n.T(ctx, key, "channel", i18n.T(ctx, channel))
	case admin.HappenedChanged:
		return changedText(ctx, h.Added, h.Removed)
	case admin.HappenedFailed:
		if h.Times > 1 {
			return i18n.T(ctx, i18n.AccountDidFailedN, "n", h.Times)
		}
	case admin.HappenedActed:
		return i18n.T(ctx, key, "actor", h.Actor, "what", did(ctx, h.Action))
	}
	return i18n.T(ctx, key)
}

// changedText says what a change of the grants added and removed.
func changedText(ctx context.Context, added, removed []onboard.PermissionID) string {
	switch {
	case len(added) > 0 && len(removed) > 0:
		return i18n.T(ctx, i18n.AccountDidChangedBoth, "added", views.SetSentence(ctx, added), "removed", views.SetSentence(ctx, removed))
	case len(added) > 0:
		return i18n.T(ctx, i18n.AccountDidChangedAdded, "added", views.SetSentence(ctx, added))
	}
	return i18n.T(ctx, i18n.AccountDidChangedRemoved, "removed", views.SetSentence(ctx, removed))
}

// happenedDetail is what stands below a line: the error of a failure, or what an admin
// wrote.
func happenedDetail(ctx context.Context, h admin.Happening) string {
	if !slices.Contains([]admin.HappeningKind{admin.HappenedFailed, admin.HappenedRescan, admin.HappenedActed}, h.Kind) {
		return ""
	}
	return Blocked(ctx, h.Detail)
}

// happenedClass is the mark beside a line.
func happenedClass(k admin.HappeningKind) string {
	switch k {
	case admin.HappenedAuthorized, admin.HappenedRefreshed:
		return "ok"
	case admin.HappenedFailed, admin.HappenedRescan:
		return "bad"
	case admin.HappenedMissing, admin.HappenedWrong, admin.HappenedRevoked:
		return "warn"
	}
	return "off"
}
