package web

import (
	"bufio"
	"context"
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
	wants(t, "the list", w.get("/admin/invites", cookie), http.StatusOK, "林小雨", "shop-7", "wx8f2c40d1a7be91d0", "还没打开", path, `<span class="n">1</span>`)

	// The code holds the link, in both forms.
	if got := decodeQR(t, w.get(path+"/qr.png", cookie).Body.Bytes()); got != link {
		t.Errorf("the PNG says %q, want %q", got, link)
	}
	svg := w.get(path+"/qr.svg", cookie)
	if svg.Header().Get("Content-Type") != "image/svg+xml" || svg.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the SVG has the header %v", svg.Header())
	}
	sameModules(t, svg.Body.String(), link)

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
	wants(t, "nonsense", w.get("/admin/invites?state=odd&after=%00&q=%ff", cookie), http.StatusOK)
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

// TestInviteLive streams the state of an invite, and ends when the session does.
func TestInviteLive(t *testing.T) {
	w := newConsole(t, nil)
	server := httptest.NewServer(w)
	defer server.Close()
	a := w.invite(onboard.Invitation{})
	cookie := w.signedIn(admin.Viewer)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/admin/invites/"+a.ID+"/live", nil)
	w.ok(err)
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Accept-Language", "zh-CN")
	answer, err := http.DefaultClient.Do(r)
	w.ok(err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	until := func(text string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(html.UnescapeString(lines.Text()), text) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", text, lines.Err())
	}
	until("还没打开")
	w.ok(w.svc.Opened(ctx, a.ID))
	until("已打开")
	_, err = w.svc.CancelInvite(ctx, a.ID)
	w.ok(err)
	until("已撤回")
	_, err = w.site.Console.Admin(ctx, w.admins[admin.Viewer].ID)
	w.ok(err)
	_, err = w.db.EndSessions(ctx, w.admins[admin.Viewer].ID, "")
	w.ok(err)
	_, err = w.svc.Resend(ctx, w.invite(onboard.Invitation{}).ID, "x", 0) // somebody else goes on
	w.ok(err)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "event: state") {
			t.Error("the stream goes on after the session")
		}
	}
}

// TestDecide asks about an account that was put aside and follows both answers.
func TestDecide(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	w.putAside()
	path := "/admin/accounts/" + string(cameAppID) + "/decide"
	page := w.get(path, cookie)
	wants(t, "the question", page, http.StatusOK, "这个账号是你邀请的商家吗？", "林小雨", "没有指定 AppID", string(cameAppID), "马上开始服务", "也不再刷新令牌")
	if w.get(path, w.signedIn(admin.Viewer)).Code != http.StatusForbidden {
		t.Error("a viewer may decide")
	}
	wants(t, "neither yes nor no", w.post(path, cookie, url.Values{"answer": {"perhaps"}}), http.StatusUnprocessableEntity, "选择是或不是")

	standing := func(want onboard.Standing) {
		t.Helper()
		a, err := w.db.Account(t.Context(), cameAppID)
		if err != nil || a.Standing != want {
			t.Errorf("the account is %q, %v; want %q", a.Standing, err, want)
		}
	}
	refused := w.post(path, cookie, url.Values{"answer": {"no"}})
	standing(onboard.Refused)
	if e, _ := w.lastAudit(); e.Action != "account.refuse" || e.Target != string(cameAppID) || e.Before != "quarantined" || e.After != "refused" {
		t.Errorf("the audit says %+v", e)
	}
	wants(t, "the invite", w.get(refused.Header().Get("Location"), cookie), http.StatusOK, "不服务它", "已判定不是")
	wants(t, "a second thought", w.get(path, cookie), http.StatusOK, "已判定不是这个商家", "可以改过来")
	w.post(path, cookie, url.Values{"answer": {"no"}})
	wants(t, "no again", w.get("/admin", cookie), http.StatusOK, "有人刚处理过")
	w.post(path, cookie, url.Values{"answer": {"yes"}})
	standing(onboard.Active)
	if e, _ := w.lastAudit(); e.Action != "account.accept" || e.After != "active" {
		t.Errorf("the audit says %+v", e)
	}
	wants(t, "nothing left", w.get(path, cookie), http.StatusOK, "没有需要核对的")
	w.post(path, cookie, url.Values{"answer": {"no"}})
	standing(onboard.Active)

	// Another account than the one asked for.
	const wrong onboard.AppID = "wx00000000000000c2"
	a := w.invite(onboard.Invitation{Wish: onboard.Wish{BizAppID: cameAppID}, Recipient: "王"})
	w.brings(a, wrong, onboard.WrongAccount, onboard.Quarantined)
	wants(t, "the wrong account", w.get("/admin/accounts/"+string(wrong)+"/decide", cookie), http.StatusOK, "邀请指定了另一个账号", string(wrong), string(cameAppID), "王")
	wants(t, "its invite", w.get("/admin/invites/"+a.ID, cookie), http.StatusOK, "来了另一个账号", "去核对")
	wants(t, "the list", w.get("/admin/invites", cookie), http.StatusOK, "来了另一个账号")
}

