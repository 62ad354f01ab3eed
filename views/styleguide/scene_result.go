package styleguide

import (
	"time"

	"usher/internal/onboard"
	"usher/views"
)

func (s *scenes) result() {
	w := s.words
	add := func(name string, change func(*onboard.Attempt), edit func(*views.ResultPage)) {
		for _, phone := range []bool{false, true} {
			scene := "result-" + name
			if phone {
				scene = "result-phone-" + name
			}
			m := views.ResultPage{
				Page: s.page(scene, views.ResultPath(attemptID)), Attempt: attempt(w, change), Account: miniProgram(w),
				Phone: phone, DashboardPath: views.DashboardPath(token),
			}
			if edit != nil {
				edit(&m)
			}
			s.add(scene, views.Result(m))
		}
	}
	nothing := func(m *views.ResultPage) { m.Account, m.DashboardPath = nil, "" }
	stranger := func(m *views.ResultPage) { nothing(m); m.Attempt.AppID = "" }
	add("ok", decided(onboard.Connected), nil)
	add("ok-many", decided(onboard.Connected), func(m *views.ResultPage) { m.Account.Grants = many() })
	add("ok-late", decided(onboard.Connected), func(m *views.ResultPage) {
		m.Account.Profile, m.Account.ProfileAt = onboard.Profile{}, time.Time{}
	})
	add("held", decided(onboard.Connected), func(m *views.ResultPage) { m.Account.Standing = onboard.Quarantined })
	add("return", decided(onboard.Connected), func(m *views.ResultPage) { m.ReturnURL = "https://shop.example.com/welcome?from=wechat" })
	add("return-missing", decided(onboard.Missing), func(m *views.ResultPage) { m.ReturnURL = "https://shop.example.com/" })
	add("ok-stranger", decided(onboard.Connected), stranger)
	add("wrong-stranger", decided(onboard.WrongAccount), stranger)
	add("revoked-stranger", both(decided(onboard.Connected), withdrawn), stranger)
	add("missing", decided(onboard.Missing), nil)
	add("missing-shared", decided(onboard.Missing), func(m *views.ResultPage) { m.Attempt.Missing = []onboard.PermissionID{19} })
	add("wrong", decided(onboard.WrongAccount), func(m *views.ResultPage) {
		m.Expected = miniProgram(w)
		m.Account.AppID, m.Account.Profile.Nickname, m.DashboardPath = "wx1111111111111111", w.Other, ""
	})
	add("already", decided(onboard.Already), nil)
	add("updated", decided(onboard.Updated), nil)
	add("revoked", both(decided(onboard.Connected), withdrawn), nil)
	add("exchanging", exchanging, nothing)
	add("blocked", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nothing)
	add("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nothing)
	add("waiting", handedOff, func(m *views.ResultPage) { nothing(m); m.Checked = true })
	add("expired", expired, nothing)
}

// many are the sets of a merchant that granted everything a Mini Program can.
func many() onboard.Grants {
	var g onboard.Grants
	for _, set := range onboard.Catalog() {
		if set.ZH != "" && set.GrantedBy(onboard.MiniProgram) && len(g) < 25 {
			g = append(g, onboard.Grant{ID: set.ID})
		}
	}
	return g
}
