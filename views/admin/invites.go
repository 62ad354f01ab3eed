package adminviews

import (
	"context"
	"net/url"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// InvitePath is the page of one invite. Beneath it are its code as /qr.png and
// /qr.svg, /live, /revoke and the target of a form, /resend.
func InvitePath(id string) string { return InvitesPath + "/" + url.PathEscape(id) }

// NewInvitePath is the form that makes an invite. Its query may fill it in.
const NewInvitePath = InvitesPath + "/new"

// DecidePath is where an admin says whether an account is the right one.
func DecidePath(appID onboard.AppID) string {
	return AccountsPath + "/" + url.PathEscape(string(appID)) + "/decide"
}

// InvitesPage is one page of the list.
type InvitesPage struct {
	Frame
	Rows  []admin.Invite
	Query admin.InviteQuery // as it was asked
	Next  admin.InviteCursor
}

// query is the filter as it stands in an address.
func (m InvitesPage) query(extra ...string) string {
	q := url.Values{}
	for name, v := range map[string]string{"q": m.Query.Query, "state": string(m.Query.State), "batch": m.Query.Batch} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for i := 0; i+1 < len(extra); i += 2 {
		q.Set(extra[i], extra[i+1])
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func inviteStates() []string {
	var all []string
	for _, s := range admin.InviteStates() {
		all = append(all, string(s))
	}
	return all
}

func inviteFilter(ctx context.Context, state string) string {
	return i18n.T(ctx, i18n.Key("invites.filter."+state))
}

// inviteName is whom an invite is for.
func inviteName(ctx context.Context, a onboard.Attempt) string {
	if name := views.DisplayName(a.Recipient); name != "" {
		return name
	}
	if a.BizAppID != "" {
		return string(a.BizAppID)
	}
	return i18n.T(ctx, i18n.InvitesUnnamed)
}

// inviteWord is how far an invite has come: the class of a pill, its word, and a
// sentence about it. account is what came, nil while nothing did or nobody looked.
func inviteWord(ctx context.Context, v admin.Invite, account *onboard.Account, now time.Time) (class, word, text string) {
	a := v.Attempt
	say := func(class, name string, args ...any) (string, string, string) {
		key := i18n.Key("invites.state." + name)
		return class, i18n.T(ctx, key, args...), i18n.T(ctx, key+"_text", args...)
	}
	state := a.State(now)
	switch {
	case state == onboard.Withdrawn:
		return say("off", "revoked", "time", i18n.Time(ctx, a.RevokedAt, now))
	case account != nil && account.Standing == onboard.Refused && a.PutsAside():
		return say("off", "refused")
	case state == onboard.Done && a.Verdict == onboard.WrongAccount:
		return say("bad", "wrong")
	case v.Undecided:
		return say("warn", "undecided")
	case state == onboard.Done && a.Verdict == onboard.Missing:
		return say("warn", "missing", "n", len(a.Missing), "sets", views.SetSentence(ctx, a.Missing))
	case state == onboard.Done:
		return say("ok", "done")
	case !a.CanceledAt.IsZero():
		return say("off", "canceled")
	case state == onboard.Blocked && admin.InviteStateOf(a, now) == admin.InviteWaiting:
		title, _ := views.BlockedReason(ctx, a.Blocked)
		return say("bad", "blocked", "reason", title)
	case admin.InviteStateOf(a, now) == admin.InviteExpired:
		return say("off", "expired")
	}
	return say("wait", string(state))
}
