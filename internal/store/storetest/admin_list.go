package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// merchants is the side of the database where accounts come from.
func (s *adminSuite) merchants() *suite {
	s.Helper()
	return &suite{T: s.T, Store: s.Store.(onboard.Store), ctx: s.ctx}
}

// listID is the AppID of the i-th account of a list.
func listID(i int) onboard.AppID { return onboard.AppID(fmt.Sprintf("wx%016x", i)) }

// listed authorizes an account with a name; change alters how it arrives.
func (s *adminSuite) listed(i int, name string, change ...func(*onboard.Arrived)) onboard.AppID {
	s.Helper()
	id, now := listID(i), at(time.Duration(i)*time.Minute)
	m := s.merchants()
	a := arrived(id, change...)
	a.At, a.Now, a.DueAt = now.Truncate(time.Second), now, now.Add(time.Hour)
	m.authorize("code of "+string(id), a)
	s.ok(m.SaveProfile(s.ctx, id, onboard.Profile{Kind: onboard.MiniProgram, Nickname: name, OriginalID: fmt.Sprintf("gh_%012d", i), Principal: "主体 of " + name, Status: 1}, now))
	return id
}

// list reads a page with the defaults that the service fills in.
func (s *adminSuite) list(q admin.AccountQuery) admin.AccountPage {
	s.Helper()
	if q.Sort == "" {
		q.Sort = admin.ByChange
	}
	if q.Size == 0 {
		q.Size = 25
	}
	return pass(s.ListAccounts(s.ctx, q))(s)
}

func idsOf(rows []admin.Listed) (ids []int) {
	for _, r := range rows {
		var i int
		_, _ = fmt.Sscanf(string(r.AppID), "wx%x", &i)
		ids = append(ids, i)
	}
	return ids
}

// found are the accounts of a filter, in the order of their numbers.
func (s *adminSuite) found(f admin.AccountFilter) []int {
	s.Helper()
	page := s.list(admin.AccountQuery{AccountFilter: f})
	ids := idsOf(page.Rows)
	slices.Sort(ids)
	if page.Total != len(ids) || page.AtLeast {
		s.Errorf("ListAccounts(%+v) has %d rows and the total %s", f, len(ids), page.TotalText())
	}
	return ids
}

func (s *adminSuite) listAccounts() {
	s.same("an empty list", s.list(admin.AccountQuery{}), admin.AccountPage{})
	s.same("no counts", len(pass(s.CountAccounts(s.ctx))(s)), 0)
	id := s.listed(1, "山茶花", func(a *onboard.Arrived) { a.Wanted = []onboard.PermissionID{1, 17, 18} })
	page := s.list(admin.AccountQuery{})
	if len(page.Rows) != 1 {
		s.Fatalf("ListAccounts = %+v, want one row", page)
	}
	s.same("the row", page.Rows[0], admin.Listed{
		AppID: id, Name: "山茶花", OriginalID: "gh_000000000001", Principal: "主体 of 山茶花", Kind: onboard.MiniProgram,
		Status: admin.Incomplete, Granted: 2, Asked: 3, Lacks: []onboard.PermissionID{18},
		TokenUntil: page.Rows[0].TokenUntil, ChangedAt: at(time.Minute),
	})
	if left := page.Rows[0].TokenUntil.Sub(at(time.Minute)); left <= time.Hour || left > 2*time.Hour {
		s.Errorf("the token of the row lasts %v", left)
	}
	s.same("counts", pass(s.CountAccounts(s.ctx))(s), []admin.AccountCount{{Status: admin.Incomplete, Kind: onboard.MiniProgram, N: 1}})
}

// listPages: every column in both directions is walked forth and back again,
// without a row twice or left out, although many have the same value.
func (s *adminSuite) listPages() {
	const n = 60
	for i := range n {
		s.listed(i, fmt.Sprintf("店 %d", i%7), func(a *onboard.Arrived) {
			a.Wanted = [][]onboard.PermissionID{nil, {1, 18}, {1, 18, 19}}[i%3]
		})
	}
	for _, sort := range admin.Sorts() {
		for _, reverse := range []bool{false, true} {
			for _, f := range []admin.AccountFilter{{}, {Kind: onboard.MiniProgram}, {Query: "店"}} {
				q := admin.AccountQuery{AccountFilter: f, Sort: sort, Reverse: reverse}
				what := fmt.Sprintf("%s, reverse %v, %+v", sort, reverse, f)
				var forth [][]int
				for {
					page := s.list(q)
					s.same("the total of "+what, page.TotalText(), fmt.Sprint(n))
					s.same("a way back of "+what, page.Prev.Zero(), len(forth) == 0)
					forth = append(forth, idsOf(page.Rows))
					if page.Next.Zero() || len(forth) > n {
						break
					}
					q.After = admin.ParseCursor(page.Next.String())
				}
				all := slices.Concat(forth...)
				s.same("rows of "+what, len(all), n)
				slices.Sort(all)
				s.same("different rows of "+what, len(slices.Compact(all)), n)
				s.same("pages of "+what, len(forth), 3)
				s.sorted(what, q, slices.Concat(forth...))

				last := s.list(q)
				for i := len(forth) - 2; i >= 0; i-- {
					q.After, q.Before = admin.Cursor{}, last.Prev
					last = s.list(q)
					s.same("back on "+what, idsOf(last.Rows), forth[i])
					s.same("forth again on "+what, last.Next.Zero(), false)
				}
				s.same("the first page has none before it: "+what, last.Prev.Zero(), true)
			}
		}
	}
	q := admin.AccountQuery{NoTotal: true, Size: 1000}
	if page := s.list(q); len(page.Rows) != n || page.Total != 0 || !page.Next.Zero() {
		s.Errorf("ListAccounts(NoTotal) = %d rows, total %d", len(page.Rows), page.Total)
	}
}

