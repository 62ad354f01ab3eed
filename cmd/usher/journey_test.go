package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// Addresses of WeChat's API whose calls are counted.
const (
	exchangePath = "/cgi-bin/component/api_query_auth"
	refreshCall  = "/cgi-bin/component/api_authorizer_token"
	listCall     = "/cgi-bin/component/api_get_authorizer_list"
	mintCall     = "/cgi-bin/component/api_create_preauthcode"
	platformCall = "/cgi-bin/component/api_component_token"
)

// TestJourney_DeskAndPhone walks from the form to the dashboard: too early, then
// with a ticket, the form at a desk, the consent on a phone that has no cookie of
// ours, and the dashboard on both.
func TestJourney_DeskAndPhone(t *testing.T) { deskAndPhoneOn(t, sqlite) }

// deskAndPhoneOn ends with a restart, after which the pages are still there.
func deskAndPhoneOn(t *testing.T, on engine) {
	w := startAll(t, on(t))
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)
	deskAndPhone(t, w, desk, phone)
	w.again()
	desk.refresh().expect(http.StatusOK, "山茶花茶舍")
}

func deskAndPhone(t *testing.T, w *world, desk, phone *browser) {
	t.Helper()
	desk.open(w.base+"/").expect(http.StatusOK).
		submit("/connect", url.Values{"auth_type": {"2"}, "permission_sets": {"17|18|19"}}).expect(http.StatusOK)
	attempt := desk.at.Path
	if !strings.HasPrefix(attempt, "/c/") {
		t.Fatalf("the form led to %s, want /c/…", desk.at)
	}
	desk.submit("/pc", nil).expect(http.StatusServiceUnavailable, "没有收到微信的票据")
	w.ticket()
	desk.open(w.base + attempt).expect(http.StatusOK)

	phone.open(w.phoneURL(desk)).expect(http.StatusOK)
	if n := w.sim.Calls(mintCall); n != 0 {
		t.Errorf("%d codes were minted before anybody pressed the button", n)
	}
	phone.submit("/go", nil).expect(http.StatusOK, "授权确认", "山茶花茶舍")
	phone.submit("", url.Values{"account": {simulator.TeaHouse}, "permission": {"17", "18", "19"}}).
		expect(http.StatusOK, "已授权")
	if !strings.HasPrefix(phone.at.Path, "/done/") {
		t.Fatalf("WeChat led the phone to %s, want /done/…", phone.at)
	}
	w.profiled(simulator.TeaHouse)
	phone.refresh().expect(http.StatusOK, "山茶花茶舍")
	desk.refresh().expect(http.StatusOK, "山茶花茶舍")

	for name, b := range map[string]*browser{"phone": phone, "desk": desk} {
		b.click("/m/").expect(http.StatusOK, "山茶花茶舍", simulator.TeaHouse)
		for _, id := range []onboard.PermissionID{17, 18, 19} {
			set, ok := onboard.LookupSet(id)
			if !ok {
				t.Fatalf("LookupSet(%d) knows no such set", id)
			}
			if !strings.Contains(b.body, set.ZH) {
				t.Errorf("the dashboard on the %s lacks %q:\n%s", name, set.ZH, b.body)
			}
		}
	}

	w.deliver() // the push of the same authorization comes late
	if n := w.sim.Calls(exchangePath); n != 1 {
		t.Errorf("%s was called %d times for one authorization, want 1", exchangePath, n)
	}
	w.holds(simulator.TeaHouse)
}

