package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// arrive stores a push about an account and ends its handling; an empty outcome
// leaves it waiting for an hour. It returns the id.
func (w *consoleWorld) arrive(digest string, t onboard.EventType, appID onboard.AppID, outcome onboard.Outcome, reason string) int64 {
	w.Helper()
	_, err := w.db.SaveArrival(w.Context(), onboard.Arrival{
		Digest: digest, Type: t, AppID: appID, CreatedAt: w.now, ReceivedAt: w.now,
		Payload: secret.New("<xml><InfoType>" + string(t) + "</InfoType><AuthorizerAppid>" + string(appID) + "</AuthorizerAppid><CreateTime>1795320000</CreateTime></xml>"),
		Masked:  []onboard.MaskedField{{Name: "AuthorizationCode", Length: 31, Print: "0badcafe"}, {Name: "InfoType", Value: string(t)}},
	})
	w.ok(err)
	claimed, err := w.db.ClaimArrivals(w.Context(), w.now, w.now.Add(time.Minute), 1, "")
	w.ok(err)
	w.ok(w.db.FinishArrivals(w.Context(), []onboard.ArrivalEnd{{ID: claimed[0].ID, Fence: claimed[0].Fence, Outcome: outcome, Reason: reason, RetryAt: w.now.Add(time.Hour)}}, w.now))
	return claimed[0].ID
}

// failedEvent is an event that waits for a person; it is made when there is none.
func failedEvent(w *consoleWorld) string {
	w.Helper()
	failed, err := w.db.Events(w.Context(), admin.EventFilter{Result: admin.EventFailed, Limit: 1})
	w.ok(err)
	if len(failed) > 0 {
		return strconv.FormatInt(failed[0].ID, 10)
	}
	return strconv.FormatInt(w.arrive(rand.Text(), onboard.UnauthorizedEvent, "wx0123456789abcdef", onboard.Parked, "internal"), 10)
}

func TestEvents_List(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Viewer)
	if page := w.get("/admin/events", cookie).Body.String(); !strings.Contains(page, "还没有收到任何事件") {
		t.Errorf("without events:\n%s", page)
	}
	for i := range 60 {
		w.now = w.now.Add(time.Minute)
		w.arrive(fmt.Sprint(i), onboard.TicketEvent, "", onboard.Handled, "")
	}
	w.arrive("lost", onboard.AuthorizedEvent, "wx0123456789abcdef", onboard.Parked, "api_query_auth 61010 rid 65f0-aa")
	w.now = w.now.AddDate(0, 0, 2)
	w.arrive("new", "invented_type", "", onboard.Ignored, "")
	cookie = w.signedIn(admin.Viewer) // the other session has been idle for too long
	first := w.get("/admin/events", cookie)
	page := first.Body.String()
	failed, invented, ticket := strings.Index(page, "授权码已过期"), strings.Index(page, "未知类型</span>"), strings.Index(page, ">票据</a>")
	if first.Code != http.StatusOK || failed < 0 || invented < failed || ticket < invented {
		t.Fatalf("failed at %d, invented at %d, ticket at %d; want them in this order\n%s", failed, invented, ticket, page)
	}
	if strings.Contains(page, "解密实验") {
		t.Error("a viewer is offered the lab")
	}
	if !strings.Contains(page, `data-part="n-events">1</span>`) {
		t.Error("the navigation does not count what failed")
	}
	next := regexp.MustCompile(`/admin/events\?before=\d+`).FindString(page)
	page = w.get(next, cookie).Body.String()
	if n := strings.Count(page, ">票据</a>"); n != 11 || strings.Contains(page, "处理失败</h2>") || strings.Contains(page, "更早的") {
		t.Errorf("the last page has %d tickets, want 11 and nothing else:\n%s", n, page)
	}
	for query, want := range map[string][2]string{
		"type=authorized":                {">授权成功</a>", ">票据</a>"},
		"account=wx0123456789abcdef":     {">授权成功</a>", ">票据</a>"},
		"result=failed":                  {">授权成功</a>", ">票据</a>"},
		"result=unknown":                 {">invented_type</a>", ">票据</a>"},
		"result=handled&type=authorized": {"没有符合条件的事件", "</table>"},
		"from=2026-11-24":                {">invented_type</a>", ">票据</a>"},
		"until=2026-11-22":               {">票据</a>", ">invented_type</a>"},
	} {
		page := w.get("/admin/events?"+query, cookie).Body.String()
		if !strings.Contains(page, want[0]) || strings.Contains(page, want[1]) {
			t.Errorf("?%s: want %q and not %q:\n%s", query, want[0], want[1], page)
		}
	}
	if got := w.get("/admin/events?from=yesterday&before=x&result=%27", cookie); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "日期写成") {
		t.Errorf("a filter that is none: %d\n%s", got.Code, got.Body)
	}
}

