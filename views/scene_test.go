package views_test

import (
	"time"

	"github.com/a-h/templ"

	"usher/internal/onboard"
	"usher/views"
)

// now is when every scene is looked at: 22 November 2026, 10:34 in China.
var now = time.Date(2026, 11, 22, 2, 34, 0, 0, time.UTC)

// scene is one state of one page, as a merchant meets it.
type scene struct {
	name string
	page templ.Component
}

// words are the remote texts of a scene: kind ones for looking at, hostile ones
// for the test of escaping.
type words struct {
	nickname, other, principal, category, recipient, brand, contact, typed string
}

var kind = words{
	nickname: "山茶花茶舍", other: "山茶花外卖", principal: "杭州山茶花茶业有限公司", category: "餐饮",
	recipient: "林小雨", brand: "青禾云", contact: "0571-5555 0100", typed: "wx8f2c",
}

func page(w words, path string) views.Page {
	return views.Page{Brand: views.Brand{Name: w.brand, Contact: w.contact}, Path: path, Now: now, Reference: "R-8K2M"}
}

// miniProgram is the account most scenes are about.
func miniProgram(w words) *onboard.Account {
	return &onboard.Account{
		AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Active,
		Profile: onboard.Profile{
			Kind: onboard.MiniProgram, Nickname: w.nickname, Principal: w.principal, HeadImageURL: "https://wx.qlogo.cn/" + w.nickname,
			Verification: 0, Status: 1, Categories: []onboard.Category{{First: w.category, Second: "茶饮"}},
		},
		ProfileAt:    now.Add(-time.Minute),
		Grants:       onboard.Grants{{ID: 17}, {ID: 18}, {ID: 25}, {ID: 30, Confirm: &onboard.Confirm{Need: true, Can: true}}, {ID: 201}},
		AuthorizedAt: now.Add(-26 * time.Hour), AccessExpiresAt: now.Add(time.Hour),
	}
}

// attempt is an attempt begun two minutes before now, changed by change.
func attempt(w words, change func(*onboard.Attempt)) onboard.Attempt {
	a := onboard.Attempt{
		ID: "06DNB3V8ZKQ2M7XH4T1C9RWAFS", PhoneCode: "7K3M9Q2X", AuthType: onboard.MiniPrograms, BizAppID: "wx8f2c40d1a7be91d0",
		Wanted: []onboard.PermissionID{17, 18, 19, 25, 30, 40}, Language: "zh-CN",
		CreatedAt: now.Add(-2 * time.Minute), ExpiresAt: now.Add(28 * time.Minute),
	}
	if change != nil {
		change(&a)
	}
	return a
}

func opened(a *onboard.Attempt) { a.OpenedAt = a.CreatedAt.Add(30 * time.Second) }
func handedOff(a *onboard.Attempt) {
	opened(a)
	a.HandedOffAt, a.CodeEndsAt = a.CreatedAt.Add(time.Minute), a.CreatedAt.Add(30*time.Minute)
}
func noAnswer(a *onboard.Attempt) {
	handedOff(a)
	a.HandedOffAt = now.Add(-100 * time.Second)
}
func atWeChatsPage(a *onboard.Attempt) {
	a.HandedOffAt, a.CodeEndsAt = a.CreatedAt.Add(time.Minute), a.CreatedAt.Add(30*time.Minute)
}
func exchanging(a *onboard.Attempt) {
	handedOff(a)
	a.ArrivedAt = now.Add(-time.Second)
}
func expired(a *onboard.Attempt) { a.ExpiresAt = now.Add(-time.Minute) }
func invite(a *onboard.Attempt) {
	a.InviteCode, a.ExpiresAt = "VX4T9K2M7Q", now.Add(7*24*time.Hour)
}
func blocked(key onboard.Key) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) { opened(a); a.Blocked, a.BlockedAt = key, now }
}
func decided(v onboard.Verdict) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) {
		exchanging(a)
		a.FinishedAt, a.Verdict, a.AppID = now, v, "wx8f2c40d1a7be91d0"
		switch v {
		case onboard.Missing:
			a.Missing = []onboard.PermissionID{19, 40}
		case onboard.Updated:
			a.Added, a.Removed = []onboard.PermissionID{19, 201}, []onboard.PermissionID{17}
		case onboard.WrongAccount:
			a.AppID = "wx1111111111111111"
		}
	}
}
func both(changes ...func(*onboard.Attempt)) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) {
		for _, change := range changes {
			change(a)
		}
	}
}