// TestJourney_DesktopPage walks through WeChat's own page on the desktop: the
// phone scans WeChat's code and is sent nowhere, the desktop comes back.
func TestJourney_DesktopPage(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)

	desk.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"1"}}).expect(http.StatusOK)
	attempt := desk.at.Path
	desk.submit("/pc", nil).expect(http.StatusOK)
	if !strings.HasPrefix(desk.at.Path, "/cgi-bin/componentloginpage") {
		t.Fatalf("the button led to %s, want WeChat's page", desk.at)
	}
	for _, link := range desk.find("a") {
		if href, _ := attr(link, "href"); strings.Contains(href, "/sim/") {
			to, err := desk.at.Parse(href)
			if err != nil {
				t.Fatal(err)
			}
			phone.open(to.String())
			break
		}
	}
	phone.expect(http.StatusOK, "青禾生活").submit("", url.Values{"account": {simulator.ServiceAccount}}).expect(http.StatusOK)
	if strings.HasPrefix(phone.at.String(), w.base) {
		t.Errorf("the phone was sent to %s; only the desktop comes back", phone.at)
	}
	desk.refresh().expect(http.StatusOK, "已授权")
	w.profiled(simulator.ServiceAccount)
	desk.refresh().expect(http.StatusOK, "青禾生活")
	if !strings.HasPrefix(desk.at.Path, "/done/") {
		t.Fatalf("WeChat led the desktop to %s, want /done/…", desk.at)
	}
	// The address of the attempt leads a stranger to the fact, not to the account.
	stranger := w.browser(desktopAgent)
	stranger.open(w.base + attempt).expect(http.StatusOK)
	if strings.Contains(stranger.body, "青禾生活") || strings.Contains(stranger.body, "/m/") {
		t.Errorf("a stranger is shown the account:\n%s", stranger.body)
	}
	w.deliver()
	w.holds(simulator.ServiceAccount)
}

// TestJourney_PushOnly loses the browser on its way back: the push alone brings
// the account to the attempt.
func TestJourney_PushOnly(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	w.sim.Change(func(o *simulator.Options) { o.RedirectLost = true })
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)
	desk.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"2"}}).expect(http.StatusOK)
	phone.open(w.phoneURL(desk)).submit("/go", nil).
		submit("", url.Values{"account": {simulator.Takeaway}}).expect(http.StatusOK)
	if strings.HasPrefix(phone.at.String(), w.base) {
		t.Fatalf("the phone came back to %s; this journey is about one that does not", phone.at)
	}
	w.deliver()
	w.profiled(simulator.Takeaway)
	desk.refresh().expect(http.StatusOK, "山茶花外卖")
	desk.click("/m/").expect(http.StatusOK, "山茶花外卖")
	w.holds(simulator.Takeaway)
}

// TestJourney_English reads the same pages in English.
func TestJourney_English(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)
	desk.language, phone.language = "en-US,en;q=0.9", "en"
	desk.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"2"}}).expect(http.StatusOK)
	phone.open(w.phoneURL(desk)).submit("/go", nil).
		submit("", url.Values{"account": {simulator.TeaHouse}, "permission": {"17"}}).expect(http.StatusOK)
	phone.click("/m/").expect(http.StatusOK, "Mini Program codes")
	for _, b := range []*browser{desk, phone} {
		if root := b.find("html"); len(root) != 1 {
			t.Errorf("%s has %d root elements", b.at, len(root))
		} else if lang, _ := attr(root[0], "lang"); lang != "en" {
			t.Errorf("%s is in %q, want en", b.at, lang)
		}
	}
}

// holds checks that the site's tokens of an account are WeChat's newest. After two
// authorizations in a row the site settles by a refresh which of them is newer;
// while that is under way, the token that is served still has to work.
func (w *world) holds(appID string) {
	w.t.Helper()
	w.eventually("the site does not hold WeChat's newest tokens of "+appID, func(ctx context.Context) (bool, error) {
		truth, ok := w.sim.Account(appID)
		if !ok || !truth.Authorized {
			return false, fmt.Errorf("WeChat has no authorization of %s", appID)
		}
		token, _, err := w.svc.AccessToken(ctx, onboard.AppID(appID))
		if err != nil {
			return false, fmt.Errorf("AccessToken(%s): %w", appID, err)
		}
		if !w.sim.Works(token.Reveal()) {
			return false, fmt.Errorf("AccessToken(%s) = %v, which WeChat refuses", appID, token)
		}
		kept, err := w.db.Credentials(ctx, onboard.AppID(appID))
		return token.Reveal() == truth.AccessToken && kept.Refresh.Reveal() == truth.RefreshToken, err
	})
}