func TestEvents_Page(t *testing.T) {
	w := newConsole(t, nil)
	handled := w.arrive("a", onboard.AuthorizedEvent, "wx0123456789abcdef", onboard.Handled, "")
	failed := w.arrive("b", onboard.UnauthorizedEvent, "wx0123456789abcdef", onboard.Parked, "api_get_authorizer_list -1 rid 65f0-aa")
	waiting := w.arrive("c", onboard.UnauthorizedEvent, "wx0123456789abcdef", "", "blocked.ticket")
	const button = "/again\""
	for _, tt := range []struct {
		id     int64
		role   admin.Role
		again  bool
		phrase string
	}{
		{handled, admin.Owner, false, "原文已经清除"},
		{failed, admin.Operator, true, "微信繁忙"},
		{failed, admin.Operator, true, "65f0-aa"},
		{failed, admin.Viewer, false, "原文加密留着"},
		{waiting, admin.Operator, true, "今天 13:00"},
		{failed, admin.Owner, true, "31 个字符，指纹 0badcafe"},
	} {
		page := w.get(fmt.Sprint("/admin/events/", tt.id), w.signedIn(tt.role)).Body.String()
		if !strings.Contains(page, tt.phrase) || strings.Contains(page, button) != tt.again {
			t.Errorf("event %d as %s: want %q, a button %v:\n%s", tt.id, tt.role, tt.phrase, tt.again, page)
		}
	}
	for _, path := range []string{"x", "0", "99999999999999999999"} {
		if got := w.get("/admin/events/"+path, w.signedIn(admin.Viewer)); got.Code != http.StatusNotFound {
			t.Errorf("GET /admin/events/%s = %d, want 404", path, got.Code)
		}
	}
}

// TestEvents_Again presses the button for an event that succeeds now, and for one
// that cannot.
func TestEvents_Again(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	press := func(id int64, want string) {
		t.Helper()
		path := fmt.Sprint("/admin/events/", id)
		got := w.post(path+"/again", cookie, nil)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != path {
			t.Fatalf("POST = %d to %q", got.Code, got.Header().Get("Location"))
		}
		if page := w.get(path, cookie).Body.String(); !strings.Contains(page, want) {
			t.Errorf("after pressing: want %q\n%s", want, page)
		}
	}
	id := w.arrive("a", onboard.UnauthorizedEvent, "wx0123456789abcdef", onboard.Parked, "internal")
	press(id, "重新处理成功")
	if a, err := w.db.Account(t.Context(), "wx0123456789abcdef"); err != nil || a.Standing != onboard.Revoked {
		t.Errorf("account = %+v, %v; want what the event asked for", a, err)
	}
	e, rows := w.lastAudit()
	if e.Action != "event.again" || e.Target != strconv.FormatInt(id, 10) || e.Before != "failed" || e.After != "handled unauthorized wx0123456789abcdef" {
		t.Errorf("audit = %+v", e)
	}
	press(id, "现在不需要重新处理")
	if _, now := w.lastAudit(); now != rows+1 {
		t.Errorf("%d rows for a press without effect, want 1", now-rows)
	}
	_, err := w.db.SaveArrival(t.Context(), onboard.Arrival{Digest: "bad", Type: onboard.AuthorizedEvent, ReceivedAt: w.now, CreatedAt: w.now, Payload: secret.New("no XML")})
	w.ok(err)
	claimed, err := w.db.ClaimArrivals(t.Context(), w.now, w.now.Add(time.Minute), 1, "")
	w.ok(err)
	w.ok(w.db.FinishArrivals(t.Context(), []onboard.ArrivalEnd{{ID: claimed[0].ID, Fence: claimed[0].Fence, Outcome: onboard.Parked, Reason: "internal"}}, w.now))
	press(claimed[0].ID, "还是没有成功")
}

// TestEvents_AllAgain presses the button for everything that failed.
func TestEvents_AllAgain(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Operator)
	for _, id := range []string{"wx0123456789abcde0", "wx0123456789abcde1"} {
		w.arrive(id, onboard.UnauthorizedEvent, onboard.AppID(id), onboard.Parked, "internal")
	}
	w.arrive("handled", onboard.UnauthorizedEvent, "wx0123456789abcde2", onboard.Handled, "")
	if page := w.get("/admin/events", w.signedIn(admin.Viewer)).Body.String(); strings.Contains(page, "全部重新处理") {
		t.Error("a viewer is offered to handle events")
	}
	w.post("/admin/events/again", cookie, nil)
	if page := w.get("/admin/events", cookie).Body.String(); !strings.Contains(page, "2 个事件已重新开始处理") || strings.Contains(page, "全部重新处理") {
		t.Errorf("after pressing:\n%s", page)
	}
	w.ok(w.svc.HandleArrivals(t.Context()))
	for id, want := range map[onboard.AppID]bool{"wx0123456789abcde0": true, "wx0123456789abcde1": true, "wx0123456789abcde2": false} {
		if a, err := w.db.Account(t.Context(), id); (err == nil && a.Standing == onboard.Revoked) != want {
			t.Errorf("%s: %+v, %v; handled again %v", id, a, err, want)
		}
	}
	if e, _ := w.lastAudit(); e.Action != "event.again_all" || e.After != "2" {
		t.Errorf("audit = %+v", e)
	}
}
