package styleguide

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"usher/internal/onboard"
	"usher/views"
)

func (s *scenes) dashboard() {
	w := s.words
	add := func(name string, edit func(*views.DashboardPage)) {
		m := views.DashboardPage{
			Page: s.page("dashboard-"+name, views.DashboardPath(token)), Account: *miniProgram(w),
			Base: views.DashboardPath(token), URL: origin + views.DashboardPath(token),
		}
		if edit != nil {
			edit(&m)
		}
		s.add("dashboard-"+name, views.Dashboard(m))
	}
	add("ok", nil)
	add("missing", func(m *views.DashboardPage) {
		m.Missing, m.Renewed = []onboard.PermissionID{19, 40}, true
		m.Changes = []onboard.GrantChange{{At: now.Add(-time.Hour), Added: []onboard.PermissionID{30}, Removed: []onboard.PermissionID{19}}, {At: now.AddDate(-1, 0, 0), Added: []onboard.PermissionID{201}}}
	})
	for _, standing := range []onboard.Standing{onboard.Quarantined, onboard.Refused, onboard.NeedsRescan, onboard.Revoked} {
		add(string(standing), func(m *views.DashboardPage) {
			m.Account.Standing, m.Account.RevokedAt, m.Missing = standing, now.Add(-48*time.Hour), []onboard.PermissionID{19}
		})
	}
	add("no-api", func(m *views.DashboardPage) {
		m.Account.NoAPI, m.Account.Grants, m.Account.Profile.Verification = true, nil, -1
	})
	add("token-late", func(m *views.DashboardPage) { m.Account.AccessExpiresAt = now.Add(-time.Minute) })
	add("no-profile", func(m *views.DashboardPage) {
		m.Account.Profile, m.Account.ProfileAt = onboard.Profile{}, time.Time{}
	})
	add("official", func(m *views.DashboardPage) {
		m.Account.Profile.Kind, m.Account.Profile.Verification = onboard.OfficialAccount, 3
		m.Account.Grants = onboard.Grants{{ID: 1}, {ID: 4}, {ID: 15}}
	})
	add("many", func(m *views.DashboardPage) {
		m.Account.Grants = many()
		other := *miniProgram(w)
		other.AppID, other.Profile.Nickname, other.Profile.Kind = "wx1111111111111111", w.Other, onboard.OfficialAccount
		gone := other
		gone.AppID, gone.Profile, gone.Standing = "wx2222222222222222", onboard.Profile{}, onboard.Revoked
		m.Others = []views.OtherAccount{{Account: other, Path: views.DashboardPath("other")}, {Account: gone, Path: views.DashboardPath("gone")}}
	})
	status := map[int]string{14: "closed", 16: "banned", 18: "warned", 19: "frozen"}
	for _, n := range slices.Sorted(maps.Keys(status)) {
		add(status[n], func(m *views.DashboardPage) { m.Account.Profile.Status = n })
	}
}

func (s *scenes) other() {
	problem := func(name string, status int, key onboard.Key) {
		s.add(name, views.Problem(views.ProblemPage{Page: s.page(name, "/x?y=1"), Status: status, Key: key}))
	}
	for _, status := range []int{
		http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		problem("problem-"+strconv.Itoa(status), status, "")
	}
	problem("problem-blocked", http.StatusServiceUnavailable, onboard.KeyBlockedQuota)
	problem("problem-used", http.StatusGone, onboard.KeyUsed)
	s.add("help", views.Help(views.HelpPage{Page: s.page("help", views.HelpPath)}))
}
