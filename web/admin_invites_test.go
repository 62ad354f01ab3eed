package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	qr "github.com/skip2/go-qrcode"
	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// cameAppID is an account that the tests of invites bring in.
const cameAppID onboard.AppID = "wx00000000000000c1"

// invite makes an invite as the owner.
func (w *consoleWorld) invite(v onboard.Invitation) onboard.Attempt {
	w.Helper()
	if v.AuthType == 0 {
		v.AuthType = onboard.MiniPrograms
	}
	v.InvitedBy, v.Language = "owner", "zh-CN"
	a, err := w.svc.CreateInvite(w.Context(), v)
	w.ok(err)
	return a
}

// brings ends an invite with an account.
func (w *consoleWorld) brings(a onboard.Attempt, appID onboard.AppID, verdict onboard.Verdict, standing onboard.Standing) {
	w.Helper()
	claim, err := w.db.ClaimExchange(w.Context(), "code of "+a.ID, "", w.now, w.now.Add(time.Minute))
	w.ok(err)
	_, err = w.db.FinishExchange(w.Context(), onboard.Arrived{
		CodeHash: "code of " + a.ID, Fence: claim.Fence, AppID: appID, Grants: onboard.Grants{{ID: 17}}, At: w.now, Now: w.now, DueAt: w.now.Add(time.Hour),
		Tokens:   onboard.Tokens{Access: secret.New("access"), Life: time.Hour, Refresh: secret.New("refresh")},
		Standing: standing, AttemptID: a.ID, Verdict: verdict,
	})
	w.ok(err)
}

// putAside brings in an account that waits for a decision, and an invite that asked
// for none in particular.
func (w *consoleWorld) putAside() onboard.AppID {
	w.Helper()
	if d, err := w.site.Console.Decision(w.Context(), cameAppID); err != nil || !d.Open() {
		w.brings(w.invite(onboard.Invitation{Hold: true, Recipient: "林小雨"}), cameAppID, onboard.Connected, onboard.Quarantined)
	}
	return cameAppID
}

// text is a page as a person reads it.
func pageText(answer *httptest.ResponseRecorder) string {
	return html.UnescapeString(answer.Body.String())
}

func wants(t *testing.T, what string, answer *httptest.ResponseRecorder, status int, texts ...string) {
	t.Helper()
	if answer.Code != status {
		t.Errorf("%s = %d, want %d:\n%s", what, answer.Code, status, answer.Body)
	}
	for _, text := range texts {
		if !strings.Contains(pageText(answer), text) {
			t.Errorf("%s lacks %q:\n%s", what, text, answer.Body)
		}
	}
}

