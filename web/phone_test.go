package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
)

const (
	wechatUA  = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49"
	desktopUA = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
)

// finished is an attempt that brought an account, and the account.
func finished() (onboard.Attempt, *onboard.Account) {
	a := waiting()
	a.HandedOffAt, a.ArrivedAt, a.FinishedAt = noon, noon, noon
	a.Verdict, a.AppID, a.Missing = onboard.Missing, "wxaaaaaaaaaaaaaaaa", []onboard.PermissionID{17}
	return a, &onboard.Account{
		AppID: a.AppID, Standing: onboard.Active, ProfileAt: noon,
		Profile: onboard.Profile{Kind: onboard.MiniProgram, Nickname: "山茶花茶舍"},
		Grants:  onboard.Grants{{ID: 18}},
	}
}

func TestPhoneButtonIsForWeChat(t *testing.T) {
	tests := []struct {
		path, ua string
		button   bool
	}{
		{"/q/7K3M9Q2X", wechatUA, true},
		{"/i/7K3M9Q2XAB", wechatUA, true},
		{"/q/7K3M9Q2X", desktopUA, false},
		{"/q/7K3M9Q2X?in=wechat", desktopUA, true},
		{"/q/7K3M9Q2X?lang=en&in=wechat", desktopUA, true},
		{"/q/7K3M9Q2X?in=wechatx", desktopUA, false},
		{"/q/7K3M9Q2X?not_admin=1", wechatUA, false},
	}
	h, _, _ := site(t, reading(waiting(), nil), nil)
	for _, tt := range tests {
		w := ask(h, "GET", tt.path, "", "User-Agent", tt.ua)
		if got := strings.Contains(w.Body.String(), `/go"`); w.Code != http.StatusOK || got != tt.button {
			t.Errorf("GET %s by %q = %d, button %v; want %v", tt.path, tt.ua, w.Code, got, tt.button)
		}
		if strings.Contains(w.Body.String(), waiting().ID) {
			t.Errorf("GET %s by %q shows the id of the desk page", tt.path, tt.ua)
		}
	}
}

// A code in capital or small letters leads to one address.
func TestPhoneAddressIsOne(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	w := ask(h, "GET", "/q/7k3m9q2x", "", "User-Agent", wechatUA)
	if !strings.Contains(w.Body.String(), `action="/q/7K3M9Q2X/go"`) {
		t.Errorf("GET /q/7k3m9q2x does not lead on to /q/7K3M9Q2X:\n%s", w.Body)
	}
}

// Whoever has only the address of a result or of a phone page learns that the
// attempt ended, and neither which account it was nor the way to the dashboard.
func TestResultIsForThoseWhoTookPart(t *testing.T) {
	a, account := finished()
	service := reading(a, nil)
	service.account, service.partner, service.found = account, true, true
	h, _, _ := site(t, service, nil)
	cookie := cookies(ask(h, "POST", "/connect", goodForm))["__Host-usher-session"]
	member := []string{"Cookie", cookie.Name + "=" + cookie.Value}

	details := []string{account.Profile.Nickname, string(a.AppID), "/m/dashboardtoken"}
	for _, ua := range []string{wechatUA, desktopUA} {
		for _, detail := range details {
			if w := ask(h, "GET", "/done/"+a.ID, "", append(member, "User-Agent", ua)...); !strings.Contains(w.Body.String(), detail) {
				t.Errorf("the result for one who took part lacks %q:\n%s", detail, w.Body)
			}
			if w := ask(h, "GET", "/done/"+a.ID, "", "User-Agent", ua); w.Code != http.StatusOK || strings.Contains(w.Body.String(), detail) {
				t.Errorf("the result for a stranger = %d and shows %q:\n%s", w.Code, detail, w.Body)
			}
		}
	}
	if w := ask(h, "GET", "/q/7K3M9Q2X", "", append(member, "User-Agent", wechatUA)...); !strings.Contains(w.Body.String(), "/done/"+a.ID) {
		t.Errorf("the phone page for one who took part does not lead to the result:\n%s", w.Body)
	}
	if w := ask(h, "GET", "/q/7K3M9Q2X", "", "User-Agent", wechatUA); strings.Contains(w.Body.String(), a.ID) {
		t.Errorf("the phone page for a stranger shows the id of the desk page:\n%s", w.Body)
	}
	if got := ask(h, "POST", "/q/7K3M9Q2X/check", "", member...).Header().Get("Location"); got != "/done/"+a.ID {
		t.Errorf("check by one who took part leads to %q", got)
	}
	if got := ask(h, "POST", "/q/7K3M9Q2X/check", "").Header().Get("Location"); got != "/q/7K3M9Q2X" {
		t.Errorf("check by a stranger leads to %q", got)
	}
}

func TestCheckLeadsBack(t *testing.T) {
	arrived := waiting()
	arrived.HandedOffAt, arrived.ArrivedAt = noon.Add(-time.Minute), noon
	tests := []struct {
		a    onboard.Attempt
		path string
		ua   string
		want string
	}{
		{waiting(), "/c/abcdefghijklmnopqrstuvwxyz/check", desktopUA, "/c/abcdefghijklmnopqrstuvwxyz?checked=1"},
		{arrived, "/c/abcdefghijklmnopqrstuvwxyz/check", desktopUA, "/done/abcdefghijklmnopqrstuvwxyz?checked=1"},
		{waiting(), "/q/7K3M9Q2X/check", wechatUA, "/q/7K3M9Q2X?checked=1"},
		{waiting(), "/i/7K3M9Q2XAB/check", wechatUA, "/i/7K3M9Q2XAB?checked=1"},
		{waiting(), "/q/7K3M9Q2X/check", desktopUA, "/q/7K3M9Q2X?checked=1&in=wechat"},
	}
	for _, tt := range tests {
		h, _, _ := site(t, reading(tt.a, nil), nil)
		w := ask(h, "POST", tt.path, "", "User-Agent", tt.ua)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != tt.want {
			t.Errorf("POST %s = %d to %q, want %q", tt.path, w.Code, w.Header().Get("Location"), tt.want)
		}
	}
}

// The desk page of a finished attempt is the result; one that expired is not.
func TestDeskMovesToResult(t *testing.T) {
	done, _ := finished()
	expired := waiting()
	expired.ExpiresAt = noon
	for _, tt := range []struct {
		a      onboard.Attempt
		status int
	}{{waiting(), 200}, {expired, 200}, {done, 303}} {
		h, _, _ := site(t, reading(tt.a, nil), nil)
		if w := ask(h, "GET", "/c/"+tt.a.ID, ""); w.Code != tt.status {
			t.Errorf("GET /c in state %s = %d, want %d", tt.a.State(noon), w.Code, tt.status)
		}
	}
}
