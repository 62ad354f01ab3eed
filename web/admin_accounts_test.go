package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/views"
)

// shop is the AppID of the i-th account of a test.
func shop(i int) onboard.AppID { return onboard.AppID(fmt.Sprintf("wx%016x", 0xabc000+i)) }

// names lists which of the given texts a page holds.
func names(page string, all ...string) (found []string) {
	for _, name := range all {
		if strings.Contains(page, name) {
			found = append(found, name)
		}
	}
	return found
}

// TestAccounts_Filters: every condition is in the address, and what is not a value of
// it chooses nothing.
func TestAccounts_Filters(t *testing.T) {
	w := newConsole(t, func(s *Server) { s.Service = oneAttempt{} }) // whatever asks WeChat panics
	w.authorize(shop(1), "Camellia", nil)
	w.authorize(shop(2), "Bakery", func(a *onboard.Arrived) { a.Wanted = nil })
	w.now = w.now.AddDate(0, 0, 3)
	w.authorize(shop(3), "Noodles", func(a *onboard.Arrived) { a.Wanted = []onboard.PermissionID{17, 18} })
	_, err := w.db.SaveTag(t.Context(), []onboard.AppID{shop(2)}, "vip", "", 20, w.now.Add(-72*time.Hour))
	w.ok(err)
	cookie := w.signedIn(admin.Viewer)
	all := []string{"Camellia", "Bakery", "Noodles"}
	for query, want := range map[string]string{
		"":                                "Camellia Bakery Noodles",
		"?q=came":                         "Camellia",
		"?q=BAKERY":                       "Bakery",
		"?q=" + string(shop(3)):           "Noodles",
		"?missing=19":                     "Camellia",
		"?missing=18":                     "",
		"?missing=18|19":                  "Camellia Bakery Noodles",
		"?status=missing":                 "Camellia",
		"?status=acting":                  "Camellia",
		"?status=ok":                      "Bakery Noodles",
		"?status=everything":              "Camellia Bakery Noodles",
		"?kind=mini":                      "Camellia Bakery Noodles",
		"?kind=official":                  "",
		"?tag=vip":                        "Bakery",
		"?since=2026-11-25":               "Noodles",
		"?since=2026-11-22&q=ba":          "Bakery",
		"?hidden=1":                       "",
		"?after=nonsense&size=7":          "Camellia Bakery Noodles",
		"?sort=--name&at=-5":              "Camellia Bakery Noodles",
		"?q=" + strings.Repeat("x", 3000): "",
	} {
		got := w.get("/admin/accounts"+query, cookie)
		if found := strings.Join(names(got.Body.String(), all...), " "); got.Code != http.StatusOK || found != want {
			t.Errorf("GET /admin/accounts%.40s = %d with %q, want %q", query, got.Code, found, want)
		}
	}
	if got := w.get("/admin/accounts?since=2026-13-99", cookie); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), `href="#since"`) {
		t.Errorf("a date that is none = %d", got.Code)
	}
	if got := w.get("/admin/accounts?q=zzz", cookie).Body.String(); !strings.Contains(got, "没有符合条件的账号") || strings.Contains(got, "还没有授权账号") {
		t.Errorf("no match says:\n%s", got)
	}
	if got := w.get("/admin/accounts/"+string(shop(1)), cookie); got.Code != http.StatusOK {
		t.Errorf("the page of an account asks WeChat: %d\n%s", got.Code, w.log)
	}
	page := w.get("/admin/accounts", cookie).Body.String()
	if !strings.Contains(page, `data-part="n-accounts">3</span>`) {
		t.Errorf("the navigation does not count the accounts:\n%s", page)
	}
	for _, path := range []string{"", "/export.csv", "/" + string(shop(1))} {
		if got := w.get("/admin/accounts"+path, cookie).Body.String(); strings.Contains(got, "canary") {
			t.Errorf("/admin/accounts%s shows a token", path)
		}
	}
}

