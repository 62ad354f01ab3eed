package adminviews_test

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
	adminviews "usher/views/admin"
)

// troubled is a platform on which everything that can be found is wrong; named is
// what WeChat says.
func troubled(named string) admin.Health {
	ago := noon.Add(-2 * time.Hour)
	bad := func(name admin.CheckName, code int) admin.Check {
		return admin.Check{Name: name, FailedAt: noon, Since: ago, Times: 7, Code: code, What: named, RID: named, Address: named}
	}
	h := admin.Health{
		Now: noon, Ticket: admin.TicketStopped, Heartbeat: admin.NewHeartbeat([]time.Time{ago.Add(-time.Hour), ago}, ago.Add(-time.Hour), noon),
		Checks: map[admin.CheckName]admin.Check{}, Missing: []admin.CredentialName{admin.AESKey},
		Calls: 1000, Failed: 3, PreAuthCodes: 41, Accounts: 128, Acting: 3, ByStatus: map[admin.Status]int{admin.Dead: 1, admin.Incomplete: 2},
		Refusals: map[string]admin.RefusedPushes{"signature": {N: 12, LastAt: noon}, "decrypt": {N: 1, LastAt: noon}, "appid": {N: 1, LastAt: noon}, "content": {N: 1, LastAt: noon}},
	}
	h.TicketAt, h.TokenUntil, h.Parked, h.DatabaseSize = ago, noon.Add(82*time.Minute), 2, 3<<20
	for name, code := range map[admin.CheckName]int{admin.CheckReach: 0, admin.CheckAllowList: 61004, admin.CheckAppID: 40013, admin.CheckSecret: 40125,
		admin.CheckPublished: 61028, admin.CheckQuota("api_query_auth"): 45009} {
		h.Checks[name] = bad(name, code)
	}
	h.Checks[admin.CheckAddress] = admin.Check{Name: admin.CheckAddress, FailedAt: noon, Since: noon, Times: 1, What: "redirect"}
	return h
}

// platformPages are the pages about the platform.
func platformPages(f adminviews.Frame, text string) map[string]templ.Component {
	paste := adminviews.Paste{Events: text, Messages: text, Domain: text, Address: text}
	health := func(h admin.Health, p adminviews.Paste) adminviews.HealthPage {
		return adminviews.HealthPage{Frame: f, Setup: h.Setup(text), Findings: h.Findings(), Platform: text, Version: text, Paste: p}
	}
	good := admin.Health{Now: noon, Ticket: admin.TicketFresh, Heartbeat: admin.NewHeartbeat([]time.Time{noon}, noon, noon), ByStatus: map[admin.Status]int{}}
	good.TicketAt, good.TokenUntil = noon.Add(-4*time.Minute), noon.Add(time.Hour)
	never := admin.Health{Now: noon, Ticket: admin.TicketNever, Heartbeat: admin.NewHeartbeat(nil, time.Time{}, noon)}
	all := map[string]templ.Component{
		"health good":    adminviews.Health(health(good, paste)),
		"health never":   adminviews.Health(health(never, adminviews.Paste{})),
		"health trouble": adminviews.Health(health(troubled(text), paste)),
		"quota":          adminviews.Quota(adminviews.QuotaPage{Frame: f, At: noon, All: []onboard.Usage{{API: text, DailyLimit: 10, Used: 4, Remain: 6, RateCalls: 3, RateWindow: time.Minute}, {API: text}}}),
		"quota unasked":  adminviews.Quota(adminviews.QuotaPage{Frame: f}),
		"quota clear":    adminviews.ClearQuota(adminviews.QuotaPage{Frame: f}),
		"wizard done":    adminviews.Wizard(adminviews.WizardPage{Frame: f, Setup: good.Setup(text), PublicURL: text, Platform: text, Paste: paste}),
	}
	for _, step := range admin.Steps() {
		m := adminviews.WizardPage{Frame: f, Setup: troubled(text).Setup(text), Step: step, PublicURL: text, Platform: text, Paste: paste, Chosen: []string{text},
			Faults:      adminviews.Faults{{Field: "sets", Key: onboard.KeyPermissionIDs}},
			Credentials: []adminviews.CredentialLine{{Name: admin.ComponentSecret}, {Name: admin.PushToken, Fingerprint: text}, {Name: admin.AESKey, Fingerprint: text, Credential: admin.Credential{Fixed: true}}},
			Try:         onboard.Attempt{ID: "A", InviteCode: "CODE", Recipient: text, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}, TryLink: text,
		}
		all["wizard "+string(step)] = adminviews.Wizard(m)
	}
	m := adminviews.WizardPage{Frame: f, Setup: never.Setup(text), Step: admin.StepPush, Paste: paste}
	m.Setup.Checks = map[admin.CheckName]admin.Check{admin.CheckSecret: {OKAt: noon.Add(-time.Hour)}}
	all["wizard waits"] = adminviews.Wizard(m)
	return all
}

