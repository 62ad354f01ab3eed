package views_test

import (
	"time"

	"github.com/a-h/templ"

	"usher/internal/onboard"
	"usher/views"
)

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