// sorted checks that the rows come in the order of the column.
func (s *adminSuite) sorted(what string, q admin.AccountQuery, ids []int) {
	s.Helper()
	rows := map[int]admin.Listed{}
	for _, r := range s.list(admin.AccountQuery{Size: 1000}).Rows {
		rows[idsOf([]admin.Listed{r})[0]] = r
	}
	compare := func(a, b admin.Listed) int {
		switch q.Sort {
		case admin.ByName:
			return strings.Compare(a.Name, b.Name)
		case admin.ByKind:
			return strings.Compare(string(a.Kind), string(b.Kind))
		case admin.ByStatus:
			return int(a.Status - b.Status)
		case admin.BySets:
			return len(a.Lacks) - len(b.Lacks)
		case admin.ByToken:
			return a.TokenUntil.Compare(b.TokenUntil)
		}
		return a.ChangedAt.Compare(b.ChangedAt)
	}
	for i := 1; i < len(ids); i++ {
		c := compare(rows[ids[i-1]], rows[ids[i]])
		if q.Down() && c < 0 || !q.Down() && c > 0 {
			s.Errorf("%s: row %d before %d", what, ids[i-1], ids[i])
			return
		}
	}
}

func (s *adminSuite) listFilters() {
	m := s.merchants()
	wanted := func(ids ...onboard.PermissionID) func(*onboard.Arrived) {
		return func(a *onboard.Arrived) { a.Wanted = ids }
	}
	s.listed(1, "fine")
	s.listed(2, "lacks 18", wanted(1, 18))
	s.listed(3, "lacks 18 and 19", wanted(1, 18, 19))
	s.listed(4, "put aside", func(a *onboard.Arrived) { a.Standing = onboard.Quarantined })
	s.listed(5, "withdrawn", wanted(1, 18))
	must(m.SaveRevoked(s.ctx, listID(5), wechat(time.Hour), at(time.Hour)))(m)
	s.listed(6, "an account")
	s.ok(m.SaveProfile(s.ctx, listID(6), onboard.Profile{Kind: onboard.OfficialAccount, Nickname: "an account", Status: 1}, at(6*time.Minute)))
	s.listed(7, "stopped")
	must(m.SaveStopped(s.ctx, listID(7), true, at(2*time.Hour)))(m)
	s.listed(8, "hidden", wanted(1, 18))
	pass(s.SaveHidden(s.ctx, listID(8), true, at(3*time.Hour)))(s)
	pass(s.SaveTag(s.ctx, []onboard.AppID{listID(1), listID(3), listID(8)}, "重点", "陈晓", 20, at(4*time.Hour)))(s)

	for _, tt := range []struct {
		name string
		f    admin.AccountFilter
		want []int
	}{
		{"nothing", admin.AccountFilter{}, []int{1, 2, 3, 4, 5, 6, 7}},
		{"kind", admin.AccountFilter{Kind: onboard.OfficialAccount}, []int{6}},
		{"kind of none", admin.AccountFilter{Kind: onboard.Shop}, nil},
		{"acting", admin.AccountFilter{Acting: true}, []int{2, 3, 4}},
		{"status ok", admin.AccountFilter{Status: admin.Fine}, []int{1, 6}},
		{"status put aside", admin.AccountFilter{Status: admin.Undecided}, []int{4}},
		{"status withdrawn", admin.AccountFilter{Status: admin.Withdrawn}, []int{5}},
		{"status stopped", admin.AccountFilter{Status: admin.Stopped}, []int{7}},
		{"missing 18", admin.AccountFilter{Missing: 18}, []int{2, 3}},
		{"missing 19", admin.AccountFilter{Missing: 19}, []int{3}},
		{"missing what is granted", admin.AccountFilter{Missing: 1}, nil},
		{"tag", admin.AccountFilter{Tag: "重点"}, []int{1, 3}},
		{"tag of none", admin.AccountFilter{Tag: "重"}, nil},
		{"since", admin.AccountFilter{Since: at(time.Hour)}, []int{5, 7}},
		{"hidden", admin.AccountFilter{Hidden: true}, []int{8}},
		{"hidden and missing", admin.AccountFilter{Hidden: true, Missing: 18, Tag: "重点"}, []int{8}},
		{"two conditions", admin.AccountFilter{Missing: 18, Tag: "重点"}, []int{3}},
		{"all conditions", admin.AccountFilter{Query: "lacks", Kind: onboard.MiniProgram, Status: admin.Incomplete, Missing: 19, Tag: "重点", Since: at(time.Minute)}, []int{3}},
		{"conditions that exclude each other", admin.AccountFilter{Status: admin.Fine, Missing: 18}, nil},
	} {
		s.same(tt.name, s.found(tt.f), tt.want)
	}
	counts := map[admin.Status]int{}
	for _, c := range pass(s.CountAccounts(s.ctx))(s) {
		counts[c.Status] += c.N
	}
	s.same("counts", counts, map[admin.Status]int{admin.Fine: 2, admin.Incomplete: 2, admin.Undecided: 1, admin.Withdrawn: 1, admin.Stopped: 1})
}
