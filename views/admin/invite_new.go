package adminviews

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

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

func appIDHelp(ctx context.Context, m NewInvitePage) string {
	help := i18n.T(ctx, i18n.InvitesFormAppIDHelp)
	if m.Check {
		help += i18n.T(ctx, i18n.InvitesFormStop) + i18n.T(ctx, i18n.InvitesFormAppIDHeld)
	}
	return help
}
