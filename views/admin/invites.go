package adminviews

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// InviteForm is an invite as it is typed.
type InviteForm struct {
	Recipient, Type, AppID string
	Sets                   []string // ids that are ticked
	More                   string   // ids that no list has
	Language               string
	Life                   string // hours
	Reference, ReturnURL   string
}

// ticked reports whether a set is chosen.
func (f InviteForm) ticked(id onboard.PermissionID) bool {
	return slices.Contains(f.Sets, strconv.Itoa(int(id)))
}

// SetGroup is a part of the catalogue under a title.
type SetGroup struct {
	Title string
	IDs   []onboard.PermissionID
}

// SetGroups sorts the catalogue for a reader: those in use first, the others by the
// kinds of account that can grant them.
func SetGroups(ctx context.Context, inUse []onboard.PermissionID) []SetGroup {
	var groups []SetGroup
	if len(inUse) > 0 {
		groups = append(groups, SetGroup{i18n.T(ctx, i18n.InvitesFormSetsSeen), inUse})
	}
	at := map[string]int{}
	catalog := onboard.Catalog()
	slices.SortStableFunc(catalog, func(a, b onboard.PermissionSet) int { return cmp.Compare(groupRank(a.Kinds), groupRank(b.Kinds)) })
	for _, set := range catalog {
		if set.ZH == "" || slices.Contains(inUse, set.ID) {
			continue
		}
		title := kindTitle(ctx, set.Kinds)
		i, ok := at[title]
		if !ok {
			i = len(groups)
			at[title] = i
			groups = append(groups, SetGroup{Title: title})
		}
		groups[i].IDs = append(groups[i].IDs, set.ID)
	}
	return groups
}

// groupRank orders groups: the kinds that most invites are for first, sets of several
// kinds behind those of one, and those of nobody knows whom at the end.
func groupRank(kinds []onboard.AccountKind) int {
	order := []onboard.AccountKind{onboard.MiniProgram, onboard.OfficialAccount, onboard.Channels, onboard.Shop, onboard.SalesAssistant}
	rank := 100
	for _, k := range kinds {
		if i := slices.Index(order, k); i >= 0 {
			rank = min(rank, 10*i)
		}
	}
	return rank + len(kinds)
}

func kindTitle(ctx context.Context, kinds []onboard.AccountKind) string {
	if len(kinds) == 0 {
		return i18n.T(ctx, i18n.InvitesFormSetsOther)
	}
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = views.KindWord(ctx, k)
	}
	return strings.Join(words, i18n.T(ctx, i18n.SiteSeparator))
}

// NewInvitePage is the form that makes an invite.
type NewInvitePage struct {
	Frame
	Form    InviteForm
	Groups  []SetGroup
	Default []onboard.PermissionID // asked for when nothing is chosen; empty for all
	Lives   []time.Duration        // to choose from
	Hosts   []string               // that a return address may have
	Check   bool                   // accounts from invites for any account are checked
	// Unreleased warns that WeChat lets in accounts on the test list only; First hints
	// at that before there is any account.
	Unreleased, First bool
	Faults            Faults
}

// chosen counts the ticked sets of a group, and many reports whether it is folded.
func (m NewInvitePage) chosen(g SetGroup) (n int) {
	for _, id := range g.IDs {
		if m.Form.ticked(id) {
			n++
		}
	}
	return n
}

func inviteTypes() []onboard.AuthType {
	return []onboard.AuthType{onboard.OfficialAndMini, onboard.MiniPrograms, onboard.OfficialAccounts, onboard.AllAccounts, onboard.ChannelsAccounts, onboard.SalesAssistants, onboard.Promoters}
}

func hours(d time.Duration) string { return strconv.Itoa(int(d / time.Hour)) }

// InvitePage is one invite.
type InvitePage struct {
	Frame
	Invite   admin.Invite
	Account  *onboard.Account // that came, nil while none did
	Expected *onboard.Account // that is asked for, when it is known
	Link     string           // absolute; the code holds it too
	Life     time.Duration    // that sending again gives
	Accounts bool             // the pages of accounts exist
}

// open reports whether the link works.
func (m InvitePage) open() bool {
	return admin.InviteStateOf(m.Invite.Attempt, m.Now) == admin.InviteWaiting
}

// ended reports whether the same link can not be given more time.
func (m InvitePage) ended() bool {
	return !m.Invite.FinishedAt.IsZero() || !m.Invite.CanceledAt.IsZero()
}

// message is what can be sent to the merchant, in the language of the invite.
func (m InvitePage) message(ctx context.Context) string {
	ctx = inviteLanguage(ctx, m.Invite.Attempt)
	key, name := i18n.InvitesMessagePlain, views.DisplayName(m.Invite.Recipient)
	if name != "" {
		key = i18n.InvitesMessageNamed
	}
	return i18n.T(ctx, key, "recipient", name, "brand", m.Brand.FullName(), "kind", views.AskedWord(ctx, m.Invite.Attempt, m.Expected),
		"time", i18n.Time(ctx, m.Invite.ExpiresAt, time.Time{})) + "\n" + m.Link
}

func inviteLanguage(ctx context.Context, a onboard.Attempt) context.Context {
	if l, ok := i18n.Parse(a.Language); ok {
		return i18n.With(ctx, l)
	}
	return ctx
}

// DecidePage asks whether an account is the right one.
type DecidePage struct {
	Frame
	admin.Decision
	Back   string // where to go without an answer
	Faults Faults
}

// why says what put the account aside.
func (m DecidePage) why(ctx context.Context) string {
	switch a := m.Decision.Invite; {
	case a.ID == "":
		return i18n.T(ctx, i18n.InvitesDecideWhyUnknown)
	case a.Verdict == onboard.WrongAccount:
		return i18n.T(ctx, i18n.InvitesDecideWhyWrong)
	case !a.CanceledAt.IsZero():
		return i18n.T(ctx, i18n.InvitesDecideWhyCanceled)
	}
	return i18n.T(ctx, i18n.InvitesDecideWhyHold)
}

func appIDHelp(ctx context.Context, m NewInvitePage) string {
	help := i18n.T(ctx, i18n.InvitesFormAppIDHelp)
	if m.Check {
		help += i18n.T(ctx, i18n.InvitesFormStop) + i18n.T(ctx, i18n.InvitesFormAppIDHeld)
	}
	return help
}
