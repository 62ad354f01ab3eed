package adminviews_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// inviteStates are an invite in every state that a page can show.
func inviteStates(text string) map[string]adminviews.InvitePage {
	account := &onboard.Account{AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Active, Grants: onboard.Grants{{ID: 17}}, AuthorizedAt: noon,
		Profile: onboard.Profile{Kind: onboard.MiniProgram, Nickname: text, Principal: text, OriginalID: text, Status: 19}}
	put := func(change func(*adminviews.InvitePage)) adminviews.InvitePage {
		m := adminviews.InvitePage{Link: "https://open.example.com/i/7K3M9Q2XAB", Life: onboard.InviteLife, Accounts: true, Invite: admin.Invite{Attempt: onboard.Attempt{
			ID: "ID", PhoneCode: "7K3M9Q2X", InviteCode: "7K3M9Q2XAB", Recipient: text, Reference: text, InvitedBy: text, Batch: text, ReturnURL: "https://shop.example.com/" + text,
			AuthType: onboard.MiniPrograms, BizAppID: "wx8f2c40d1a7be91d0", Wanted: []onboard.PermissionID{17, 18, 201}, Language: "en",
			CreatedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(72 * time.Hour), Version: 1,
		}}}
		change(&m)
		return m
	}
	finished := func(verdict onboard.Verdict, standing onboard.Standing) func(*adminviews.InvitePage) {
		return func(m *adminviews.InvitePage) {
			came := *account
			came.Standing = standing
			m.Account = &came
			m.Invite.OpenedAt, m.Invite.HandedOffAt, m.Invite.ArrivedAt, m.Invite.FinishedAt = noon, noon, noon, noon
			m.Invite.Verdict, m.Invite.AppID, m.Invite.Missing = verdict, came.AppID, []onboard.PermissionID{18, 30}
		}
	}
	return map[string]adminviews.InvitePage{
		"created": put(func(m *adminviews.InvitePage) { m.Expected = account }),
		"opened":  put(func(m *adminviews.InvitePage) { m.Invite.OpenedAt = noon }),
		"handed_off": put(func(m *adminviews.InvitePage) {
			m.Invite.HandedOffAt, m.Invite.CodeEndsAt = noon, noon.Add(time.Hour)
		}),
		"no_answer":  put(func(m *adminviews.InvitePage) { m.Invite.HandedOffAt = noon.Add(-time.Hour) }),
		"exchanging": put(func(m *adminviews.InvitePage) { m.Invite.ArrivedAt = noon }),
		"blocked":    put(func(m *adminviews.InvitePage) { m.Invite.Blocked = onboard.KeyBlockedIP }),
		"done":       put(finished(onboard.Connected, onboard.Active)),
		"missing":    put(finished(onboard.Missing, onboard.Active)),
		"wrong": put(func(m *adminviews.InvitePage) {
			finished(onboard.WrongAccount, onboard.Quarantined)(m)
			m.Invite.Undecided, m.Invite.BizAppID, m.Expected = true, "wx1111111111111111", account
		}),
		"undecided": put(func(m *adminviews.InvitePage) {
			finished(onboard.Connected, onboard.Quarantined)(m)
			m.Invite.Undecided, m.Invite.Hold, m.Invite.BizAppID = true, true, ""
		}),
		"refused": put(func(m *adminviews.InvitePage) {
			finished(onboard.Connected, onboard.Refused)(m)
			m.Invite.Hold, m.Invite.BizAppID = true, ""
		}),
		"expired": put(func(m *adminviews.InvitePage) { m.Invite.ExpiresAt = noon; m.Invite.Wanted = nil }),
		"canceled": put(func(m *adminviews.InvitePage) {
			m.Invite.CanceledAt, m.Invite.ExpiresAt = noon, noon
			m.Invite.Recipient, m.Invite.BizAppID, m.Invite.InvitedBy = "", "", ""
		}),
		"revoked": put(func(m *adminviews.InvitePage) {
			finished(onboard.Connected, onboard.Revoked)(m)
			m.Invite.RevokedAt = noon
		}),
	}
}

