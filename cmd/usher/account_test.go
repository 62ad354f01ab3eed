package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestAccount_Wrong asks for one account and gets another, because somebody
// opened the link without biz_appid. The other account is kept aside, and the
// page offers to try again.
func TestAccount_Wrong(t *testing.T) { wrongAccount(t, sqlite) }

func wrongAccount(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"2"}, "biz_appid": {simulator.TeaHouse}})
	link := strings.Replace(m.press(), "&biz_appid="+simulator.TeaHouse, "", 1)
	m.phone.load(http.MethodGet, m.consent(link, simulator.Takeaway), nil).
		expect(http.StatusOK, "授权的不是指定账号", "你授权了“山茶花外卖”，但这次需要 "+simulator.TeaHouse)
	w.deliver()
	m.look().expect(http.StatusOK, "授权的不是指定账号", "山茶花外卖", simulator.TeaHouse, "重新授权")
	if links := m.desk.links("/m/"); len(links) != 0 {
		t.Errorf("the page leads to the dashboard of an account that nobody asked for: %q", links)
	}
	if a := w.account(simulator.Takeaway); a.Standing != onboard.Quarantined {
		t.Errorf("the account that came is %q, want %q", a.Standing, onboard.Quarantined)
	}
	w.refuses(simulator.Takeaway, onboard.KeyNotAuthorized)

	m.desk.submit("/again", nil).expect(http.StatusOK)
	m.began().agree(simulator.TeaHouse)
	m.phone.expect(http.StatusOK, "授权完成", "山茶花茶舍")
	w.deliver()
	w.holds(simulator.TeaHouse)
	if a := w.account(simulator.Takeaway); a.Standing != onboard.Quarantined {
		t.Errorf("the other account became %q", a.Standing)
	}

	// The account kept aside counts once somebody asks for it.
	m = w.merchant(url.Values{"auth_type": {"2"}, "biz_appid": {simulator.Takeaway}})
	m.agree(simulator.Takeaway, "17")
	m.look().expect(http.StatusOK).click("/m/").expect(http.StatusOK, "连接正常", "山茶花外卖")
	w.holds(simulator.Takeaway)
}

// TestAccount_MissingSets leaves out sets that were asked for and grants them
// later, by the button of the result.
func TestAccount_MissingSets(t *testing.T) { missingSets(t, sqlite) }

func missingSets(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"2"}, "permission_sets": {"17|18|19"}})
	m.agree(simulator.TeaHouse, "17")
	m.phone.expect(http.StatusOK, "授权完成，还缺 2 项权限", "补充授权")
	for _, id := range []onboard.PermissionID{18, 19} {
		set, _ := onboard.LookupSet(id)
		m.phone.expect(http.StatusOK, set.ZH)
	}
	m.look().expect(http.StatusOK, "还缺 2 项权限").click("/m/").expect(http.StatusOK, "还缺 2 项权限", "连接正常")
	w.holds(simulator.TeaHouse) // what is granted is served all the same

	m.look().submit("/again", nil).expect(http.StatusOK, simulator.TeaHouse)
	m.began()
	link, err := url.Parse(m.press())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := link.Query().Get("category_id_list"), "17|18|19"; got != want {
		t.Errorf("the link asks for %q, want %q: what is granted and what is missing", got, want)
	}
	m.phone.submit("", url.Values{"account": {simulator.TeaHouse}}).expect(http.StatusOK, "权限已更新", "新增 2 项，减少 0 项")
	w.deliver()
	m.look().expect(http.StatusOK, "权限已更新").click("/m/").expect(http.StatusOK, "连接正常", "新增")
	if strings.Contains(m.desk.body, "还缺") {
		t.Errorf("the dashboard still misses sets:\n%s", m.desk.body)
	}
	w.holds(simulator.TeaHouse)
}

// TestAccount_ChangedByMerchant edits the sets in WeChat's console, of which a
// push alone tells.
func TestAccount_ChangedByMerchant(t *testing.T) { changedByMerchant(t, sqlite) }

func changedByMerchant(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"2"}, "permission_sets": {"17|18|19"}})
	m.agree(simulator.TeaHouse)
	w.deliver()
	m.look().click("/m/").expect(http.StatusOK, "授权以来没有变化")
	dashboard := m.desk.at.String()
	old := w.token(simulator.TeaHouse)
	if err := w.sim.ChangePermissions(t.Context(), simulator.TeaHouse, []int{17, 30}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.exchanged(2)
	w.holds(simulator.TeaHouse)
	if w.token(simulator.TeaHouse) == old {
		t.Error("the token from before the change is still served")
	}
	set := func(id onboard.PermissionID) string { s, _ := onboard.LookupSet(id); return s.ZH }
	m.desk.open(dashboard).expect(http.StatusOK, "还缺 2 项权限", "新增", set(30), "减少", set(18), set(19))
}

// TestAccount_NoAPI authorizes an account for which WeChat hands out no tokens.
// That is a state, not a failure.
func TestAccount_NoAPI(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(url.Values{"auth_type": {"1"}})
	m.agree(simulator.NoAPI)
	w.deliver()
	m.look().expect(http.StatusOK, "授权完成", "邻里通知").click("/m/").expect(http.StatusOK, "没有接口权限", "微信没有给我们令牌")
	w.refuses(simulator.NoAPI, onboard.KeyNoAPI)
	if err := w.svc.KeepFresh(t.Context()); err != nil {
		t.Error(err)
	}
	if n := w.sim.Calls(refreshCall); n != 0 {
		t.Errorf("%d refreshes of an account without tokens", n)
	}
	w.calm()
}

// TestAccount_Silent authorizes without a link, as a purchase in WeChat's market
// does: the push is all there is.
func TestAccount_Silent(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	if err := w.sim.AuthorizeSilently(t.Context(), simulator.WeChatShop, nil); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.profiled(simulator.WeChatShop)
	if a := w.account(simulator.WeChatShop); a.Standing != onboard.Active || a.Profile.Kind != onboard.Shop {
		t.Errorf("the shop is %q and a %q, want active and a shop", a.Standing, a.Profile.Kind)
	}
	w.holds(simulator.WeChatShop)
	w.calm()
}

// TestAccount_Hostile shows a merchant whose name is made to break pages.
func TestAccount_Hostile(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini())
	m.agree(simulator.Hostile)
	w.deliver()
	m.look().click("/m/").expect(http.StatusOK, "<script>alert(1)</script>") // as text
	for _, b := range []*browser{m.desk, m.phone} {
		for _, page := range b.shown {
			if strings.HasPrefix(page.at.String(), w.base) && strings.Contains(page.body, "<script>alert") {
				t.Errorf("%s holds the merchant's markup:\n%s", page.at, page.body)
			}
		}
	}
}

// token is what the site serves for an account now.
func (w *world) token(appID string) string {
	w.t.Helper()
	token, _, err := w.svc.AccessToken(w.t.Context(), onboard.AppID(appID))
	if err != nil {
		w.t.Fatalf("AccessToken(%s): %v", appID, err)
	}
	return token.Reveal()
}