// TestInvites_Create makes an invite by the form and finds what was typed in it, on
// its page, in the list and in the audit.
func TestInvites_Create(t *testing.T) {
	w := newConsole(t, nil)
	settings := w.site.Console.Settings()
	settings.ReturnHosts, settings.Brand = []string{"shop.example.com"}, "青禾云"
	w.ok(w.site.Console.SaveSettings(t.Context(), settings))
	cookie := w.signedIn(admin.Operator)
	form := url.Values{
		"recipient": {" 林小雨 "}, "auth_type": {"2"}, "biz_appid": {" WX8F2C40D1A7BE91D0 "}, "sets": {"17", "18"}, "more": {"201"}, "language": {"en"},
		"life": {"72"}, "reference": {"shop-7"}, "return_url": {"https://shop.example.com/welcome"},
	}
	form.Set("biz_appid", "wx8f2c40d1a7be91d0")
	got := w.post("/admin/invites", cookie, form)
	path := got.Header().Get("Location")
	if got.Code != http.StatusSeeOther || !strings.HasPrefix(path, "/admin/invites/") {
		t.Fatalf("create = %d to %q:\n%s", got.Code, path, got.Body)
	}
	id := strings.TrimPrefix(path, "/admin/invites/")
	a, err := w.svc.Attempt(t.Context(), id)
	w.ok(err)
	if a.Recipient != "林小雨" || a.BizAppID != "wx8f2c40d1a7be91d0" || a.AuthType != onboard.MiniPrograms || len(a.Wanted) != 3 || a.Language != "en" ||
		!a.ExpiresAt.Equal(w.now.Add(72*time.Hour)) || a.Reference != "shop-7" || a.ReturnURL != "https://shop.example.com/welcome" ||
		a.InvitedBy != "operator" || a.Hold || !a.Invited {
		t.Errorf("the invite is %+v", a)
	}
	if e, _ := w.lastAudit(); e.Action != "invite.create" || e.Target != id || e.Actor != "operator" || strings.Contains(e.After, a.InviteCode) || !strings.Contains(e.After, "林小雨") {
		t.Errorf("the audit says %+v", e)
	}
	link := "https://open.example.com/i/" + a.InviteCode + "?lang=en"
	page := w.get(path, cookie)
	wants(t, "the page", page, http.StatusOK, link, "邀请已生成", "还没打开", "Hello 林小雨, 青禾云 invites you to connect your", "shop-7", "https://shop.example.com/welcome", "权限集 #201")
	if again := w.get(path, cookie); strings.Contains(pageText(again), "邀请已生成") {
		t.Error("the sentence is shown twice")
	}
	wants(t, "the list", w.get("/admin/invites", cookie), http.StatusOK, "林小雨", "shop-7", "wx8f2c40d1a7be91d0", "还没打开", path, `data-part="n-invites">1</span>`)

	// The code holds the link, in both forms.
	if got := decodeQR(t, w.get(path+"/qr.png", cookie).Body.Bytes()); got != link {
		t.Errorf("the PNG says %q, want %q", got, link)
	}
	svg := w.get(path+"/qr.svg", cookie)
	if svg.Header().Get("Content-Type") != "image/svg+xml" || svg.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the SVG has the header %v", svg.Header())
	}
	sameModules(t, svg.Body.String(), link)

	// Without an AppID the settings decide whether what comes is checked first.
	form.Del("biz_appid")
	for _, trust := range []bool{false, true} {
		settings := w.site.Console.Settings()
		settings.TrustInvites = trust
		w.ok(w.site.Console.SaveSettings(t.Context(), settings))
		to := w.post("/admin/invites", cookie, form).Header().Get("Location")
		a, err := w.svc.Attempt(t.Context(), strings.TrimPrefix(to, "/admin/invites/"))
		if err != nil || a.Hold == trust {
			t.Errorf("with trust %t an invite holds: %t, %v", trust, a.Hold, err)
		}
	}

	// A viewer sees it and is offered nothing to press.
	seen := w.get(path, w.signedIn(admin.Viewer))
	wants(t, "the page of a viewer", seen, http.StatusOK, link)
	if body := seen.Body.String(); strings.Contains(body, "/resend") || strings.Contains(body, "/revoke") {
		t.Errorf("a viewer is offered buttons:\n%s", body)
	}
}

// sameModules draws the path of an SVG and compares it with the code of text.
func sameModules(t *testing.T, svg, text string) {
	t.Helper()
	code, err := qr.New(text, qr.Medium)
	if err != nil {
		t.Fatal(err)
	}
	want := code.Bitmap()
	if strings.Count(svg, "<path") != 2 || !strings.Contains(svg, `viewBox="0 0 `+strconv.Itoa(len(want))+" "+strconv.Itoa(len(want))+`"`) {
		t.Errorf("the SVG is %.300s", svg)
	}
	black := 0
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		if m[3] != m[4] {
			t.Fatalf("%s is no rectangle", m[0])
		}
		for i := range n {
			black++
			if !want[y][x+i] {
				t.Fatalf("the module %d, %d is black, want white", x+i, y)
			}
		}
	}
	for _, row := range want {
		for _, m := range row {
			if m {
				black--
			}
		}
	}
	if black != 0 {
		t.Errorf("%d black modules more than the code has", black)
	}
}