func TestAccounts_Empty(t *testing.T) {
	w := newConsole(t, nil)
	got := w.get("/admin/accounts", w.signedIn(admin.Viewer)).Body.String()
	if !strings.Contains(got, "还没有授权账号") || strings.Contains(got, `role="search"`) {
		t.Errorf("an empty console says:\n%s", got)
	}
}

// TestAccounts_Pages walks the list by its links, forth and back.
func TestAccounts_Pages(t *testing.T) {
	w := newConsole(t, nil)
	for i := range 60 {
		w.authorize(shop(i), fmt.Sprintf("Shop %02d", i), nil)
	}
	cookie := w.signedIn(admin.Viewer)
	link := func(page, rel string) string {
		_, rest, ok := strings.Cut(page, `rel="`+rel+`" href="`)
		if !ok {
			return ""
		}
		to, _, _ := strings.Cut(rest, `"`)
		return strings.ReplaceAll(to, "&amp;", "&")
	}
	path := "/admin/accounts?sort=name"
	var shown []string
	for _, want := range []string{"第 1–25 个，共 60 个", "第 26–50 个，共 60 个", "第 51–60 个，共 60 个"} {
		page := w.get(path, cookie).Body.String()
		if !strings.Contains(page, want) {
			t.Errorf("%s lacks %q", path, want)
		}
		for i := range 60 {
			if name := fmt.Sprintf("Shop %02d", i); strings.Contains(page, name+"</bdi>") {
				shown = append(shown, name)
			}
		}
		path = link(page, "next")
	}
	if path != "" || len(shown) != 60 || shown[0] != "Shop 00" || shown[59] != "Shop 59" {
		t.Errorf("%d accounts on three pages, then %q", len(shown), path)
	}
	back := link(w.get("/admin/accounts?sort=name&size=50", cookie).Body.String(), "next")
	back = link(w.get(back, cookie).Body.String(), "prev")
	if page := w.get(back, cookie).Body.String(); !strings.Contains(page, "第 1–50 个，共 60 个") || !strings.Contains(page, "Shop 00") {
		t.Errorf("%s is not the first page again", back)
	}
}

// TestAccounts_CSV: the rows of the filter, readable by a spreadsheet program that
// computes nothing.
func TestAccounts_CSV(t *testing.T) {
	w := newConsole(t, nil)
	w.authorize(shop(1), `=HYPERLINK("http://evil","x")`, nil)
	w.authorize(shop(2), "Bakery", func(a *onboard.Arrived) { a.Wanted = nil })
	for i := 3; i < 1200; i += 400 {
		w.authorize(shop(i), "Shop", func(a *onboard.Arrived) { a.Wanted = nil })
	}
	cookie := w.signedIn(admin.Viewer)
	got := w.get("/admin/accounts/export.csv?missing=19", cookie)
	body, bom := strings.CutPrefix(got.Body.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || !bom || len(rows) != 2 || rows[0][1] != "AppID" {
		t.Fatalf("export.csv = %v, %q", err, got.Body)
	}
	if row := rows[1]; row[0] != `'=HYPERLINK("http://evil","x")` || row[1] != string(shop(1)) || row[5] != "缺少权限" || row[8] != "小程序客服管理 (19)" {
		t.Errorf("the row is %q", row)
	}
	if h := got.Header(); h.Get("Content-Disposition") != `attachment; filename="accounts.csv"` || h.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("the file comes with %v", h)
	}
	if n := strings.Count(w.get("/admin/accounts/export.csv", cookie).Body.String(), "\r\n"); n != 6 {
		t.Errorf("all accounts are %d lines, want 6", n)
	}
	if got := w.get("/admin/accounts/export.csv?q=zzz", cookie).Body.String(); strings.Count(got, "\r\n") != 1 {
		t.Errorf("no account is %q, want the titles", got)
	}
	if got := w.get("/admin/accounts/export.csv?since=x", cookie); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("a date that is none = %d", got.Code)
	}
}

