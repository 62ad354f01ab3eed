package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

// listPath is WeChat's list of accounts.
const listPath = "/cgi-bin/component/api_get_authorizer_list"

// reconciling is a console with a ticket, in which reconciliations go on.
func reconciling(t *testing.T) *consoleWorld {
	t.Helper()
	w := newConsole(t, nil)
	w.ok(w.sim.SetFaults(simulator.Faults{Push: simulator.PushFaults{DropShare: 100}}))
	w.ok(w.sim.PushTicket(t.Context()))
	platform := w.sim.Truth().Platform
	w.now = platform.TicketAt
	if _, err := w.db.SaveTicket(t.Context(), onboard.Ticket{Value: secret.New(platform.Ticket), CreatedAt: w.now, ReceivedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.site.Reconcile.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

// idle waits for the end of what goes on, as the live page does.
func (w *consoleWorld) idle(cookie string) string {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, "/admin/reconcile/live", nil)
	r.Host = "open.example.com"
	r.Header.Set("Cookie", cookie)
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	if stream := answer.Body.String(); !strings.Contains(stream, "event: go\n") || !strings.Contains(stream, "data: /admin/reconcile\n") {
		w.Fatalf("the live page ended with:\n%s", stream)
	}
	return w.get("/admin/reconcile", cookie).Body.String()
}

func pageHas(t *testing.T, what, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("%s lacks %q:\n%s", what, text, page[max(0, strings.Index(page, "<main")):])
		}
	}
}

// TestReconcile shows what differs before anything is changed, applies it, and
// finds nothing more.
func TestReconcile(t *testing.T) {
	w := reconciling(t)
	w.ok(w.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil))
	const gone = onboard.AppID(simulator.Takeaway)
	claim, err := w.db.ClaimExchange(t.Context(), "code", "", w.now, w.now.Add(time.Minute))
	w.ok(err)
	_, err = w.db.FinishExchange(t.Context(), onboard.Arrived{CodeHash: "code", Fence: claim.Fence, AppID: gone, At: w.now, Now: w.now, DueAt: w.now.Add(time.Hour),
		Tokens: onboard.Tokens{Access: secret.New("a"), Life: time.Hour, Refresh: secret.New("r")}, Standing: onboard.Active, Verdict: onboard.Connected})
	w.ok(err)
	w.now = w.now.Add(10 * time.Minute)
	cookie := w.signedIn(admin.Owner)
	pageHas(t, "the page at first", w.get("/admin/reconcile", cookie).Body.String(), "还没有完整对过账", "开始对账")
	if got := w.get("/admin/reconcile/apply", cookie); got.Code != http.StatusSeeOther {
		t.Errorf("the question without a comparison: %d", got.Code)
	}

	before := w.dump()["account"]
	if got := w.post("/admin/reconcile", cookie, nil); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/admin/reconcile" {
		t.Fatalf("POST = %d to %q", got.Code, got.Header().Get("Location"))
	}
	page := w.idle(cookie)
	pageHas(t, "the comparison", page, "2 处差异", "微信有，这里没有", simulator.TeaHouse, "这里有，微信没有", string(gone), "名单 1 个：多 1，不同 0，少 1")
	if now := w.dump()["account"]; now != before {
		t.Errorf("the comparison changed the accounts:\n%s\nwas\n%s", now, before)
	}
	question := w.get("/admin/reconcile/apply", cookie).Body.String()
	pageHas(t, "the question", question, "应用 2 处差异？", "新增 1 个账号", "把 1 个账号标为已取消授权", "danger")
	id := regexp.MustCompile(`name="run" value="(\w+)"`).FindStringSubmatch(question)[1]
	w.post("/admin/reconcile/apply", cookie, url.Values{"run": {"another"}})
	pageHas(t, "applying what was not shown", w.get("/admin/reconcile", cookie).Body.String(), "已经过时", "2 处差异")
	w.post("/admin/reconcile/apply", cookie, url.Values{"run": {id}})
	page = w.idle(cookie)
	pageHas(t, "the result", page, "已应用", "新增 1 个，修正 0 个，取消 1 个", "已新增", "已标为取消", "新增 1，修正 0，取消 1，未成功 0", "上一次是")
	if a, err := w.db.Account(t.Context(), simulator.TeaHouse); err != nil || a.Standing != onboard.Active {
		t.Errorf("the account that was found: %+v, %v", a, err)
	}
	if a, err := w.db.Account(t.Context(), gone); err != nil || a.Standing != onboard.Revoked {
		t.Errorf("the account that is gone: %+v, %v", a, err)
	}
	w.post("/admin/reconcile/apply", cookie, url.Values{"run": {id}})
	pageHas(t, "applying twice", w.get("/admin/reconcile", cookie).Body.String(), "已经过时")
	w.post("/admin/reconcile", cookie, nil)
	pageHas(t, "the next comparison", w.idle(cookie), "完全一致")
	rows, err := w.db.Audit(t.Context(), admin.Filter{Action: "reconcile.", Limit: 20})
	w.ok(err)
	var acts []string
	for _, e := range rows {
		acts = append([]string{strings.TrimPrefix(e.Action, "reconcile.")}, acts...)
		if e.Actor != "owner" {
			t.Errorf("%s was done by %q", e.Action, e.Actor)
		}
	}
	if got := strings.Join(acts, " "); got != "begin compare refuse apply end refuse begin compare" {
		t.Errorf("audit = %s", got)
	}
}

