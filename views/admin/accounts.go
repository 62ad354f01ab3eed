package adminviews

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// The addresses below the list of accounts.
const (
	AccountsCSVPath    = AccountsPath + "/export.csv"
	AccountsInvitePath = AccountsPath + "/invite" // an invite for each account of a filter
	AccountsTagPath    = AccountsPath + "/tag"    // a tag for each of them
	AccountsBatchPath  = AccountsPath + "/links"  // with the name of a batch: what was made
)

// AccountPath is the page of one account. Beneath it are the targets of its forms.
func AccountPath(id onboard.AppID) string { return AccountsPath + "/" + url.PathEscape(string(id)) }

// BatchPath is what one press made for the accounts of a filter.
func BatchPath(batch string) string { return AccountsBatchPath + "/" + url.PathEscape(batch) }

// AccountsAddress is a page of the list as it stands in the address bar.
type AccountsAddress struct {
	admin.AccountQuery
	Day string // from which day on, as it was typed; Since is the same as a time
	At  int    // how many rows lie in front of the page, for the reader only
}

// Acting is the value of the filter that stands for every status in which somebody
// has to act.
const Acting = "acting"

// Values are the parameters, those that change nothing left out.
func (a AccountsAddress) Values() url.Values {
	v := a.filter()
	if a.Sort != "" && (a.Sort != admin.ByChange || a.Reverse) {
		v.Set("sort", sortValue(a.Sort, a.Reverse))
	}
	if a.Size != 0 && a.Size != admin.PageSizes()[0] {
		v.Set("size", strconv.Itoa(a.Size))
	}
	if !a.After.Zero() {
		v.Set("after", a.After.String())
	}
	if !a.Before.Zero() {
		v.Set("before", a.Before.String())
	}
	if a.At > 0 {
		v.Set("at", strconv.Itoa(a.At))
	}
	return v
}

// filter are the parameters that choose accounts.
func (a AccountsAddress) filter() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("q", a.Query)
	set("kind", string(a.Kind))
	set("status", a.Status.String())
	if a.Acting {
		set("status", Acting)
	}
	if a.Missing != 0 {
		set("missing", strconv.Itoa(int(a.Missing)))
	}
	set("tag", a.Tag)
	set("since", a.Day)
	if a.Hidden {
		set("hidden", "1")
	}
	return v
}

// URL is a page of the list.
func (a AccountsAddress) URL() string { return withQuery(AccountsPath, a.Values()) }

// Of is another page about the accounts of the same filter.
func (a AccountsAddress) Of(path string) string { return withQuery(path, a.filter()) }