// TestAccounts_InviteAll makes links for a filter: as many as were announced, each
// with its account and sets, or none when the accounts have changed.
func TestAccounts_InviteAll(t *testing.T) {
	w := newConsole(t, nil)
	w.authorize(shop(1), "Camellia", nil)
	w.authorize(shop(2), "Bakery", func(a *onboard.Arrived) { a.Wanted = nil })
	w.authorize(shop(3), "Noodles", nil)
	_, err := w.svc.Stop(t.Context(), shop(3))
	w.ok(err)
	cookie := w.signedIn(admin.Operator)
	page := w.get("/admin/accounts/invite?missing=19", cookie).Body.String()
	for _, want := range []string{"为 1 个账号生成重新授权链接？", `name="missing" value="19"`, `name="n" value="1"`, "筛选出 2 个账号，其中 1 个不能邀请"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page that asks lacks %q:\n%s", want, page)
		}
	}
	form := url.Values{"missing": {"19"}, "n": {"1"}}
	got := w.post("/admin/accounts/invite", cookie, form)
	to := got.Header().Get("Location")
	if got.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/admin/accounts/links/") {
		t.Fatalf("POST = %d to %q\n%s", got.Code, to, got.Body)
	}
	batch := strings.TrimPrefix(to, "/admin/accounts/links/")
	made, err := w.site.Console.Invites(t.Context(), admin.InviteQuery{Batch: batch})
	if err != nil || len(made.Rows) != 1 {
		t.Fatalf("Invites(%s) = %+v, %v", batch, made, err)
	}
	invite := made.Rows[0]
	if invite.BizAppID != shop(1) || fmt.Sprint(invite.Wanted) != "[17 18 19]" || invite.InvitedBy != "operator" || !invite.Invited {
		t.Errorf("the invite is %+v", invite)
	}
	link := "https://open.example.com" + views.InvitePath(invite.InviteCode)
	if page := w.get(to, cookie).Body.String(); !strings.Contains(page, link) || !strings.Contains(page, "已生成 1 个链接，有效 7 天") {
		t.Errorf("the page of links lacks %s:\n%s", link, page)
	}
	if file := w.get(to+"/links.csv", cookie).Body.String(); !strings.Contains(file, link) || !strings.Contains(file, string(shop(1))) {
		t.Errorf("the file of links is %q", file)
	}
	if w.get("/i/"+invite.InviteCode, "").Code != http.StatusOK {
		t.Error("the link does not open")
	}
	w.authorize(shop(4), "New", nil)
	got = w.post("/admin/accounts/invite", cookie, form)
	if got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "筛选出的账号刚有变化") || !strings.Contains(got.Body.String(), `name="n" value="2"`) {
		t.Errorf("POST after a change = %d\n%s", got.Code, got.Body)
	}
	if made, err := w.site.Console.WaitingInvites(t.Context()); err != nil || made != 1 {
		t.Errorf("there are %d invites, %v", made, err)
	}
	for _, form := range []url.Values{{"n": {"0"}, "q": {"zzz"}}, {"n": {"x"}}} {
		if got := w.post("/admin/accounts/invite", cookie, form); got.Code != http.StatusConflict {
			t.Errorf("POST %v = %d, want 409", form, got.Code)
		}
	}
}

func TestAccounts_TagAll(t *testing.T) {
	w := newConsole(t, nil)
	for i := range 3 {
		w.authorize(shop(i), "Shop", nil)
	}
	w.authorize(shop(3), "Other", nil)
	cookie := w.signedIn(admin.Operator)
	got := w.post("/admin/accounts/tag", cookie, url.Values{"q": {"shop"}, "new_tag": {" 华东  VIP "}})
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/admin/accounts?q=shop" {
		t.Fatalf("POST = %d to %q\n%s", got.Code, got.Header().Get("Location"), got.Body)
	}
	page := w.get("/admin/accounts?tag="+url.QueryEscape("华东 VIP"), cookie).Body.String()
	if !strings.Contains(page, "3 个账号新加了标签“华东 VIP”") || !strings.Contains(page, "共 3 个") {
		t.Errorf("the list says:\n%s", page)
	}
	if got := w.post("/admin/accounts/tag", cookie, url.Values{"q": {"shop"}, "new_tag": {strings.Repeat("长", 25)}}); got.Code != http.StatusUnprocessableEntity ||
		!strings.Contains(got.Body.String(), `name="q" value="shop"`) {
		t.Errorf("a long tag = %d", got.Code)
	}
}

