package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/secret"
)

func TestTypeOf(t *testing.T) {
	tests := map[onboard.AccountKind]onboard.AuthType{
		onboard.OfficialAccount: onboard.OfficialAccounts,
		onboard.MiniProgram:     onboard.MiniPrograms,
		onboard.Channels:        onboard.ChannelsAccounts,
		onboard.SalesAssistant:  onboard.SalesAssistants,
		onboard.UnknownKind:     onboard.AllAccounts,
	}
	for kind, want := range tests {
		if got := typeOf(kind); got != want {
			t.Errorf("typeOf(%q) = %d, want %d", kind, got, want)
		}
	}
}

// dashboards answers for one account and keeps the wish it is given.
type dashboards struct {
	oneAttempt
	dashboard onboard.Dashboard
	wish      *onboard.Wish
}

func (d dashboards) Dashboard(context.Context, string) (onboard.Dashboard, error) {
	return d.dashboard, nil
}

func (d dashboards) RenewDashboard(context.Context, string) (secret.Secret, error) {
	return secret.New("nexttoken"), nil
}

func (d dashboards) Begin(ctx context.Context, w onboard.Wish) (onboard.Attempt, error) {
	*d.wish = w
	return d.read()
}

func TestDashboardWidens(t *testing.T) {
	var wish onboard.Wish
	_, account := finished()
	account.Grants = onboard.Grants{{ID: 18}, {ID: 25}}
	h, _, _ := site(t, dashboards{
		oneAttempt: reading(waiting(), nil), wish: &wish,
		dashboard: onboard.Dashboard{Account: *account, Missing: []onboard.PermissionID{17, 25}},
	}, nil)
	w := ask(h, "POST", "/m/token/again", "", "Accept-Language", "en")
	if got, want := w.Header().Get("Location"), "/c/"+waiting().ID; w.Code != http.StatusSeeOther || got != want {
		t.Errorf("POST /m/token/again = %d to %q, want 303 to %q", w.Code, got, want)
	}
	if wish.AuthType != onboard.MiniPrograms || wish.BizAppID != account.AppID || wish.Language != "en" || wish.Session == "" ||
		!slices.Equal(wish.Wanted, []onboard.PermissionID{17, 18, 25}) {
		t.Errorf("POST /m/token/again wishes %+v", wish)
	}
}

func TestDashboardRenews(t *testing.T) {
	_, account := finished()
	h, _, _ := site(t, dashboards{oneAttempt: reading(waiting(), nil), dashboard: onboard.Dashboard{Account: *account}}, nil)
	if w := ask(h, "POST", "/m/token/renew", ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/m/nexttoken?renewed=1" {
		t.Errorf("POST /m/token/renew = %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := ask(h, "GET", "/m/nexttoken", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "https://open.example.com/m/nexttoken") {
		t.Errorf("GET /m/nexttoken = %d:\n%s", w.Code, w.Body)
	}
}

func TestConnectShowsEveryFault(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	w := ask(h, "POST", "/connect", "auth_type=7&biz_appid=%3Cb%3E&permission_sets=x")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("POST /connect = %d, want 422", w.Code)
	}
	for _, want := range []string{`value="&lt;b&gt;"`, `#biz_appid`, `#permission_sets`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("POST /connect lacks %q:\n%s", want, w.Body)
		}
	}
}

// TestDashboardOthers checks that the page leads to the other accounts of the same
// browser, by their own links.
func TestDashboardOthers(t *testing.T) {
	_, account := finished()
	other := *account
	other.AppID, other.Profile.Nickname = "wx1111111111111111", "山茶花外卖"
	s := dashboards{oneAttempt: reading(waiting(), nil), dashboard: onboard.Dashboard{Account: *account}}
	s.others = []onboard.OwnAccount{{Account: other, Link: secret.New("othertoken")}}
	h, _, _ := site(t, s, nil)
	body := ask(h, "GET", "/m/token", "").Body.String()
	if !strings.Contains(body, `href="/m/othertoken"`) || !strings.Contains(body, "山茶花外卖") {
		t.Errorf("GET /m/token does not lead to the other account:\n%s", body)
	}
}
