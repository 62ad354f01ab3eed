package adminviews_test

import (
	"bytes"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// accountPages are the pages about accounts with text in every place where somebody
// else's can be.
func accountPages(f adminviews.Frame, text string) map[string]templ.Component {
	listed := admin.Listed{
		AppID: "wx8f2c40d1a7be91d0", Name: text, OriginalID: text, Principal: text, Kind: onboard.MiniProgram, Status: admin.Incomplete, Granted: 4, Asked: 6,
		Lacks: []onboard.PermissionID{19, 4711}, Tags: []string{text, "a"}, TokenUntil: noon.Add(time.Hour), ChangedAt: noon,
	}
	rows := []admin.Listed{listed}
	for _, s := range admin.Statuses() {
		l := listed
		l.Status, l.Name, l.Tags, l.TokenUntil = s, "", nil, time.Time{}
		rows = append(rows, l)
	}
	address := adminviews.AccountsAddress{AccountQuery: admin.AccountQuery{
		AccountFilter: admin.AccountFilter{Query: text, Tag: text, Missing: 4711, Acting: true, Hidden: true, Since: noon, Kind: onboard.MiniProgram}, Sort: admin.ByName, Size: 50,
	}, Day: text, At: 50}
	cursor := admin.Cursor{Text: text, AppID: listed.AppID}
	list := adminviews.AccountsPage{
		Frame: f, Address: address, Total: 128, Acting: 3, Sets: []onboard.PermissionID{19}, Tags: []string{text, "b"}, InvitePath: "/admin/invites/new",
		Page:   admin.AccountPage{Rows: rows, Total: 60, AtLeast: true, Prev: cursor, Next: cursor},
		Faults: adminviews.Faults{{Field: "since", Key: "audit.error.date"}},
	}
	none := list
	none.Page = admin.AccountPage{}
	behind := list
	behind.Page.Rows = nil
	bulk := adminviews.BulkPage{Frame: f, Address: address, Plan: admin.BulkPlan{Accounts: 5, Invitable: 3, More: true}, Life: 7 * 24 * time.Hour, NewTag: text,
		Faults: adminviews.Faults{{Field: "new_tag", Key: admin.KeyTag}}}
	nobody := bulk
	nobody.Plan, nobody.Faults = admin.BulkPlan{Accounts: 1}, adminviews.Faults{{Field: "go", Key: admin.KeyBulkChanged}}
	pages := map[string]templ.Component{
		"accounts":        adminviews.Accounts(list),
		"accounts none":   adminviews.Accounts(none),
		"accounts behind": adminviews.Accounts(behind),
		"accounts empty":  adminviews.Accounts(adminviews.AccountsPage{Frame: f}),
		"invite all":      adminviews.InviteAll(bulk),
		"invite nobody":   adminviews.InviteAll(nobody),
		"tag all":         adminviews.TagAll(bulk),
		"links":           adminviews.Batch(adminviews.BatchPage{Frame: f, Batch: text, More: true, Links: []adminviews.BatchLink{{Account: listed, URL: "https://x/" + text, Until: noon}}}),
		"stop":            adminviews.StopAccount(accountPage(f, text, admin.Fine)),
		"hide":            adminviews.HideAccount(accountPage(f, text, admin.Fine)),
	}
	for _, s := range append(admin.Statuses(), admin.NeverDone) {
		pages["account "+s.String()] = adminviews.Account(accountPage(f, text, s))
	}
	return pages
}

// accountPage is one account in a status.
func accountPage(f adminviews.Frame, text string, s admin.Status) adminviews.AccountPage {
	a := onboard.Account{
		AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Active, ProfileAt: noon.Add(-24 * time.Hour), Grants: onboard.Grants{{ID: 17, Confirm: &onboard.Confirm{Need: true}}, {ID: 18}},
		Wanted: []onboard.PermissionID{17, 18, 19, 40}, AuthorizedAt: noon.Add(-time.Hour), RevokedAt: noon, AccessExpiresAt: noon.Add(time.Hour), RefreshedAt: noon,
		Failures: 3, LastError: "api_authorizer_token 61023 rid 65f0", CreatedAt: noon,
		Profile: onboard.Profile{Kind: onboard.MiniProgram, Nickname: text, Principal: text, OriginalID: text, Alias: text, Signature: text, Status: 16,
			Categories: []onboard.Category{{First: text, Second: text}}},
	}
	if s == admin.Stopped {
		a.StoppedAt = noon
	}
	open := onboard.Attempt{ID: text, InviteCode: "CODE", InvitedBy: text, ExpiresAt: noon.Add(time.Hour), BizAppID: a.AppID}
	sets := []onboard.PermissionID{19, 4711}
	var strip []admin.Cell
	for i := range admin.StripCells {
		strip = append(strip, admin.Cell{State: admin.CellState(i % 4)})
	}
	return adminviews.AccountPage{
		Frame: f, OpenURL: "https://x/" + text, NewNote: "</textarea>" + text, NewTag: text,
		Faults: adminviews.Faults{{Field: "note", Key: admin.KeyNote}, {Field: "tag", Key: admin.KeyTag}},
		AccountDetail: admin.AccountDetail{
			Account: a, Status: s, Since: noon.Add(-2 * time.Hour), Strip: strip, Attempts: []onboard.Attempt{open}, Open: &open,
			State:   admin.AccountState{Listed: admin.Listed{Tags: []string{text, "b"}, TokenUntil: noon.Add(time.Hour), Hidden: s == admin.Fine}, DueAt: noon.Add(time.Minute)},
			Sets:    []admin.SetRow{{ID: 19, Asked: true}, {ID: 4711, Has: true, Granted: true}, {ID: 17, Has: true, Asked: true, Granted: true, Waits: true}, {ID: 52, Has: true}},
			Changes: []onboard.GrantChange{{At: noon, Added: sets}, {At: noon, Removed: sets}, {At: noon, Added: sets, Removed: sets}},
			Notes:   []admin.Note{{At: noon, Author: text, Text: text + "\n" + text}},
			Timeline: []admin.Happening{
				{At: noon, Kind: admin.HappenedInvited, Actor: text, Attempt: text}, {At: noon, Kind: admin.HappenedBegun}, {At: noon, Kind: admin.HappenedOpened, Attempt: text},
				{At: noon, Kind: admin.HappenedHandedOff, Detail: text}, {At: noon, Kind: admin.HappenedAuthorized}, {At: noon, Kind: admin.HappenedMissing},
				{At: noon, Kind: admin.HappenedWrong}, {At: noon, Kind: admin.HappenedChanged, Added: sets}, {At: noon, Kind: admin.HappenedRefreshed},
				{At: noon, Kind: admin.HappenedFailed, Times: 4, Detail: text}, {At: noon, Kind: admin.HappenedRevoked}, {At: noon, Kind: admin.HappenedRescan, Detail: text},
				{At: noon, Kind: admin.HappenedActed, Actor: text, Action: text, Detail: text}, {At: noon, Kind: admin.HappenedActed, Actor: text, Action: "account.stop"},
			},
		},
	}
}

// words is what a reader sees of a page.
func words(t *testing.T, page templ.Component, l i18n.Lang) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page, l).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestAccount_Why: every status says what is wrong and leads to what mends it, with
// one button; a reader who may only look has none.
func TestAccount_Why(t *testing.T) {
	f := adminviews.Frame{Admin: admin.Admin{ID: "ME", Role: admin.Operator}}
	f.Now = noon
	for status, tt := range map[admin.Status]struct {
		text   string
		button string // the end of the form's action or of the link
	}{
		admin.Undecided:   {"请核对：这是你邀请的商家吗？", "/decide"},
		admin.Dead:        {"微信说刷新令牌无效（61023）", "/invite"},
		admin.Failing:     {"最近 3 次刷新失败，现有令牌今天 13:00 到期", ""},
		admin.Suspended:   {"账号已被微信封禁", "/refresh"},
		admin.Incomplete:  {"还缺 2 项权限", "/invite"},
		admin.Unconfirmed: {"有权限等商家确认", ""},
		admin.NoTokens:    {"没有接口权限", "/invite"},
		admin.Fine:        {"", ""},
		admin.Stopped:     {"已停止服务", "/resume"},
		admin.Refused:     {"核对的结果是“不是这个商家”", "/decide"},
		admin.Withdrawn:   {"商家在今天 10:00 取消了授权", "/invite"},
		admin.NeverDone:   {"邀请过 1 次，商家还没有完成授权", "/invite"},
	} {
		m := accountPage(f, "店", status)
		if got := words(t, adminviews.Account(m), i18n.Chinese); !strings.Contains(got, tt.text) {
			t.Errorf("%v: the page lacks %q:\n%s", status, tt.text, got)
		}
		for _, may := range []bool{true, false} {
			if !may {
				m.Frame.Admin.Role = admin.Viewer
			}
			var notes, buttons []string
			for n := range parse(t, adminviews.Account(m), i18n.Chinese).Descendants() {
				if n.Data == "div" && strings.HasPrefix(attr(n, "class"), "note") {
					notes = append(notes, attr(n, "class"))
					for d := range n.Descendants() {
						if to := attr(d, "action") + attr(d, "href"); to != "" {
							buttons = append(buttons, strings.TrimPrefix(to, "/admin/accounts/wx8f2c40d1a7be91d0"))
						}
					}
				}
				if !may && (n.Data == "form" && attr(n, "action") != adminviews.SignOutPath || n.Data == "textarea") {
					t.Errorf("%v: a viewer is shown the form %q", status, attr(n, "action"))
				}
			}
			want := strings.Fields(tt.button)
			if !may {
				want = nil
			}
			if (len(notes) == 1) != (status != admin.Fine) || strings.Join(buttons, " ") != strings.Join(want, " ") {
				t.Errorf("%v, may %v: notes %q with buttons %q, want %q", status, may, notes, buttons, want)
			}
		}
	}
}