// wordsOf is the text of the element that holds part.
func wordsOf(t *testing.T, page templ.Component, l i18n.Lang, part string) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page, l).Descendants() {
		if attr(n, "data-part") != part {
			continue
		}
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				b.WriteString(d.Data + " ")
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestHealth_Words reads what the page says of a platform on which everything that
// can be found is wrong.
func TestHealth_Words(t *testing.T) {
	page := platformPages(adminviews.Frame{Page: views.Page{Now: noon}}, "203.0.113.24")["health trouble"]
	zh, en := wordsOf(t, page, i18n.Chinese, "verdict"), wordsOf(t, page, i18n.English, "verdict")
	for _, want := range []string{
		"无法工作", "微信拒绝了来自 203.0.113.24 的请求（61004）。", "微信不接受 AppSecret（40125）", "已持续 2 小时", "票据已 2 小时没有更新，10 小时后停止工作。",
		"收到签名不对的推送 12 次", "收到推送但解不开", "api_query_auth 今天的次数用完了", "平台还没有全网发布", "2 个事件处理失败", "跳转到了别处",
	} {
		if !strings.Contains(zh, want) {
			t.Errorf("the page does not say %q:\n%s", want, zh)
		}
	}
	for _, want := range []string{
		"Not working", "WeChat refused requests from 203.0.113.24 (61004).", "No new ticket for 2 hours. Work stops in 10 hours.", "12 pushes with a bad signature",
	} {
		if !strings.Contains(en, want) {
			t.Errorf("the page does not say %q:\n%s", want, en)
		}
	}
	for part, want := range map[string]string{
		"tiles": "验证票据 断了 2 小时前收到 10 小时后停止工作 平台令牌 有效 1:22 后到期 到期前 10 分钟自动刷新 授权账号 3 个待处理 128 个 缺权限 2 · 令牌失效 1 微信接口 99.7% 3 次失败 / 1 小时 今日预授权码 41 次",
	} {
		if got := wordsOf(t, page, i18n.Chinese, part); got != want {
			t.Errorf("the part %s says %q, want %q", part, got, want)
		}
	}
	if got := wordsOf(t, page, i18n.Chinese, "beat"); !strings.HasPrefix(got, "过去 24 小时，每 10 分钟应有一次票据推送。") || !strings.Contains(got, "缺失") {
		t.Errorf("the strip says %q", got)
	}
}

// TestHealth_Strip counts the bars of both strips.
func TestHealth_Strip(t *testing.T) {
	doc := parse(t, platformPages(adminviews.Frame{Page: views.Page{Now: noon}}, "x")["health trouble"], i18n.Chinese)
	bars := map[string]int{}
	for n := range doc.Descendants() {
		if n.Data == "rect" && n.Parent != nil && strings.HasPrefix(attr(n.Parent, "class"), "beat") {
			bars[attr(n.Parent, "class")]++
		}
	}
	if bars["beat hide-narrow"] != 144 || bars["beat only-narrow"] != 48 {
		t.Errorf("the strips have %v bars, want 144 and 48", bars)
	}
}

// TestFindings_Sentences: every finding and step has its sentences.
func TestFindings_Sentences(t *testing.T) {
	var all []admin.FindingName
	for _, h := range []admin.Health{troubled("x"), {Ticket: admin.TicketNever}, {Ticket: admin.TicketAging}, {Ticket: admin.TicketExpired},
		{Ticket: admin.TicketFresh, Now: noon}, {Checks: map[admin.CheckName]admin.Check{admin.CheckDatabase: {FailedAt: noon}}}, {Refusals: map[string]admin.RefusedPushes{"keys": {N: 1}}}} {
		for _, f := range h.Findings() {
			all = append(all, f.Name)
		}
	}
	if len(all) < 20 {
		t.Errorf("only %d findings: %v", len(all), all)
	}
	for _, name := range all {
		for _, part := range []string{"title", "text", "fix"} {
			if key := i18n.Key("health.finding." + string(name) + "." + part); !i18n.Has(key) && !(name == admin.AddressNotReach && part == "text") {
				t.Errorf("there is no sentence %s", key)
			}
		}
	}
	for _, step := range admin.Steps() {
		for _, key := range []string{"wizard.step." + string(step), "wizard.step." + string(step) + ".lead"} {
			if !i18n.Has(i18n.Key(key)) {
				t.Errorf("there is no sentence %s", key)
			}
		}
	}
	for _, kind := range []string{"closed", "tls", "redirect", "status", "other"} {
		if !i18n.Has(i18n.Key("wizard.address." + kind)) {
			t.Errorf("there is no sentence about the address for %s", kind)
		}
	}
}