func invitePages(text string, f adminviews.Frame) map[string]templ.Component {
	all := map[string]templ.Component{}
	list := adminviews.InvitesPage{Frame: f, Query: admin.InviteQuery{Query: text, Batch: text, State: admin.InviteLapsed}, Next: admin.InviteCursor{At: noon, ID: "ID"}}
	states := inviteStates(text)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		m := states[name]
		m.Frame = f
		all["invite "+name] = adminviews.Invite(m)
		all["invite revoke "+name] = adminviews.RevokeInvite(m)
		list.Rows = append(list.Rows, m.Invite)
		came := onboard.Account{AppID: "wx8f2c40d1a7be91d0"}
		if m.Account != nil {
			came = *m.Account
		}
		all["decide "+name] = adminviews.Decide(adminviews.DecidePage{Frame: f, Back: "/admin", Decision: admin.Decision{Account: came, Invite: m.Invite.Attempt, Expected: m.Expected},
			Faults: adminviews.Faults{{Field: "decision", Key: "invites.error.decision"}}})
	}
	all["decide unknown"] = adminviews.Decide(adminviews.DecidePage{Frame: f, Back: "/admin", Decision: admin.Decision{Account: onboard.Account{AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Quarantined}}})
	list.Query.After = admin.InviteCursor{At: noon, ID: "ID"}
	all["invites"] = adminviews.Invites(list)
	all["invites none"] = adminviews.Invites(adminviews.InvitesPage{Frame: f})
	all["invites no match"] = adminviews.Invites(adminviews.InvitesPage{Frame: f, Query: admin.InviteQuery{Query: text}})
	form := adminviews.InviteForm{Recipient: text, Type: "2", AppID: text, Sets: []string{"17", text}, More: text, Language: "en", Life: "24", Reference: text, ReturnURL: text}
	groups := adminviews.SetGroups(context.Background(), []onboard.PermissionID{17, 201})
	all["invite new"] = adminviews.NewInvite(adminviews.NewInvitePage{Frame: f, Form: form, Groups: groups, Lives: []time.Duration{24 * time.Hour}, Default: []onboard.PermissionID{17},
		Hosts: []string{text}, Check: true, Unreleased: true, Faults: adminviews.Faults{
			{Field: "recipient", Key: "invites.error.recipient"}, {Field: "sets", Key: "invites.error.ungrantable", Args: []any{"sets", text}},
			{Field: "more", Key: onboard.KeyPermissionIDs}, {Field: "life", Key: "invites.error.life", Args: []any{"from", text, "to", text}},
			{Field: "language", Key: "invites.error.language"}, {Field: "return_url", Key: onboard.KeyReturnURL},
		}})
	all["invite new, the first"] = adminviews.NewInvite(adminviews.NewInvitePage{Frame: f, Groups: groups, First: true})
	return all
}

// TestInvite_States: an invite says what is the matter with it in both languages,
// and shows its link only while that works.
func TestInvite_States(t *testing.T) {
	for name, m := range inviteStates("山茶花") {
		for _, l := range i18n.Langs() {
			m.Now = noon
			var b strings.Builder
			if err := adminviews.InviteLive(m).Render(i18n.With(context.Background(), l), &b); err != nil {
				t.Fatal(err)
			}
			want := i18n.T(i18n.With(context.Background(), l), i18n.Key("invites.state."+name), "n", 2)
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s in %s lacks %q:\n%s", name, l, want, b.String())
			}
			works := map[string]bool{"created": true, "opened": true, "handed_off": true, "no_answer": true, "exchanging": true, "blocked": true}[name]
			if shown := strings.Contains(b.String(), m.Link); shown != works {
				t.Errorf("%s shows the link: %t, want %t", name, shown, works)
			}
		}
	}
}

// TestInvite_Message is in the language of the invite, whoever reads the page.
func TestInvite_Message(t *testing.T) {
	m := inviteStates("Lin")["created"]
	m.Now, m.Brand.Name, m.Expected = noon, "青禾云", nil
	for language, want := range map[string]string{
		"en":    "Hello Lin, 青禾云 invites you to connect your",
		"zh-CN": "Lin，你好。青禾云邀请你授权小程序",
	} {
		m.Invite.Language, m.Invite.BizAppID = language, ""
		var b strings.Builder
		if err := adminviews.InviteLive(m).Render(i18n.With(context.Background(), i18n.Chinese), &b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) || !strings.Contains(b.String(), `lang="`+language+`"`) || !strings.Contains(b.String(), "2026") {
			t.Errorf("the message in %s lacks %q:\n%s", language, want, b.String())
		}
	}
}

