package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/chromium"
	"usher/internal/config"
	"usher/internal/msgcrypt"
	"usher/internal/simulator"
)

// owner makes an owner from the shell and signs in.
func (w *world) owner() *browser {
	w.t.Helper()
	status, out := w.shell("admin", "create", "owner")
	if status != 0 {
		w.t.Fatalf("admin create = %d:\n%s", status, out)
	}
	b := w.browser(desktopAgent)
	return b.open(setupAddress.FindString(out)).submit("/admin/setup", url.Values{"password": {adminPassword}, "repeat": {adminPassword}})
}

// signIn is what an owner does after being away.
func (w *world) signIn(b *browser) *browser {
	w.t.Helper()
	b.open(w.base+"/admin/sign-in").submit("/admin/sign-in", url.Values{"name": {"owner"}, "password": {adminPassword}})
	return b
}

// failing has WeChat refuse to exchange the code of a push, for a cause that does not
// pass by itself, until the push waits for a person. The clock is the site's alone: the code stays good.
func (w *world) failing(clock *clock, appID string) {
	w.t.Helper()
	if err := w.sim.AddFault(simulator.Fault{Kind: simulator.ErrCode, Path: "/cgi-bin/component/api_query_auth", Code: 61003}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.sim.AuthorizeSilently(w.t.Context(), appID, nil); err != nil {
		w.t.Fatal(err)
	}
	if err := w.sim.Deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the push never came to wait for a person", func(ctx context.Context) (bool, error) {
		if err := w.svc.HandleArrivals(ctx); err != nil {
			return false, err
		}
		clock.advance(11 * time.Minute)
		h, err := w.db.Health(ctx, clock.now())
		return h.Parked == 1, err
	})
	if err := w.sim.SetFaults(simulator.Faults{}); err != nil {
		w.t.Fatal(err)
	}
}

// TestConsole_FailedEvent: who mends the cause of a failure finds the push at the
// top of the events and has it handled again, and the merchant is there.
func TestConsole_FailedEvent(t *testing.T) {
	clock := &clock{}
	w := startAll(t, options{quiet: true, still: true, now: clock.now})
	w.ticket()
	b := w.owner()
	w.failing(clock, simulator.TeaHouse)
	w.signIn(b).open(w.base+"/admin/events").expect(http.StatusOK, "处理失败", "商家没有授权给这个平台", simulator.TeaHouse)
	b.click("/admin/events/1").expect(http.StatusOK, "内容还留着", "61003", "AuthorizationCode", "个字符，指纹", "原文加密留着")
	failed := b.at.String()
	b.submit("/again", nil).expect(http.StatusOK, "重新处理成功", "已处理", "原文已经清除", "AuthorizationCode", "个字符，指纹")
	w.holds(simulator.TeaHouse)
	if len(b.links("/again")) > 0 || strings.Contains(b.body, failed+"/again") {
		t.Error("it can be handled again although it was handled")
	}
	b.open(w.base+"/admin/audit").expect(http.StatusOK, "重新处理事件")
}

// TestConsole_Reconcile finds an account of which no push told, shows it, and
// applies it.
func TestConsole_Reconcile(t *testing.T) {
	clock := &clock{}
	w := startAll(t, options{quiet: true, still: true, now: clock.now})
	w.ticket()
	if err := w.svc.KeepSwept(t.Context()); err != nil { // the one at the start, which would find it too
		t.Fatal(err)
	}
	b := w.owner()
	w.untold(clock, simulator.TeaHouse)
	b.open(w.base+"/admin/reconcile").expect(http.StatusOK, "开始对账", "上一次是")
	b.submit("/admin/reconcile", nil)
	w.idle(b)
	b.expect(http.StatusOK, "1 处差异", "微信有，这里没有", simulator.TeaHouse, "不认识")
	if _, err := w.db.Account(t.Context(), simulator.TeaHouse); err == nil {
		t.Error("looking added the account")
	}
	b.click("/admin/reconcile/apply").expect(http.StatusOK, "应用 1 处差异？", "新增 1 个账号")
	b.submit("/admin/reconcile/apply", nil)
	w.idle(b)
	b.expect(http.StatusOK, "已应用", "已新增", "新增 1，修正 0，取消 0，未成功 0")
	w.holds(simulator.TeaHouse)
}