// TestOverview shows what needs attention and where to look, and the way to begin.
func TestOverview(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	wants(t, "an empty database", w.get("/admin", cookie), http.StatusOK, "从这里开始", "接入微信", "微信还没有推送过票据", "邀请第一个商家", "/admin/invites/new")
	if strings.Contains(pageText(w.get("/admin", cookie)), "件事需要处理") {
		t.Error("the beginning is shown as trouble")
	}
	if strings.Contains(w.get("/admin", w.signedIn(admin.Viewer)).Body.String(), "/admin/invites/new") {
		t.Error("a viewer is led to a form that refuses them")
	}
	_, err := w.db.SaveTicket(t.Context(), onboard.Ticket{Value: secret.New("ticket"), CreatedAt: w.now, ReceivedAt: w.now})
	w.ok(err)
	fence, _, err := w.db.ClaimPlatformToken(t.Context(), w.now, w.now.Add(time.Minute))
	w.ok(err)
	w.ok(w.db.SavePlatformToken(t.Context(), onboard.PlatformToken{Value: secret.New("token"), FetchedAt: w.now, ExpiresAt: w.now.Add(2 * time.Hour), Fence: fence}))
	wants(t, "with a ticket", w.get("/admin", cookie), http.StatusOK, "已收到票据，接入完成")
	a := w.invite(onboard.Invitation{Life: time.Hour})
	wants(t, "nothing to do", w.get("/admin", cookie), http.StatusOK, "没有需要处理的事", "等待授权的邀请")
	w.putAside()
	w.site.Console.Decided()
	w.ok(w.db.SaveBlocked(t.Context(), a.ID, onboard.KeyBlockedIP, w.now))
	w.now = w.now.Add(50 * time.Minute)
	cookie = w.signedIn(admin.Operator)
	wants(t, "two things", w.get("/admin", cookie), http.StatusOK, "2 件事需要处理：商家不能开始授权，1 个账号待核对", "白名单")
	w.now = w.now.Add(20 * time.Minute)
	cookie = w.signedIn(admin.Operator)
	page := w.get("/admin", cookie)
	wants(t, "after a while", page, http.StatusOK, "1 个邀请刚过期", `href="/admin/invites?state=lapsed"`, "票据很久没有更新")
	w.now = w.now.Add(12 * time.Hour)
	cookie = w.signedIn(admin.Operator)
	wants(t, "after half a day", w.get("/admin", cookie), http.StatusOK, "票据已失效", "超过 12 小时")
}

// TestGlance: a page that is left open does not keep anybody signed in.
func TestGlance(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Viewer)
	seen := func() time.Time {
		t.Helper()
		all, err := w.site.Console.Sessions(t.Context(), w.admins[admin.Viewer].ID)
		w.ok(err)
		return all[0].SeenAt
	}
	begin := seen()
	w.now = w.now.Add(20 * time.Minute)
	wants(t, "the live part", w.glimpse("/admin/live", cookie), http.StatusOK, "data-part=")
	if got := seen(); !got.Equal(begin) {
		t.Errorf("the session was used at %v, want %v", got, begin)
	}
	w.get("/admin", cookie)
	if got := seen(); !got.Equal(w.now) {
		t.Errorf("the session was used at %v, want %v", got, w.now)
	}
}
