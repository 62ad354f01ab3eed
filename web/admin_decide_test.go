package web

import (
	"net/http"
	"net/url"
	"testing"

	"usher/internal/admin"
	"usher/internal/onboard"
)

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
	wants(t, "the account", w.get(refused.Header().Get("Location"), cookie), http.StatusOK, "不服务它", "核对的结果是“不是这个商家”")
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
