package storetest

import (
	"fmt"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func (s *adminSuite) listSearch() {
	s.listed(1, "山茶花茶舍")
	s.listed(2, "Camellia ＴＥＡ")
	s.listed(3, "青禾生活")
	s.ok(s.SaveNote(s.ctx, listID(3), admin.Note{At: at(time.Hour), Author: "陈晓", Text: strings.Repeat("很长的备注。", 100) + "电话 400-820-8820"}))
	pass(s.SaveTag(s.ctx, []onboard.AppID{listID(1)}, "华东 VIP", "陈晓", 20, at(time.Hour)))(s)
	for query, want := range map[string][]int{
		"山茶花":                {1},
		"茶":                  {1}, // one character within a name
		"花茶":                 {1},
		"茶花山":                nil,
		"camellia":           {2},
		"CAMELLIA tea":       {2},
		"tea":                {2}, // full width is normal width
		"mell":               {2},
		"ca":                 {2}, // two letters at the beginning of a field
		"me":                 nil, // and not within
		"wx0000000000000002": {2}, // AppID
		"0000000003":         {3},
		"gh_000000000003":    {3},
		"主体":                 {1, 2, 3},
		"主体 青禾":              {3},
		"400-820":            {3}, // at the end of a long note
		"vip":                {1},
		"华东":                 {1},
		"nothing at all":     nil,
		"%":                  nil,
		"wx_":                nil, // no wildcard
	} {
		s.same("search "+query, s.found(admin.AccountFilter{Query: query}), want)
	}
	m := s.merchants()
	s.ok(m.SaveProfile(s.ctx, listID(1), onboard.Profile{Kind: onboard.MiniProgram, Nickname: "改了名"}, at(2*time.Hour)))
	s.same("the old name", s.found(admin.AccountFilter{Query: "山茶花"}), []int(nil))
	s.same("the new name", s.found(admin.AccountFilter{Query: "改了"}), []int{1})
	s.same("changing the name is a change", s.found(admin.AccountFilter{Since: at(2 * time.Hour)}), []int{1})
	pass(s.DropTag(s.ctx, listID(1), "华东 VIP", at(3*time.Hour)))(s)
	s.same("a tag that is gone", s.found(admin.AccountFilter{Query: "华东"}), []int(nil))
}

// listHostile: whatever a name or a query holds, it is text.
func (s *adminSuite) listHostile() {
	names := []string{`<script>alert(1)</script>"'&`, "a\u202eb\x00c\nd", "100%_!", strings.Repeat("很长", 300), "  \u200b ", "🏳️‍🌈 flag"}
	for i, name := range names {
		s.listed(i+1, strings.ReplaceAll(name, "\x00", "")) // PostgreSQL takes no NUL, WeChat's JSON has none
	}
	for query, want := range map[string][]int{
		"<script>": {1}, `"'&`: {1}, "100%": {3}, "%_!": {3}, "0%_!": {3}, "很长很长": {4}, "🌈": {6}, "\x00": {1, 2, 3, 4, 5, 6},
		"'; DROP TABLE account_list; --": nil, strings.Repeat("x", 5000): nil,
	} {
		s.same(fmt.Sprintf("search %.20q", query), s.found(admin.AccountFilter{Query: query}), want)
	}
	s.same("a hostile tag", s.found(admin.AccountFilter{Tag: "'; --"}), []int(nil))
	bad := admin.AccountQuery{After: admin.Cursor{Text: "'; --", Number: -1 << 62, AppID: "wx0000000000000001"}}
	if page := s.list(bad); len(page.Rows) != 0 {
		s.Errorf("a page behind everything has %d rows", len(page.Rows))
	}
}

// listFollows: what happens to an account is in its row at once.
func (s *adminSuite) listFollows() {
	m := s.merchants()
	id := s.listed(1, "店", func(a *onboard.Arrived) { a.Wanted = []onboard.PermissionID{1, 17, 18} })
	row := func() admin.Listed { s.Helper(); return pass(s.AccountState(s.ctx, id))(s).Listed }
	is := func(what string, want admin.Status, changed time.Duration) {
		s.Helper()
		if r := row(); r.Status != want || !r.ChangedAt.Equal(at(changed)) {
			s.Errorf("%s: status %v changed %v, want %v and %v", what, r.Status, r.ChangedAt.Sub(t0), want, changed)
		}
	}
	is("authorized", admin.Incomplete, time.Minute)
	refresh := func(d time.Duration, failure string) {
		s.Helper()
		due, ok, err := m.ClaimAccount(s.ctx, id, at(d), at(d+time.Minute))
		if err != nil || !ok {
			s.Fatal(ok, err)
		}
		r := onboard.Refreshed{AppID: id, Fence: due.Fence, WasDueAt: due.DueAt, Now: at(d), DueAt: at(d + time.Hour), Failure: failure}
		if failure == "" {
			r.Tokens = tokens("access 2", "")
		}
		must(m.SaveRefreshed(s.ctx, []onboard.Refreshed{r}))(m)
	}
	refresh(time.Hour, "")
	is("refreshed: nothing a list tells", admin.Incomplete, time.Minute)
	if until := row().TokenUntil; until.Before(at(2 * time.Hour)) {
		s.Errorf("the row of a refreshed account says %v", until)
	}
	for i := range 3 {
		refresh(time.Duration(2+i)*time.Hour, "api_authorizer_token -1")
	}
	is("failing", admin.Failing, 4*time.Hour)
	refresh(5*time.Hour, "")
	is("mended", admin.Incomplete, 5*time.Hour)
	due, _, err := m.ClaimAccount(s.ctx, id, at(6*time.Hour), at(7*time.Hour))
	s.ok(err)
	s.ok(m.SaveRescan(s.ctx, id, due.Fence, "api_authorizer_token 61023", at(6*time.Hour)))
	is("dead", admin.Dead, 6*time.Hour)
	s.same("the token of a dead account", row().TokenUntil.IsZero(), true)
	m.authorize("again", arrived(id, func(a *onboard.Arrived) {
		a.At, a.Now, a.Grants, a.Wanted = wechat(7*time.Hour), at(7*time.Hour), grants(1, 17, 18), []onboard.PermissionID{1, 17, 18}
	}))
	is("mended by the merchant", admin.Fine, 7*time.Hour)
	s.same("lacks", row().Lacks, []onboard.PermissionID(nil))
	must(m.SaveStopped(s.ctx, id, true, at(8*time.Hour)))(m)
	is("stopped", admin.Stopped, 8*time.Hour)
	must(m.SaveStopped(s.ctx, id, false, at(9*time.Hour)))(m)
	is("served again", admin.Fine, 9*time.Hour)
	must(m.SaveRevoked(s.ctx, id, wechat(10*time.Hour), at(10*time.Hour)))(m)
	is("withdrawn", admin.Withdrawn, 10*time.Hour)
	s.same("the token of a withdrawn account", row().TokenUntil.IsZero(), true)
}

func (s *adminSuite) seenSets() {
	s.same("of none", len(pass(s.SeenSets(s.ctx))(s)), 0)
	s.listed(1, "a", func(a *onboard.Arrived) { a.Wanted, a.Grants = []onboard.PermissionID{1, 18, 99}, grants(1, 4711) })
	s.listed(2, "b", func(a *onboard.Arrived) { a.Wanted, a.Grants = []onboard.PermissionID{1, 99}, grants(1, 18) })
	s.same("SeenSets", pass(s.SeenSets(s.ctx))(s), []admin.SeenSet{{ID: 1, Granted: true}, {ID: 18, Granted: true}, {ID: 99}, {ID: 4711, Granted: true}})
	m := s.merchants()
	must(m.SaveRevoked(s.ctx, listID(1), wechat(time.Hour), at(time.Hour)))(m)
	s.same("without the withdrawn", pass(s.SeenSets(s.ctx))(s), []admin.SeenSet{{ID: 1, Granted: true}, {ID: 18, Granted: true}, {ID: 99}})
}