// TestReconcile_PartialList: a list that cannot be read to its end changes nothing
// and shows nothing to apply.
func TestReconcile_PartialList(t *testing.T) {
	w := reconciling(t)
	w.ok(w.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil))
	w.now = w.now.Add(10 * time.Minute)
	cookie := w.signedIn(admin.Owner)
	w.ok(w.sim.AddFault(simulator.Fault{Kind: simulator.ErrCode, Path: listPath, Code: 45009}))
	before := w.dump()["account"]
	w.post("/admin/reconcile", cookie, nil)
	page := w.idle(cookie)
	pageHas(t, "the page", page, "没有读完名单", "不作数", "今天的接口次数用完了")
	if strings.Contains(page, "/admin/reconcile/apply") || w.dump()["account"] != before {
		t.Errorf("something can be, or was, applied:\n%s", page)
	}
}

// TestReconcile_Old: a comparison of half an hour ago is not applied.
func TestReconcile_Old(t *testing.T) {
	w := reconciling(t)
	w.ok(w.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil))
	w.now = w.now.Add(10 * time.Minute)
	cookie := w.signedIn(admin.Owner)
	w.post("/admin/reconcile", cookie, nil)
	w.idle(cookie)
	id := w.site.Reconcile.Now().ID
	w.now = w.now.Add(31 * time.Minute)
	cookie = w.signedIn(admin.Owner)
	page := w.get("/admin/reconcile", cookie).Body.String()
	pageHas(t, "the page", page, "已超过 30 分钟")
	if strings.Contains(page, "/admin/reconcile/apply") {
		t.Error("it offers to apply")
	}
	w.post("/admin/reconcile/apply", cookie, url.Values{"run": {id}})
	if _, err := w.db.Account(t.Context(), simulator.TeaHouse); err == nil {
		t.Error("it was applied")
	}
}

// TestReconcile_Busy: one at a time, and its page says how far it is.
func TestReconcile_Busy(t *testing.T) {
	w := newConsole(t, nil) // nothing goes on by itself
	cookie := w.signedIn(admin.Owner)
	w.post("/admin/reconcile", cookie, nil)
	first := w.site.Reconcile.Now()
	w.post("/admin/reconcile", cookie, nil)
	if now := w.site.Reconcile.Now(); now.ID != first.ID || first.Phase != admin.PhaseReading {
		t.Errorf("the second start: %+v, want %+v to go on", now, first)
	}
	page := w.get("/admin/reconcile", cookie).Body.String()
	pageHas(t, "the page", page, "另一次对账正在进行", "正在读微信的名单", `data-live="/admin/reconcile/live"`, `http-equiv="refresh"`, "<progress")
	if strings.Contains(page, `<form method="post" action="/admin/reconcile"`) {
		t.Error("it offers to begin another")
	}
}