// TestInvites_Faults keeps what was typed in a form that cannot be.
func TestInvites_Faults(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	good := url.Values{"auth_type": {"2"}, "language": {"zh-CN"}, "life": {"24"}}
	for _, tt := range []struct{ field, value, says string }{
		{"recipient", strings.Repeat("长", 65), "最多 64 个字"},
		{"auth_type", "7", "选择要授权的账号类型"},
		{"biz_appid", "wx1", "AppID 以 wx 开头"},
		{"sets", "x", "编号"},
		{"sets", "1", "这类账号没有这些权限集"}, // of Official Accounts
		{"more", "17,18x", "编号"},
		{"language", "fr", "选择一种语言"},
		{"life", "0", "有效期在"},
		{"life", "721", "有效期在"},
		{"reference", "a\nb", "写成一行"},
		{"return_url", "https://evil.test/", ""},
	} {
		form := url.Values{"recipient": {"林 <小雨>"}}
		for name, v := range good {
			form[name] = v
		}
		form.Set(tt.field, tt.value)
		got := w.post("/admin/invites", cookie, form)
		wants(t, tt.field+" "+tt.value, got, http.StatusUnprocessableEntity, tt.says, `href="#`+tt.field+`"`)
		if tt.field != "recipient" && !strings.Contains(got.Body.String(), `value="林 &lt;小雨&gt;"`) {
			t.Errorf("%s: what was typed is lost:\n%s", tt.field, got.Body)
		}
	}
	if n, err := w.site.Console.WaitingInvites(t.Context()); err != nil || n != 0 {
		t.Errorf("%d invites were made, %v", n, err)
	}
	if _, n := w.lastAudit(); n != 0 {
		if e, _ := w.lastAudit(); strings.HasPrefix(e.Action, "invite.") {
			t.Errorf("the audit says %+v", e)
		}
	}
	// What is not typed but in the address fills the form in.
	wants(t, "a prepared form", w.get("/admin/invites/new?recipient=王&auth_type=5&biz_appid=wx0", cookie), http.StatusOK,
		`value="王"`, `value="wx0"`, `value="5" selected`, "先用自己的测试账号试一次", "先在设置里填写允许返回的网站")
	// The settings are the default.
	settings := w.site.Console.Settings()
	settings.Wanted, settings.InviteLife, settings.Language = []onboard.PermissionID{17, 18}, 36*time.Hour, "en"
	w.ok(w.site.Console.SaveSettings(t.Context(), settings))
	wants(t, "the form", ask(w, http.MethodGet, "/admin/invites/new", "", "Cookie", cookie, "Accept-Language", "zh-CN"), http.StatusOK,
		"就申请设置里的 2 项", `value="36" selected`, `value="en" lang="en" selected`)
}

// TestInvites_Unreleased warns when WeChat has said that the platform is not released.
func TestInvites_Unreleased(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	a := w.invite(onboard.Invitation{})
	w.ok(w.db.SaveBlocked(t.Context(), a.ID, onboard.KeyBlockedUnpublished, w.now))
	wants(t, "the form", w.get("/admin/invites/new", cookie), http.StatusOK, "平台还没有全网发布", "只有测试名单里的账号能授权")
	wants(t, "the invite", w.get("/admin/invites/"+a.ID, cookie), http.StatusOK, "不能授权", "还没有全网发布")
	w.now = w.now.Add(8 * 24 * time.Hour)
	if body := pageText(w.get("/admin/invites/new", w.signedIn(admin.Operator))); strings.Contains(body, "微信拒绝了测试名单之外的账号") {
		t.Error("the warning stays for ever")
	}
}