// untold has a merchant authorize without any push, long enough ago that none can
// be on its way.
func (w *world) untold(clock *clock, appID string) {
	w.t.Helper()
	if err := w.sim.SetFaults(simulator.Faults{Push: simulator.PushFaults{DropShare: 100}}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.sim.AuthorizeSilently(w.t.Context(), appID, nil); err != nil {
		w.t.Fatal(err)
	}
	if err := w.sim.SetFaults(simulator.Faults{}); err != nil {
		w.t.Fatal(err)
	}
	clock.advance(10 * time.Minute)
}

// idle loads the page until nothing goes on.
func (w *world) idle(b *browser) {
	w.t.Helper()
	w.eventually("the reconciliation never ends", func(context.Context) (bool, error) {
		b.open(w.base + "/admin/reconcile")
		return !strings.Contains(b.body, "data-live"), nil
	})
}

// TestConsole_Lab: a site with a wrong token refuses what WeChat sends; the lab
// says that it is the token, and that the next push will do once it is mended.
func TestConsole_Lab(t *testing.T) {
	w := startAll(t, options{quiet: true, config: func(c *config.Config) {
		c.PushToken, c.AESKey = config.Hide(""), config.Hide("")
	}})
	b := w.owner()
	set := func(name admin.CredentialName, value string) {
		t.Helper()
		b.open(w.base+"/admin/settings").submit("/admin/settings/credentials/"+string(name), url.Values{"secret-" + string(name): {value}})
		b.expect(http.StatusOK, "已替换，立即生效")
	}
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: platformAppID, Token: pushToken, AESKey: pushKey})
	if err != nil {
		t.Fatal(err)
	}
	timestamp := fmt.Sprint(time.Now().Unix())
	sealed := crypt.Seal(fmt.Appendf(nil, "<xml><AppId>%s</AppId><CreateTime>%s</CreateTime><InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>ticket@@@canary</ComponentVerifyTicket></xml>", platformAppID, timestamp))
	query := url.Values{"timestamp": {timestamp}, "nonce": {"1"}, "encrypt_type": {"aes"}, "msg_signature": {crypt.Signature(timestamp, "1", sealed)}}.Encode()
	body := "<xml><AppId>" + platformAppID + "</AppId><Encrypt>" + sealed + "</Encrypt></xml>"
	send := func(want int) {
		t.Helper()
		answer, err := http.Post(w.base+"/wechat/events?"+query, "text/xml", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("the push is answered %d, want %d", answer.StatusCode, want)
		}
	}
	explain := func(texts ...string) {
		t.Helper()
		b.open(w.base + "/admin/events").click("/admin/events/lab")
		b.submit("/admin/events/lab", url.Values{"query": {query}, "body": {body}})
		b.expect(http.StatusOK, texts...)
		if strings.Contains(html.UnescapeString(b.body), "ticket@@@canary") {
			t.Error("the lab shows the ticket")
		}
	}
	explain("会被拒绝", "还没有设置 Token")
	set(admin.AESKey, pushKey)
	set(admin.PushToken, "anothertoken")
	send(http.StatusForbidden)
	explain("会被拒绝", "消息加解密 Key 是对的，Token 不一致", "在这里被拒绝", "本可通过", "ComponentVerifyTicket", "15 个字符")
	set(admin.PushToken, pushToken)
	explain("会被接受", "类型是“票据”")
	send(http.StatusOK)
}

// TestChromium_Reconcile watches a comparison that takes its time: the page says
// how far it is, can be left, and goes on to the result by itself.
func TestChromium_Reconcile(t *testing.T) {
	clock := &clock{}
	w := startAll(t, options{quiet: true, still: true, now: clock.now})
	w.ticket()
	if err := w.svc.KeepSwept(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.owner()
	w.untold(clock, simulator.TeaHouse)
	w.failing(clock, simulator.Takeaway)
	b := newTab(t, chromium.Start(t, chromium.Program(t), nil), look{})
	b.open(w.base + "/admin/sign-in?next=/admin/reconcile")
	b.focused()
	ask[bool](b, `(document.querySelector("#name").value = "owner", document.querySelector("#password").value = "`+adminPassword+`", true)`)
	b.click(`form[action="/admin/sign-in"] button`)
	b.sees("退出登录")
	if err := w.sim.AddFault(simulator.Fault{Kind: simulator.Latency, Path: "/cgi-bin/component/api_get_authorizer_list", Next: 1, Delay: 9 * time.Second}); err != nil {
		t.Fatal(err)
	}
	b.open(w.base + "/admin/reconcile")
	b.click(`form[action="/admin/reconcile"] button`)
	b.sees("正在读微信的名单")
	b.fits("reconcile-reading")
	b.open(w.base + "/admin/events")
	b.sees("处理失败")
	b.fits("events")
	b.open(w.base + "/admin/reconcile")
	b.sees("2 处差异")
	b.quiet()
	b.fits("reconcile-compared")
	b.click(`a[href="/admin/reconcile/apply"]`)
	b.at("/admin/reconcile/apply")
	b.fits("reconcile-apply")
	b.click(`form[action="/admin/reconcile/apply"] button`)
	b.sees("已应用")
	b.fits("reconcile-applied")
	b.open(w.base + "/admin/events?result=failed")
	b.click(`.tbl a`)
	b.sees("内容还留着")
	b.fits("event")
	b.open(w.base + "/admin/events/lab")
	ask[bool](b, `(document.querySelector("#query").value = "timestamp=1700000000&nonce=a1&encrypt_type=aes&msg_signature=`+strings.Repeat("a", 40)+`", document.querySelector("#body").value = "<xml><AppId>`+platformAppID+`</AppId><Encrypt>`+strings.Repeat("A", 128)+`</Encrypt></xml>", true)`)
	b.click(`form[action="/admin/events/lab"] button`)
	b.sees("会被拒绝")
	b.fits("lab")
	b.quiet()
}

// fits holds that the page has no sideways scroll, down to the narrowest phone.
func (b *tab) fits(name string) {
	b.t.Helper()
	for _, width := range []int64{320, 375, 1280} {
		b.resize(width, 860)
		if wide := ask[int](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			b.t.Errorf("%s is %d pixels wider than a window of %d", name, wide, width)
		}
	}
}
