package styleguide

import (
	"usher/internal/onboard"
	"usher/views"
)

func (s *scenes) phone() {
	add := func(name string, change func(*onboard.Attempt), edit func(*views.PhonePage)) {
		m := views.PhonePage{
			Page: s.page("phone-"+name, views.PhonePath(phoneCode)), Attempt: attempt(s.words, change), Account: miniProgram(s.words),
			Base: views.PhonePath(phoneCode), URL: origin + views.PhonePath(phoneCode),
		}
		if m.Attempt.Invite() {
			m.Base = views.InvitePath(inviteCode)
			m.URL = origin + m.Base
		}
		if edit != nil {
			edit(&m)
		}
		s.add("phone-"+name, views.Phone(m))
	}
	at := func(p views.Place) func(*views.PhonePage) { return func(m *views.PhonePage) { m.Place = p } }
	add("start", nil, nil)
	add("start-any", anyAccount, func(m *views.PhonePage) { m.Account = nil })
	add("start-invite", s.recipient, nil)
	add("returned", handedOff, nil)
	add("returned-checked", noAnswer, func(m *views.PhonePage) { m.Checked = true })
	add("not-admin", nil, func(m *views.PhonePage) { m.NotAdmin = true })
	add("desktop-browser", nil, at(views.DesktopBrowser))
	add("desktop-wechat", nil, at(views.DesktopWeChat))
	add("phone-browser", nil, at(views.PhoneBrowser))
	add("wecom", nil, at(views.WeCom))
	add("exchanging", exchanging, nil)
	add("expired", expired, nil)
	add("invite-expired", both(s.recipient, expired), nil)
	add("used", decided(onboard.Connected), func(m *views.PhonePage) { m.ResultPath = views.ResultPath(m.Attempt.ID) })
	add("used-stranger", decided(onboard.Connected), nil)
	add("invite-used", both(s.recipient, decided(onboard.Connected)), nil)
	add("blocked-after", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nil)
	add("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nil)
	for _, key := range blockedKeys {
		add(blockedName(key), blocked(key), nil)
	}
}