// TestAccounts_Acts does by hand what an operator does to one account.
func TestAccounts_Acts(t *testing.T) {
	w := newConsole(t, nil)
	id := w.account()
	path, cookie := "/admin/accounts/"+string(id), w.signedIn(admin.Operator)
	press := func(action string, form url.Values, says string) string {
		t.Helper()
		got := w.post(path+action, cookie, form)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != path {
			t.Fatalf("POST %s = %d to %q\n%s", action, got.Code, got.Header().Get("Location"), got.Body)
		}
		page := w.get(path, cookie).Body.String()
		if !strings.Contains(page, says) {
			t.Errorf("after POST %s the page lacks %q:\n%s", action, says, page)
		}
		return page
	}
	note := "<b>电话</b>打过了\r\n下周再打"
	if page := press("/notes", url.Values{"note": {note}}, "&lt;b&gt;电话&lt;/b&gt;打过了\n下周再打"); !strings.Contains(page, "operator：写备注") {
		t.Errorf("the timeline lacks the note:\n%s", page)
	}
	press("/tags", url.Values{"tag": {"重点"}}, `name="tag" value="重点"`)
	press("/tags/remove", url.Values{"tag": {"重点"}}, "还没有标签。")
	for _, tt := range []struct{ action, field, value string }{{"/notes", "note", " "}, {"/tags", "tag", "\u202e"}, {"/notes", "note", strings.Repeat("长", 1001)}} {
		if got := w.post(path+tt.action, cookie, url.Values{tt.field: {tt.value}}); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), `aria-invalid="true"`) {
			t.Errorf("POST %s with %.10q = %d", tt.action, tt.value, got.Code)
		}
	}
	if page := w.get(path+"/stop", cookie).Body.String(); !strings.Contains(page, "停止服务“山茶花茶舍”？") || !strings.Contains(page, "微信里的授权不会取消") {
		t.Errorf("the page that asks says:\n%s", page)
	}
	press("/stop", nil, "不再刷新令牌和转发")
	if c, err := w.db.Credentials(t.Context(), id); err != nil || !c.Stopped {
		t.Errorf("a stopped account has credentials %v, %v", c.Stopped, err)
	}
	press("/resume", nil, "已恢复服务")
	press("/hide", nil, "已从列表隐藏")
	if page := w.get("/admin/accounts", cookie).Body.String(); strings.Contains(page, string(id)) {
		t.Error("a hidden account is listed")
	}
	if page := w.get("/admin/accounts?hidden=1", cookie).Body.String(); !strings.Contains(page, string(id)) {
		t.Error("a hidden account is not to be found")
	}
	press("/show", nil, "已恢复显示")
	press("/refresh", nil, "资料没有更新：没有收到微信的票据") // WeChat's stand-in has pushed no ticket yet
}

// TestAccounts_Invite: one button makes an invite with the account and what it lacks.
func TestAccounts_Invite(t *testing.T) {
	w := newConsole(t, nil)
	id := w.account()
	path, cookie := "/admin/accounts/"+string(id), w.signedIn(admin.Operator)
	got := w.post(path+"/invite", cookie, nil)
	to := got.Header().Get("Location")
	a, err := w.db.Attempt(t.Context(), strings.TrimPrefix(to, "/admin/invites/"))
	if got.Code != http.StatusSeeOther || err != nil {
		t.Fatalf("POST = %d to %q, %v", got.Code, to, err)
	}
	if a.BizAppID != id || fmt.Sprint(a.Wanted) != "[17 18 19]" || a.AuthType != onboard.MiniPrograms || a.Recipient != "山茶花茶舍" || a.InvitedBy != "operator" {
		t.Errorf("the invite is %+v", a)
	}
	page := w.get(path, cookie).Body.String()
	for _, want := range []string{"https://open.example.com/i/" + a.InviteCode, "/i/" + a.InviteCode + "/qr.png", "再生成一个链接", to} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if page := w.get(path, w.signedIn(admin.Viewer)).Body.String(); strings.Contains(page, a.InviteCode) {
		t.Error("who may only look is shown a link that works")
	}
	if e, _ := w.lastAudit(); e.Action != "account.invite" || e.Target != string(id) || e.After != a.ID {
		t.Errorf("the audit says %+v", e)
	}
}

