package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"usher/internal/admin"
	"usher/internal/msgcrypt"
	"usher/internal/wechat"
)

// pushWorld is a console whose endpoint has keys.
func pushWorld(t *testing.T) (*consoleWorld, *msgcrypt.Cipher) {
	t.Helper()
	cipher, err := msgcrypt.New(msgcrypt.Keys{AppID: consolePlatform, Token: "token", AESKey: strings.Repeat("k", 43), PreviousToken: "tokenbefore"})
	if err != nil {
		t.Fatal(err)
	}
	r := &wechat.Receiver{Cipher: cipher, AppID: consolePlatform}
	return newConsole(t, func(s *Server) { s.Receive, s.Explain = r.OpenPush, r.Explain }), cipher
}

// TestLab_AgreesWithEndpoint sends the same requests to the endpoint and to the
// lab.
func TestLab_AgreesWithEndpoint(t *testing.T) {
	w, cipher := pushWorld(t)
	cookie := w.signedIn(admin.Owner)
	const canary = "ticket@@@canary0123456789"
	inner := func(infoType string) string {
		return "<xml><AppId>" + consolePlatform + "</AppId><CreateTime>1795320000</CreateTime><InfoType>" + infoType + "</InfoType><ComponentVerifyTicket>" + canary + "</ComponentVerifyTicket></xml>"
	}
	seal := func(c *msgcrypt.Cipher, plain string) (query url.Values, body string) {
		encrypt := c.Seal([]byte(plain))
		return url.Values{"timestamp": {"1795320001"}, "nonce": {"n1"}, "encrypt_type": {"aes"}, "msg_signature": {c.Signature("1795320001", "n1", encrypt)}},
			"<xml>\n<AppId>" + consolePlatform + "</AppId>\n<Encrypt>" + encrypt + "</Encrypt>\n</xml>\n"
	}
	other := func(k msgcrypt.Keys) *msgcrypt.Cipher {
		c, err := msgcrypt.New(k)
		w.ok(err)
		return c
	}
	key := strings.Repeat("k", 43)
	type request struct{ query, body, cause string }
	requests := map[string]request{}
	add := func(name string, c *msgcrypt.Cipher, plain, cause string, change func(q url.Values, body string) string) {
		q, body := seal(c, plain)
		if change != nil {
			body = change(q, body)
		}
		requests[name] = request{q.Encode(), body, cause}
	}
	ticket := inner("component_verify_ticket")
	add("sound", cipher, ticket, "类型是“票据”", nil)
	add("unknown type", cipher, inner("invented"), "没有别的动作", nil)
	add("previous token", other(msgcrypt.Keys{AppID: consolePlatform, Token: "tokenbefore", AESKey: key}), ticket, "类型是“票据”", nil)
	add("wrong token", other(msgcrypt.Keys{AppID: consolePlatform, Token: "wrong", AESKey: key}), ticket, "把设置里的“消息校验 Token”", nil)
	add("wrong key", other(msgcrypt.Keys{AppID: consolePlatform, Token: "token", AESKey: strings.Repeat("x", 43)}), ticket, "解不开：消息加解密 Key", nil)
	add("both wrong", other(msgcrypt.Keys{AppID: consolePlatform, Token: "wrong", AESKey: strings.Repeat("x", 43)}), ticket, "Key 也解不开", nil)
	add("another platform", other(msgcrypt.Keys{AppID: "wx00000000000000ee", Token: "token", AESKey: key}), ticket, "另一个平台", nil)
	add("another platform outside", cipher, ticket, "另一个平台", func(_ url.Values, body string) string {
		return strings.Replace(body, consolePlatform, "wx00000000000000ee", 1)
	})
	add("content", cipher, "hello", "内容不是推送的样子", nil)
	add("old", cipher, strings.Replace(ticket, "1795320000", "1700000000", 1), "相差太多", nil)
	add("timestamp", cipher, ticket, "参数不是微信发来的样子", func(q url.Values, body string) string { q.Set("timestamp", "17953200011"); return body })
	add("nonce", cipher, ticket, "Token 不一致", func(q url.Values, body string) string { q.Set("nonce", "n2"); return body })
	add("no query", cipher, ticket, "参数不是微信发来的样子", func(q url.Values, body string) string { clear(q); return body })
	add("plain", cipher, ticket, "外层 XML 读不懂", func(_ url.Values, body string) string { return ticket })
	add("too large", cipher, ticket, "正文太大", func(_ url.Values, body string) string { return body + strings.Repeat(" ", pushLimit) })
	add("as large as may be", cipher, ticket, "类型是“票据”", func(_ url.Values, body string) string { return body + strings.Repeat(" ", pushLimit-len(body)) })
	rows := func() string { return w.dump()["arrival"] }
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			before := rows()
			for _, pasted := range []string{r.query, "https://open.example.com/wechat/events?" + r.query, `203.0.113.7 - - "POST /wechat/events?` + r.query + ` HTTP/1.1" 403 0`} {
				page := w.post("/admin/events/lab", cookie, url.Values{"query": {pasted}, "body": {strings.ReplaceAll(r.body, "\n", "\r\n")}})
				text := page.Body.String()
				if page.Code != http.StatusOK || !strings.Contains(text, r.cause) {
					t.Fatalf("the lab on %q = %d, want %q:\n%s", pasted, page.Code, r.cause, text)
				}
				accepted := strings.Contains(text, "会被接受")
				answer := ask(w, http.MethodPost, "/wechat/events?"+r.query, r.body)
				if accepted != (answer.Code == http.StatusOK) || strings.Contains(text, "在这里被拒绝") == accepted {
					t.Errorf("the endpoint answers %d, the lab says:\n%s", answer.Code, text)
				}
				if name != "plain" && strings.Contains(text, canary) || strings.Contains(w.log.String(), canary) {
					t.Error("the ticket is shown or logged")
				}
				e, _ := w.lastAudit()
				if e.Action != "lab.open" || (e.After == "accepted") != accepted {
					t.Errorf("audit = %+v", e)
				}
			}
			if strings.Contains(r.cause, "类型是") || strings.Contains(r.cause, "没有别的") {
				return
			}
			if now := rows(); now != before {
				t.Errorf("something refused was stored: %s", now)
			}
		})
	}
}

// TestLab_KeepsNothing: what is pasted is neither stored nor logged.
func TestLab_KeepsNothing(t *testing.T) {
	w, _ := pushWorld(t)
	cookie := w.signedIn(admin.Owner)
	const canary = "CANARYCANARY"
	w.post("/admin/events/lab", cookie, url.Values{"query": {"timestamp=" + canary}, "body": {"<xml>" + canary + "</xml>"}})
	for table, rows := range w.dump() {
		if strings.Contains(rows, canary) {
			t.Errorf("the table %s holds it: %s", table, rows)
		}
	}
	if strings.Contains(w.log.String(), canary) {
		t.Errorf("the log holds it: %s", w.log)
	}
	if got := w.post("/admin/events/lab", cookie, nil); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "贴上参数和正文") {
		t.Errorf("an empty form: %d\n%s", got.Code, got.Body)
	}
	if got := w.post("/admin/events/lab", w.signedIn(admin.Operator), url.Values{"query": {"a"}}); got.Code != http.StatusForbidden {
		t.Errorf("the lab for an operator: %d", got.Code)
	}
}