// TestAccountsAddress: what stands in the address chooses the same page again.
func TestAccountsAddress(t *testing.T) {
	a := adminviews.AccountsAddress{AccountQuery: admin.AccountQuery{Sort: admin.ByChange, Size: 25}}
	if got := a.URL(); got != "/admin/accounts" {
		t.Errorf("URL of the plain list = %q", got)
	}
	a.Query, a.Status, a.Sort, a.Reverse, a.Size, a.At = "a b&c", admin.Dead, admin.ByName, true, 100, 100
	a.After = admin.Cursor{Text: "x", AppID: "wx8f2c40d1a7be91d0"}
	u, err := url.Parse(a.URL())
	want := map[string]string{"q": "a b&c", "status": "dead", "sort": "-name", "size": "100", "at": "100", "after": a.After.String()}
	got := map[string]string{}
	for name := range u.Query() {
		got[name] = u.Query().Get(name)
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("URL = %q: %v, want %v", u, got, want)
	}
	if got := a.Of(adminviews.AccountsCSVPath); got != "/admin/accounts/export.csv?q=a+b%26c&status=dead" {
		t.Errorf("the file of the filter is at %q", got)
	}
}

// TestAccounts_Sort: the column that sorts says so, and its link turns it round.
func TestAccounts_Sort(t *testing.T) {
	f := adminviews.Frame{}
	for q, want := range map[admin.AccountQuery]string{
		{Sort: admin.ByChange, Size: 25}:                "descending /admin/accounts?sort=-changed",
		{Sort: admin.ByChange, Size: 25, Reverse: true}: "ascending /admin/accounts",
		{Sort: admin.ByName, Size: 25}:                  "ascending /admin/accounts?sort=-name",
	} {
		page := adminviews.Accounts(adminviews.AccountsPage{Frame: f, Address: adminviews.AccountsAddress{AccountQuery: q}, Total: 1,
			Page: admin.AccountPage{Rows: []admin.Listed{{AppID: "wx8f2c40d1a7be91d0", ChangedAt: noon}}, Total: 1}})
		var got []string
		links := 0
		for n := range parse(t, page, i18n.English).Descendants() {
			if n.Data != "th" {
				continue
			}
			for d := range n.Descendants() {
				if d.Data == "a" {
					links++
					if s := attr(n, "aria-sort"); s != "" {
						got = append(got, s+" "+attr(d, "href"))
					}
				}
			}
		}
		if strings.Join(got, "; ") != want || links != len(admin.Sorts()) {
			t.Errorf("sorted by %+v: %q and %d links, want %q and %d", q, got, links, want, len(admin.Sorts()))
		}
	}
}

// TestAccounts_Weight: the longest page stays small.
func TestAccounts_Weight(t *testing.T) {
	f := adminviews.Frame{}
	f.Now = noon
	rows := make([]admin.Listed, 100)
	for i := range rows {
		rows[i] = admin.Listed{AppID: "wx8f2c40d1a7be91d0", Name: "山茶花茶舍", Kind: onboard.MiniProgram, Status: admin.Fine, Granted: 6, Asked: 6, TokenUntil: noon, ChangedAt: noon}
	}
	var b bytes.Buffer
	m := adminviews.AccountsPage{Frame: f, Total: 100, Page: admin.AccountPage{Rows: rows, Total: 100}}
	if err := adminviews.Accounts(m).Render(i18n.With(t.Context(), i18n.Chinese), &b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 150_000 {
		t.Errorf("a page of 100 accounts weighs %d bytes", b.Len())
	}
}