// TestInvites_List filters, searches and turns pages.
func TestInvites_List(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Viewer)
	wants(t, "an empty list", w.get("/admin/invites", cookie), http.StatusOK, "还没有邀请")
	if strings.Contains(w.get("/admin/invites", cookie).Body.String(), "/admin/invites/new") {
		t.Error("a viewer is offered the form")
	}
	begin := w.now
	for i := range invitesOnPage + 3 {
		w.now = begin.Add(time.Duration(i) * time.Second)
		w.invite(onboard.Invitation{Recipient: "商家 " + strconv.Itoa(i) + ".", Batch: map[bool]string{true: "TWO"}[i < 2]})
	}
	first := w.get("/admin/invites", cookie)
	wants(t, "the first page", first, http.StatusOK, "商家 52.", "商家 3.", "更早的")
	if strings.Contains(first.Body.String(), "商家 2.") {
		t.Error("the first page holds more than it should")
	}
	next := regexp.MustCompile(`/admin/invites\?after=[^"]+`).FindString(pageText(first))
	wants(t, "the second page", w.get(next, cookie), http.StatusOK, "商家 2.", "商家 0.", "回到最新的")
	wants(t, "a search", w.get("/admin/invites?q=%E5%95%86%E5%AE%B6+7.", cookie), http.StatusOK, "商家 7.", "清除筛选")
	wants(t, "a batch", w.get("/admin/invites?batch=TWO", cookie), http.StatusOK, "商家 1.", "同一批")
	wants(t, "nothing", w.get("/admin/invites?q=nobody", cookie), http.StatusOK, "没有符合条件的邀请")
	wants(t, "nothing done", w.get("/admin/invites?state=done", cookie), http.StatusOK, "没有符合条件的邀请")
	wants(t, "nonsense", w.get("/admin/invites?state=odd&after=zzz&q=%25_", cookie), http.StatusOK)
	w.now = begin.Add(8 * 24 * time.Hour)
	cookie = w.signedIn(admin.Viewer)
	wants(t, "those that lapsed", w.get("/admin/invites?state=lapsed", cookie), http.StatusOK, "商家 52.", "已过期")
}

// TestInvites_ResendAndRevoke gives an invite more time and takes it back.
func TestInvites_ResendAndRevoke(t *testing.T) {
	w := newConsole(t, nil)
	a := w.invite(onboard.Invitation{Recipient: "林小雨", Life: time.Hour})
	path := "/admin/invites/" + a.ID
	w.now = w.now.Add(2 * time.Hour)
	cookie := w.signedIn(admin.Operator)
	page := w.get(path, cookie)
	wants(t, "an invite that ran out", page, http.StatusOK, "已过期", "延长有效期")
	if strings.Contains(page.Body.String(), a.InviteCode) {
		t.Errorf("a dead link is shown:\n%s", page.Body)
	}
	if got := w.post(path+"/resend", cookie, nil); got.Code != http.StatusSeeOther || got.Header().Get("Location") != path {
		t.Errorf("resend = %d to %q", got.Code, got.Header().Get("Location"))
	}
	wants(t, "with more time", w.get(path, cookie), http.StatusOK, "有效期已延长到", a.InviteCode)
	wants(t, "the question", w.get(path+"/revoke", cookie), http.StatusOK, "撤回给林小雨的邀请？", "立刻失效")
	if now, err := w.svc.Attempt(t.Context(), a.ID); err != nil || !now.CanceledAt.IsZero() {
		t.Errorf("asking has canceled it: %+v, %v", now, err)
	}
	w.post(path+"/revoke", cookie, nil)
	if e, _ := w.lastAudit(); e.Action != "invite.revoke" || e.Target != a.ID {
		t.Errorf("the audit says %+v", e)
	}
	wants(t, "taken back", w.get(path, cookie), http.StatusOK, "邀请已撤回。", "已撤回", "再发一个")
	w.post(path+"/revoke", cookie, nil)
	wants(t, "once more", w.get(path, cookie), http.StatusOK, "没有改动")
	if got := w.get(path+"/revoke", cookie); got.Code != http.StatusSeeOther {
		t.Errorf("the question about what is over = %d", got.Code)
	}
	wants(t, "the merchant", ask(w, http.MethodGet, "/i/"+a.InviteCode, ""), http.StatusOK, "邀请已过期")
	got := w.post(path+"/resend", cookie, nil)
	if to := got.Header().Get("Location"); to == path || !strings.HasPrefix(to, "/admin/invites/") {
		t.Errorf("sending again leads to %q", to)
	} else {
		wants(t, "the new one", w.get(to, cookie), http.StatusOK, "已生成新的邀请", "林小雨")
	}
}