// scenes lists every state of every page.
func scenes(w words) []scene {
	withRecipient := func(a *onboard.Attempt) { invite(a); a.Recipient = w.recipient }
	anyAccount := func(a *onboard.Attempt) { a.BizAppID, a.Wanted, a.AuthType = "", nil, onboard.OfficialAndMini }
	var all []scene
	add := func(name string, c templ.Component) { all = append(all, scene{name, c}) }

	form := views.ConnectPage{Page: page(w, "/"), AuthType: "2"}
	add("connect", views.Connect(form))
	bad := form
	bad.AuthType, bad.BizAppID, bad.PermissionSets = "", w.typed, w.typed
	bad.Errors = []views.FieldError{{Field: "auth_type", Key: onboard.KeyAuthType}, {Field: "biz_appid", Key: onboard.KeyBizAppID}, {Field: "permission_sets", Key: onboard.KeyPermissionIDs}}
	add("connect-errors", views.Connect(bad))
	returning := form
	returning.AuthType = "5"
	returning.Recent = []onboard.Attempt{attempt(w, nil), attempt(w, withRecipient), attempt(w, decided(onboard.Connected)), attempt(w, both(anyAccount, expired))}
	add("connect-recent", views.Connect(returning))
	add("connect-invite-only", views.Connect(views.ConnectPage{Page: page(w, "/"), InviteOnly: true}))

	desk := func(name string, change func(*onboard.Attempt), edit func(*views.AttemptPage)) {
		m := views.AttemptPage{
			Page: page(w, "/c/06DNB3V8ZKQ2M7XH4T1C9RWAFS"), Attempt: attempt(w, change), Account: miniProgram(w),
			PhoneURL: "https://open.example.com/q/7K3M9Q2X", PlatformAppID: "wx0123456789abcdef",
			PluginURL: "https://open.example.com/c/06DNB3V8ZKQ2M7XH4T1C9RWAFS/plugin",
		}
		if m.Attempt.Invite() {
			m.InviteURL = "https://open.example.com/i/" + m.Attempt.InviteCode
		}
		if edit != nil {
			edit(&m)
		}
		add("attempt-"+name, views.Attempt(m))
		add("live-"+name, views.AttemptLive(m))
	}
	unknown := func(m *views.AttemptPage) { m.Account, m.PluginURL = nil, "" }
	desk("created", nil, nil)
	desk("any", anyAccount, unknown)
	desk("invite", withRecipient, nil)
	desk("opened", opened, nil)
	desk("handed-off", handedOff, nil)
	desk("wechats-page", atWeChatsPage, nil)
	desk("no-answer", noAnswer, func(m *views.AttemptPage) { m.Checked = true })
	desk("exchanging", exchanging, nil)
	desk("expired", expired, nil)
	desk("invite-expired", both(withRecipient, expired), nil)
	desk("done", decided(onboard.Connected), nil)
	desk("done-missing", decided(onboard.Missing), nil)
	desk("done-wrong", decided(onboard.WrongAccount), nil)
	desk("revoked", both(decided(onboard.Connected), func(a *onboard.Attempt) { a.RevokedAt = now }), nil)
	desk("blocked-after", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nil)
	desk("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nil)
	for _, key := range blockedKeys {
		desk("blocked-"+string(key[len("blocked."):]), blocked(key), nil)
	}

	inWeChat := func(name string, change func(*onboard.Attempt), edit func(*views.PhonePage)) {
		m := views.PhonePage{
			Page: page(w, "/q/7K3M9Q2X"), Attempt: attempt(w, change), Account: miniProgram(w),
			Base: "/q/7K3M9Q2X", URL: "https://open.example.com/q/7K3M9Q2X",
		}
		if m.Attempt.Invite() {
			m.Base = "/i/" + m.Attempt.InviteCode
			m.URL = "https://open.example.com" + m.Base
		}
		if edit != nil {
			edit(&m)
		}
		add("phone-"+name, views.Phone(m))
	}
	at := func(p views.Place) func(*views.PhonePage) { return func(m *views.PhonePage) { m.Place = p } }
	inWeChat("start", nil, nil)
	inWeChat("start-any", anyAccount, func(m *views.PhonePage) { m.Account = nil })
	inWeChat("start-invite", withRecipient, nil)
	inWeChat("returned", handedOff, nil)
	inWeChat("returned-checked", noAnswer, func(m *views.PhonePage) { m.Checked = true })
	inWeChat("not-admin", nil, func(m *views.PhonePage) { m.NotAdmin = true })
	inWeChat("desktop-browser", nil, at(views.DesktopBrowser))
	inWeChat("desktop-wechat", nil, at(views.DesktopWeChat))
	inWeChat("phone-browser", nil, at(views.PhoneBrowser))
	inWeChat("wecom", nil, at(views.WeCom))
	inWeChat("exchanging", exchanging, nil)
	inWeChat("expired", expired, nil)
	inWeChat("invite-expired", both(withRecipient, expired), nil)
	inWeChat("used", decided(onboard.Connected), func(m *views.PhonePage) { m.ResultPath = views.ResultPath(m.Attempt.ID) })
	inWeChat("used-stranger", decided(onboard.Connected), nil)
	inWeChat("invite-used", both(withRecipient, decided(onboard.Connected)), nil)
	inWeChat("blocked-after", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nil)
	inWeChat("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nil)
	for _, key := range blockedKeys {
		inWeChat("blocked-"+string(key[len("blocked."):]), blocked(key), nil)
	}

	result := func(name string, change func(*onboard.Attempt), edit func(*views.ResultPage)) {
		for _, phone := range []bool{false, true} {
			m := views.ResultPage{
				Page: page(w, "/done/06DNB3V8ZKQ2M7XH4T1C9RWAFS"), Attempt: attempt(w, change), Account: miniProgram(w),
				Phone: phone, DashboardPath: "/m/9b8f4c1d2e3a5b6c7d8e9f00",
			}
			if edit != nil {
				edit(&m)
			}
			if phone {
				add("result-phone-"+name, views.Result(m))
			} else {
				add("result-"+name, views.Result(m))
			}
		}
	}
	nothing := func(m *views.ResultPage) { m.Account, m.DashboardPath = nil, "" }
	result("ok", decided(onboard.Connected), nil)
	result("ok-late", decided(onboard.Connected), func(m *views.ResultPage) {
		m.Account.Profile, m.Account.ProfileAt = onboard.Profile{}, time.Time{}
	})
	stranger := func(m *views.ResultPage) { m.Account, m.Attempt.AppID, m.DashboardPath = nil, "", "" }
	result("ok-stranger", decided(onboard.Connected), stranger)
	result("wrong-stranger", decided(onboard.WrongAccount), stranger)
	result("revoked-stranger", both(decided(onboard.Connected), func(a *onboard.Attempt) { a.RevokedAt = now }), stranger)
	result("missing", decided(onboard.Missing), nil)
	result("wrong", decided(onboard.WrongAccount), func(m *views.ResultPage) {
		m.Expected = miniProgram(w)
		m.Account.AppID, m.Account.Profile.Nickname, m.DashboardPath = "wx1111111111111111", w.other, ""
	})
	result("already", decided(onboard.Already), nil)
	result("updated", decided(onboard.Updated), nil)
	result("revoked", both(decided(onboard.Connected), func(a *onboard.Attempt) { a.RevokedAt = now.Add(-10 * 24 * time.Hour) }), nil)
	result("exchanging", exchanging, nothing)
	result("blocked", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nothing)
	result("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nothing)
	result("waiting", handedOff, func(m *views.ResultPage) { nothing(m); m.Checked = true })
	result("expired", expired, nothing)

	dashboard := func(name string, edit func(*views.DashboardPage)) {
		m := views.DashboardPage{
			Page: page(w, "/m/9b8f4c1d2e3a5b6c7d8e9f00"), Account: *miniProgram(w),
			Base: "/m/9b8f4c1d2e3a5b6c7d8e9f00", URL: "https://open.example.com/m/9b8f4c1d2e3a5b6c7d8e9f00",
		}
		if edit != nil {
			edit(&m)
		}
		add("dashboard-"+name, views.Dashboard(m))
	}
	dashboard("ok", nil)
	dashboard("missing", func(m *views.DashboardPage) {
		m.Missing, m.Renewed = []onboard.PermissionID{19, 40}, true
		m.Changes = []onboard.GrantChange{{At: now.Add(-time.Hour), Added: []onboard.PermissionID{30}, Removed: []onboard.PermissionID{19}}, {At: now.AddDate(-1, 0, 0), Added: []onboard.PermissionID{201}}}
	})
	for _, s := range []onboard.Standing{onboard.Quarantined, onboard.NeedsRescan, onboard.Revoked} {
		dashboard(string(s), func(m *views.DashboardPage) {
			m.Account.Standing, m.Account.RevokedAt, m.Missing = s, now.Add(-48*time.Hour), []onboard.PermissionID{19}
		})
	}
	dashboard("no-api", func(m *views.DashboardPage) { m.Account.NoAPI, m.Account.Grants = true, nil })
	dashboard("token-late", func(m *views.DashboardPage) { m.Account.AccessExpiresAt = now.Add(-time.Minute) })
	dashboard("no-profile", func(m *views.DashboardPage) {
		m.Account.Profile, m.Account.ProfileAt = onboard.Profile{}, time.Time{}
	})
	dashboard("official", func(m *views.DashboardPage) {
		m.Account.Profile.Kind, m.Account.Profile.Verification = onboard.OfficialAccount, -1
		m.Account.Grants = onboard.Grants{{ID: 1}, {ID: 4}, {ID: 15}}
	})
	for status, name := range map[int]string{14: "closed", 16: "banned", 18: "warned", 19: "frozen"} {
		dashboard(name, func(m *views.DashboardPage) { m.Account.Profile.Status = status })
	}

	for _, status := range []int{403, 404, 405, 410, 422, 429, 500, 503} {
		add("problem-"+string([]byte{'0' + byte(status/100), '0' + byte(status/10%10), '0' + byte(status%10)}), views.Problem(views.ProblemPage{Page: page(w, "/x?y=1"), Status: status}))
	}
	add("problem-blocked", views.Problem(views.ProblemPage{Page: page(w, "/"), Status: 503, Key: onboard.KeyBlockedQuota}))
	add("problem-used", views.Problem(views.ProblemPage{Page: page(w, "/"), Status: 410, Key: onboard.KeyUsed}))
	add("help", views.Help(views.HelpPage{Page: page(w, "/help/wechat-errors")}))
	return all
}

var blockedKeys = []onboard.Key{
	onboard.KeyBlockedTicket, onboard.KeyBlockedCredentials, onboard.KeyBlockedIP,
	onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat, onboard.KeyBlockedUnpublished,
}
