package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

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