func withQuery(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// first is the first page of the same list.
func (a AccountsAddress) first() AccountsAddress {
	a.After, a.Before, a.At = admin.Cursor{}, admin.Cursor{}, 0
	return a
}

// sorted is the list by another column, or the other way by the same one.
func (a AccountsAddress) sorted(s admin.Sort) AccountsAddress {
	a = a.first()
	a.Sort, a.Reverse = s, s == a.Sort && !a.Reverse
	return a
}

func sortValue(s admin.Sort, reverse bool) string {
	if reverse {
		return "-" + string(s)
	}
	return string(s)
}

// AccountsPage is the list of accounts.
type AccountsPage struct {
	Frame
	Address AccountsAddress
	Page    admin.AccountPage
	Total   int // of all accounts that are not hidden
	Acting  int // of those
	Sets    []onboard.PermissionID
	Tags    []string
	Faults  Faults
	// InvitePath is where a merchant is invited; empty where the reader cannot.
	InvitePath string
}

// empty reports whether there is no account at all.
func (m AccountsPage) empty() bool {
	return m.Total == 0 && m.Address.Empty() && m.Page.Total == 0
}

// more reports whether a condition is set that is folded.
func (m AccountsPage) more() bool {
	return m.Address.Tag != "" || m.Address.Day != "" || m.Address.Hidden
}

// from and to are the places of the first and the last row.
func (m AccountsPage) from() int {
	if m.Page.Prev.Zero() {
		return 1
	}
	return m.Address.At + 1
}

func (m AccountsPage) to() int { return m.from() + len(m.Page.Rows) - 1 }

func (m AccountsPage) prev() AccountsAddress {
	a := m.Address.first()
	a.Before, a.At = m.Page.Prev, max(0, m.Address.At-m.Address.Size)
	return a
}

func (m AccountsPage) next() AccountsAddress {
	a := m.Address.first()
	a.After, a.At = m.Page.Next, m.to()
	return a
}

// option is one choice of a select.
type option struct{ value, label string }

func kindOptions(ctx context.Context) []option {
	all := []option{{"", i18n.T(ctx, i18n.AccountsAnyKind)}}
	for _, k := range Kinds() {
		all = append(all, option{string(k), views.KindWord(ctx, k)})
	}
	return all
}

// Kinds are the kinds of accounts that the list can be filtered by.
func Kinds() []onboard.AccountKind {
	return []onboard.AccountKind{onboard.OfficialAccount, onboard.MiniProgram, onboard.Channels, onboard.Shop, onboard.SalesAssistant, onboard.Supplier}
}

func statusOptions(ctx context.Context) []option {
	all := []option{{"", i18n.T(ctx, i18n.AccountsAnyStatus)}, {Acting, i18n.T(ctx, i18n.AccountsActing)}}
	for _, s := range admin.Statuses() {
		all = append(all, option{s.String(), statusWord(ctx, s)})
	}
	return all
}

func (m AccountsPage) status() string {
	if m.Address.Acting {
		return Acting
	}
	return m.Address.Status.String()
}

// setOptions are the sets that some account may lack, and the one that is asked for.
func (m AccountsPage) setOptions(ctx context.Context) []option {
	all := []option{{"", i18n.T(ctx, i18n.AccountsAnySet)}}
	ids := m.Sets
	if m.Address.Missing != 0 && !slices.Contains(ids, m.Address.Missing) {
		ids = append(slices.Clone(ids), m.Address.Missing)
	}
	for _, id := range ids {
		all = append(all, option{strconv.Itoa(int(id)), i18n.T(ctx, i18n.AccountsLacksSet, "set", views.SetName(ctx, id), "id", int(id))})
	}
	return all
}

func (m AccountsPage) missing() string {
	if m.Address.Missing == 0 {
		return ""
	}
	return strconv.Itoa(int(m.Address.Missing))
}

func (m AccountsPage) tagOptions(ctx context.Context) []option {
	all := []option{{"", i18n.T(ctx, i18n.AccountsAnyTag)}}
	tags := m.Tags
	if m.Address.Tag != "" && !slices.Contains(tags, m.Address.Tag) {
		tags = append(slices.Clone(tags), m.Address.Tag)
	}
	for _, tag := range tags {
		all = append(all, option{tag, tag})
	}
	return all
}

// columns name what the list is sorted by.
var columns = map[admin.Sort]i18n.Key{
	admin.ByName: i18n.AccountsName, admin.ByKind: i18n.AccountsKind, admin.ByStatus: i18n.AccountsStatus,
	admin.BySets: i18n.AccountsSets, admin.ByToken: i18n.AccountsToken, admin.ByChange: i18n.AccountsChanged,
}

func sortOptions(ctx context.Context) []option {
	var all []option
	for _, s := range admin.Sorts() {
		for _, reverse := range []bool{false, true} {
			key := i18n.AccountsSortUp
			if (admin.AccountQuery{Sort: s, Reverse: reverse}).Down() {
				key = i18n.AccountsSortDown
			}
			all = append(all, option{sortValue(s, reverse), i18n.T(ctx, key, "column", i18n.T(ctx, columns[s]))})
		}
	}
	return all
}

func sizeOptions(ctx context.Context) []option {
	var all []option
	for _, n := range admin.PageSizes() {
		all = append(all, option{strconv.Itoa(n), i18n.T(ctx, i18n.AccountsSizeN, "n", n)})
	}
	return all
}

// statusWord names a status.
func statusWord(ctx context.Context, s admin.Status) string {
	if s == admin.NeverDone {
		return i18n.T(ctx, i18n.AccountsStatusNever)
	}
	return i18n.T(ctx, i18n.Key("accounts.status."+s.String()))
}

// statusClass is how a status is drawn.
func statusClass(s admin.Status) string {
	switch s {
	case admin.Fine:
		return "ok"
	case admin.Dead, admin.Suspended:
		return "bad"
	case admin.Undecided, admin.Failing, admin.Incomplete, admin.NoTokens:
		return "warn"
	case admin.Unconfirmed:
		return "wait"
	}
	return "off"
}

// listedStatus is the status of a row in words.
func listedStatus(ctx context.Context, l admin.Listed) string {
	if l.Status == admin.Incomplete {
		return i18n.T(ctx, i18n.AccountsStatusMissingN, "n", len(l.Lacks))
	}
	return statusWord(ctx, l.Status)
}

// AccountStatus is the status of an account in words, as a file has it.
func AccountStatus(ctx context.Context, s admin.Status) string { return statusWord(ctx, s) }

// setCount is how many of the sets that were asked for are granted.
func setCount(ctx context.Context, l admin.Listed) string {
	switch {
	case l.Status == admin.Withdrawn:
		return "—"
	case l.Asked == 0:
		return strconv.Itoa(l.Granted)
	}
	return i18n.T(ctx, i18n.AccountsCount, "granted", l.Asked-len(l.Lacks), "asked", l.Asked)
}

// face is as much of an account as its picture needs.
func face(l admin.Listed) onboard.Account {
	return onboard.Account{AppID: l.AppID, Picture: l.Picture, Profile: onboard.Profile{Nickname: l.Name}}
}

func accountsLead(ctx context.Context, m AccountsPage) string {
	if m.Acting == 0 {
		return i18n.T(ctx, i18n.AccountsLeadFine, "n", m.Total)
	}
	return i18n.T(ctx, i18n.AccountsLead, "n", m.Total, "acting", m.Acting)
}