// TestAccounts_NeverDone: an AppID that was only invited has a page, and no other.
func TestAccounts_NeverDone(t *testing.T) {
	w := newConsole(t, nil)
	id := onboard.AppID(simulator.Takeaway)
	_, err := w.svc.CreateInvite(t.Context(), onboard.Invitation{Wish: onboard.Wish{AuthType: onboard.MiniPrograms, BizAppID: id, Wanted: []onboard.PermissionID{17}}, Recipient: "王先生", InvitedBy: "operator"})
	w.ok(err)
	path, cookie := "/admin/accounts/"+string(id), w.signedIn(admin.Operator)
	if got := w.get(path, cookie); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "从未完成") || !strings.Contains(got.Body.String(), "operator 生成邀请链接") {
		t.Errorf("GET = %d\n%s", got.Code, got.Body)
	}
	got := w.post(path+"/invite", cookie, nil)
	if a, err := w.db.Attempt(t.Context(), strings.TrimPrefix(got.Header().Get("Location"), "/admin/invites/")); err != nil || a.Recipient != "王先生" || len(a.Wanted) != 1 {
		t.Errorf("another invite = %d, %+v, %v", got.Code, a, err)
	}
	for _, action := range []string{"/stop", "/hide", "/notes", "/tags", "/refresh", "/resume", "/show", "/tags/remove"} {
		if got := w.post(path+action, cookie, url.Values{"note": {"x"}, "tag": {"x"}}); got.Code != http.StatusNotFound {
			t.Errorf("POST %s = %d, want 404", action, got.Code)
		}
	}
	// What a merchant began alone is nobody's invite: the page would tell that we know
	// the AppID.
	_, err = w.svc.Begin(t.Context(), onboard.Wish{AuthType: onboard.MiniPrograms, BizAppID: onboard.AppID(simulator.Personal)})
	w.ok(err)
	if got := w.get("/admin/accounts/"+simulator.Personal, cookie); got.Code != http.StatusNotFound {
		t.Errorf("an AppID that somebody typed = %d, want 404", got.Code)
	}
}

// TestAccountLive: what a worker does to an account is on its page at once, in the
// parts that the page has.
func TestAccountLive(t *testing.T) {
	w := newConsole(t, nil)
	id := w.account()
	path, cookie := "/admin/accounts/"+string(id), w.signedIn(admin.Viewer)
	page := w.get(path, cookie).Body.String()
	if !strings.Contains(page, `data-live="`+path+`/live"`) {
		t.Errorf("the page is not live:\n%s", page)
	}
	_, err := w.db.SaveRevoked(t.Context(), id, w.now.Add(time.Second).Truncate(time.Second), w.now)
	w.ok(err)
	got := w.glimpse(path+"/live", cookie)
	for _, want := range []string{"event: state", "商家取消了授权", `data-part="token"`, `data-part="timeline"`} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the stream = %d, it lacks %q:\n%s", got.Code, want, got.Body)
		}
	}
	for _, part := range []string{"head", "why", "sets", "timeline", "token", "n-accounts", "n-invites"} {
		if attr := `data-part="` + part + `"`; strings.Count(page, attr) != 1 || strings.Count(got.Body.String(), attr) != 1 {
			t.Errorf("the part %s is %d times on the page and %d times in the event", part, strings.Count(page, attr), strings.Count(got.Body.String(), attr))
		}
	}
	if got := w.glimpse("/admin/accounts/wx00000000000fffff/live", cookie); got.Code != http.StatusNotFound {
		t.Errorf("the stream of nobody = %d, want 404", got.Code)
	}
}
