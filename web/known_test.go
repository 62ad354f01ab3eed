package web

import (
	"net/http"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/views"
)

const wechatAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137)"

// TestKnownAccountIsNamed checks that desk and phone name the account asked for when
// the service lets them, and only then.
func TestKnownAccountIsNamed(t *testing.T) {
	a, account := waiting(), onboard.Account{AppID: "wx0123456789abcdef", Profile: onboard.Profile{Kind: onboard.MiniProgram, Nickname: "山茶花茶舍"}}
	a.BizAppID = account.AppID
	for _, known := range []*onboard.Account{nil, &account} {
		s := reading(a, nil)
		s.known = known
		h, _, _ := site(t, s, nil)
		for _, path := range []string{views.AttemptPath(a.ID), views.PhonePath(a.PhoneCode)} {
			body := ask(h, "GET", path, "", "User-Agent", wechatAgent).Body.String()
			if !strings.Contains(body, string(a.BizAppID)) || strings.Contains(body, "山茶花茶舍") != (known != nil) {
				t.Errorf("GET %s of an account that is known: %t, names it: %t", path, known != nil, strings.Contains(body, "山茶花茶舍"))
			}
		}
	}
}

// TestBeginInWeChat checks that whoever begins inside WeChat gets the page with the
// button, not a code that the same phone would have to scan.
func TestBeginInWeChat(t *testing.T) {
	h, _, _ := site(t, reading(waiting(), nil), nil)
	for agent, want := range map[string]string{wechatAgent: "/q/" + waiting().PhoneCode, "Firefox": "/c/" + waiting().ID} {
		for _, path := range []string{"/connect", "/c/" + waiting().ID + "/again"} {
			w := ask(h, "POST", path, goodForm, "User-Agent", agent)
			if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
				t.Errorf("POST %s from %.20s = %d to %q, want 303 to %q", path, agent, w.Code, got, want)
			}
		}
	}
}