// TestSetGroups: the form offers every named set once, those in use first.
func TestSetGroups(t *testing.T) {
	seen := map[onboard.PermissionID]int{}
	groups := adminviews.SetGroups(context.Background(), []onboard.PermissionID{18, 9999})
	for _, g := range groups {
		if g.Title == "" || len(g.IDs) == 0 {
			t.Errorf("a group is %+v", g)
		}
		for _, id := range g.IDs {
			seen[id]++
		}
	}
	if fmt.Sprint(groups[0].IDs) != "[18 9999]" {
		t.Errorf("the first group is %v", groups[0])
	}
	for _, set := range onboard.Catalog() {
		want := 1
		if set.ZH == "" {
			want = 0
		}
		if seen[set.ID] != want {
			t.Errorf("the set %s is offered %d times, want %d", strconv.Itoa(int(set.ID)), seen[set.ID], want)
		}
	}
}

// overviewPages are the overview with every cause, with none, and at the beginning.
func overviewPages(f adminviews.Frame) map[string]templ.Component {
	has := func(path string) bool { return path != adminviews.WizardPath }
	all := map[string]templ.Component{
		"overview":       adminviews.Overview(adminviews.OverviewPage{Frame: f, Has: has, Overview: admin.Overview{Began: true, Todo: everyCause(), Total: 12, Served: 3, Waiting: 1000, MoreWaiting: true}}),
		"overview fine":  adminviews.Overview(adminviews.OverviewPage{Frame: f, Has: has, Overview: admin.Overview{Began: true, Platform: true, Ticket: noon}}),
		"overview first": adminviews.Overview(adminviews.OverviewPage{Frame: f, Has: func(string) bool { return true }, Overview: admin.Overview{Todo: everyCause()}}),
		"overview next":  adminviews.Overview(adminviews.OverviewPage{Frame: f, Has: has, Overview: admin.Overview{Platform: true, Ticket: noon}}),
	}
	return all
}

func everyCause() []admin.Attention {
	var all []admin.Attention
	for _, c := range []admin.Cause{admin.CauseNoTicket, admin.CauseTicketEnded, admin.CauseTicketLate, admin.CauseNoToken} {
		all = append(all, admin.Attention{Cause: c, N: 1, Since: noon})
	}
	for _, key := range []onboard.Key{onboard.KeyBlockedIP, onboard.KeyBlockedCredentials, onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat, onboard.KeyBlockedUnpublished} {
		all = append(all, admin.Attention{Cause: admin.CauseBlocked, Block: key, N: 1, Since: noon})
	}
	for _, s := range admin.Statuses() {
		if s.Acting() {
			all = append(all, admin.Attention{Cause: admin.CauseStatus, Status: s, N: 2})
		}
	}
	return append(all, admin.Attention{Cause: admin.CauseParked, N: 1000, More: true}, admin.Attention{Cause: admin.CauseLapsed, N: 1})
}

// TestOverview_Sentence puts the whole state into one sentence.
func TestOverview_Sentence(t *testing.T) {
	m := adminviews.OverviewPage{Has: func(string) bool { return true }, Overview: admin.Overview{Began: true, Todo: []admin.Attention{
		{Cause: admin.CauseStatus, Status: admin.Incomplete, N: 2}, {Cause: admin.CauseStatus, Status: admin.Dead, N: 1},
	}}}
	for l, want := range map[i18n.Lang]string{
		i18n.Chinese: "3 件事需要处理：2 个账号缺权限，1 个令牌失效",
		i18n.English: "3 things need attention: 2 accounts miss permissions, 1 token is dead",
	} {
		var b strings.Builder
		if err := adminviews.OverviewLive(m).Render(i18n.With(context.Background(), l), &b); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{want, "/admin/accounts?status=missing", "/admin/accounts?status=dead"} {
			if !strings.Contains(b.String(), text) {
				t.Errorf("the overview in %s lacks %q:\n%s", l, text, b.String())
			}
		}
	}
}
