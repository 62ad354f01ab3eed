package wechat

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
)

const (
	testAppID  = "wx00000000000000c1"
	testToken  = "fJ7sQ2tokenDemo"
	testAESKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)

// The sample push is an authorized event that was computed with three independent
// implementations of 消息加解密技术方案.
const (
	sampleSignature = "b070e12f10fa0ce6fffa5986faab0fd3a1c3b196"
	sampleEncrypt   = "P9TP8OO8ZpJE35Ha/87+5PmGNVz0ny5fqoeF0jbXZkyoK4JvnWVrNRiFuP/9qi0+G7tVOPPBGXj06cHWa4mVQIXK4DasbTfgL0ovnD4UyhDlCjBg4fPNJYkR1jvxr+Id2sAtjJTGPnh4zaaQd4eNlaND7tDolxZNPqrIT9V1+ilytAE4yAZPYLLfh3/A+oIz/ZhI/0X2PgLvOW2Q14fCaqan6+boHQKGrG9/duvs/V925SUFWzWj9w2NH/yrIvdDkE353UETSjSBXyAbnIjpw9/9uLIn6F6v0RYY9CCDp/EsnWR9OBsP0qIo1Ve1NJ4UzB+cnLzy9MFlbtkAD+pCnmo89OndC7vsp9I7oNnLFjFXopV1cWBlewWlaYQK9dBCnzMDGVp6IKuPOMPQt1zfL2sAZnVKr7BYL6k9QBVmWWC4nwcEgDBZnWuidRv23ixRngvr+7bTNz10wI4iudQSjBhmKU2RwkxH69DF9GZ7gxpZOnqhZsXeztn9xyZUZCU2Cy1T3y/vBoOJLeJZZiDFtV5ZR5QMJVhV3gNeZ7rsJ5HbVPh859fF5N7kzhxxMbZFYae5585s9t4CciduJmLmrwaJRnTqJkhVl9+bOn4qDKU/dBBFYr9cFLQvgoDB8sxt"
	sampleQuery     = "signature=9daa6916f5feea2275925ed611c0fd8fe75b8e19&timestamp=1700000100&nonce=n0nce0002&encrypt_type=aes&msg_signature=" + sampleSignature
	sampleBody      = "<xml>\n    <AppId><![CDATA[" + testAppID + "]]></AppId>\n    <Encrypt><![CDATA[" + sampleEncrypt + "]]></Encrypt>\n</xml>\n"
)

func testReceiver(t testing.TB) *Receiver {
	t.Helper()
	c, err := msgcrypt.New(msgcrypt.Keys{AppID: testAppID, Token: testToken, AESKey: testAESKey})
	if err != nil {
		t.Fatal(err)
	}
	return &Receiver{Cipher: c, AppID: testAppID}
}

// push signs what is given as WeChat would.
func push(r *Receiver, timestamp, nonce, encrypt string) (rawQuery string, body []byte) {
	q := url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "encrypt_type": {"aes"},
		"msg_signature": {r.Cipher.Signature(timestamp, nonce, encrypt)}}
	return q.Encode(), []byte("<xml><AppId><![CDATA[" + string(r.AppID) + "]]></AppId><Encrypt><![CDATA[" + encrypt + "]]></Encrypt></xml>")
}

func ticketXML(appID string, created int64, ticket string) string {
	return fmt.Sprintf("<xml><AppId><![CDATA[%s]]></AppId>\n<CreateTime>%d</CreateTime>\n<InfoType><![CDATA[component_verify_ticket]]></InfoType>\n<ComponentVerifyTicket><![CDATA[%s]]></ComponentVerifyTicket>\n</xml>", appID, created, ticket)
}

// class is the Refusal in err, or what stands in its place.
func class(err error) Refusal {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[Refusal](err); ok {
		return r
	}
	return Refusal("unclassified: " + err.Error())
}

func TestOpenPush_Sample(t *testing.T) {
	got, err := testReceiver(t).OpenPush(sampleQuery, []byte(sampleBody))
	if err != nil {
		t.Fatalf("OpenPush(sample) = %v, want no error", err)
	}
	e := got.Event
	if e.Type != onboard.AuthorizedEvent || e.AppID != "wx00000000000000a1" ||
		e.AuthCode.Reveal() != "queryauthcode@@@demoAuthCode0001" || e.PreAuth.Reveal() != "preauthcode@@@demoPreAuth0001" ||
		!e.CreatedAt.Equal(time.Unix(1700000100, 0)) || !e.CodeEndsAt.Equal(time.Unix(1700003700, 0)) || !e.Ticket.Empty() {
		t.Errorf("OpenPush(sample) = %+v (code %q, pre %q)", e, e.AuthCode.Reveal(), e.PreAuth.Reveal())
	}
	// By sha256sum from the plaintext.
	if want := "4bef2ff1b9e573d1b5905615e9d99a4b2d8bd2ba59d4142bfe2767b4878f909b"; got.Digest != want {
		t.Errorf("Digest = %q, want %q", got.Digest, want)
	}
	again, err := ParseEvent([]byte(got.Payload.Reveal()))
	if err != nil || again != e {
		t.Errorf("ParseEvent(Payload) = %+v, %v; want %+v", again, err, e)
	}
	if s := fmt.Sprintf("%+v", got); strings.Contains(s, "@@@") {
		t.Errorf("Sprintf of the push = %q, which shows a code", s)
	}
}

// TestOpenPush_Digest: the same content sealed anew has the same digest.
func TestOpenPush_Digest(t *testing.T) {
	r := testReceiver(t)
	digest := func(timestamp, nonce, inner string) string {
		p, err := r.OpenPush(push(r, timestamp, nonce, r.Cipher.Seal([]byte(inner))))
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest
	}
	inner := ticketXML(testAppID, 1700000000, "ticket@@@1")
	first, second := digest("1700000000", "1", inner), digest("1700000005", "2", inner)
	if first != second {
		t.Errorf("digests of one content = %q and %q, want them equal", first, second)
	}
	if other := digest("1700000000", "1", ticketXML(testAppID, 1700000000, "ticket@@@2")); other == first {
		t.Errorf("digest of another content = %q, the same", other)
	}
}

func TestOpenPush_Refusals(t *testing.T) {
	r := testReceiver(t)
	inner := ticketXML(testAppID, 1700000000, "ticket@@@1")
	seal := func(inner string) string { return r.Cipher.Seal([]byte(inner)) }
	sealedFor := func(appID, key string) string {
		c, err := msgcrypt.New(msgcrypt.Keys{AppID: appID, Token: testToken, AESKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return c.Seal([]byte(inner))
	}
	const at = "1700000000"
	tests := []struct {
		name             string
		timestamp, nonce string
		encrypt          string
		query            func(string) string
		body             func(string) string
		want             Refusal
	}{
		{name: "sound", encrypt: seal(inner)},
		{name: "parameter that WeChat may add", encrypt: seal(inner), query: func(q string) string { return q + "&openid=o9AgO5" }},
		{name: "time nine digits", timestamp: "170000000", encrypt: seal(inner), want: RefusedShape},
		{name: "time eleven digits", timestamp: "01700000000", encrypt: seal(inner), want: RefusedShape},
		{name: "time full-width", timestamp: "１７００", encrypt: seal(inner), want: RefusedShape},
		{name: "time signed", timestamp: "+170000000", encrypt: seal(inner), want: RefusedShape},
		{name: "nonce of 32", nonce: strings.Repeat("a", 32), encrypt: seal(inner)},
		{name: "nonce of 33", nonce: strings.Repeat("a", 33), encrypt: seal(inner), want: RefusedShape},
		{name: "nonce with a slash", nonce: "a/b", encrypt: seal(inner), want: RefusedShape},
		{name: "nonce not ASCII", nonce: "é", encrypt: seal(inner), want: RefusedShape},
		{name: "encrypt_type raw", encrypt: seal(inner), query: func(q string) string { return strings.Replace(q, "=aes", "=raw", 1) }, want: RefusedShape},
		{name: "signature in upper case", encrypt: seal(inner), query: func(q string) string {
			before, after, _ := strings.Cut(q, "msg_signature=")
			return before + "msg_signature=" + strings.ToUpper(after[:40]) + after[40:]
		}, want: RefusedShape},
		{name: "unknown parameter twice", encrypt: seal(inner), query: func(q string) string { return q + "&a=1&a=2" }, want: RefusedShape},
		{name: "semicolon", encrypt: seal(inner), query: func(q string) string { return q + ";a=1" }, want: RefusedShape},
		{name: "bad escape", encrypt: seal(inner), query: func(q string) string { return q + "&a=%zz" }, want: RefusedShape},
		{name: "three-input signature wrong", encrypt: seal(inner), query: func(q string) string { return q + "&signature=" + sampleSignature }, want: RefusedSignature},
		{name: "outer AppId", encrypt: seal(inner), body: func(b string) string { return strings.Replace(b, testAppID, "wx00000000000000c2", 1) }, want: RefusedAppID},
		{name: "outer AppId missing", encrypt: seal(inner), body: func(b string) string {
			return strings.Replace(b, "<AppId><![CDATA["+testAppID+"]]></AppId>", "", 1)
		}, want: RefusedAppID},
		{name: "suffix of another platform", encrypt: sealedFor("wx00000000000000c2", testAESKey), want: RefusedAppID},
		{name: "inner AppId", encrypt: seal(ticketXML("wx00000000000000c2", 1700000000, "t")), want: RefusedAppID},
		{name: "inner AppId missing", encrypt: seal(strings.Replace(inner, "AppId", "Appid", 2)), want: RefusedAppID},
		{name: "another key", encrypt: sealedFor(testAppID, strings.Repeat("A", 43)), want: RefusedDecrypt},
		{name: "spaces in the base64", encrypt: strings.Replace(seal(inner)+" ", "A", " ", 1), want: RefusedDecrypt},
		{name: "no Encrypt", encrypt: "", want: RefusedDecrypt},
		{name: "body cut", encrypt: seal(inner), body: func(b string) string { return b[:len(b)-1] }, want: RefusedEnvelope},
		{name: "body empty", encrypt: seal(inner), body: func(string) string { return "" }, want: RefusedEnvelope},
		{name: "inner not XML", encrypt: seal("hello"), want: RefusedContent},
		{name: "inner empty", encrypt: seal(""), want: RefusedContent},
		{name: "inner without InfoType", encrypt: seal("<xml><AppId>" + testAppID + "</AppId></xml>"), want: RefusedContent},
		{name: "created eight days before", encrypt: seal(ticketXML(testAppID, 1700000000-8*86400, "t")), want: RefusedTime},
		{name: "created eight days after", encrypt: seal(ticketXML(testAppID, 1700000000+8*86400, "t")), want: RefusedTime},
		{name: "created six days before", encrypt: seal(ticketXML(testAppID, 1700000000-6*86400, "t"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			timestamp, nonce := at, "415670741"
			if tt.timestamp != "" {
				timestamp = tt.timestamp
			}
			if tt.nonce != "" {
				nonce = tt.nonce
			}
			query, b := push(r, timestamp, nonce, tt.encrypt)
			body := string(b)
			if tt.query != nil {
				query = tt.query(query)
			}
			if tt.body != nil {
				body = tt.body(body)
			}
			p, err := r.OpenPush(query, []byte(body))
			if class(err) != tt.want || (err != nil && p != (onboard.Push{})) {
				t.Errorf("OpenPush(%q, %q) = %v, %v; want refusal %q", query, body, p, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "@@@") {
				t.Errorf("the refusal shows content: %v", err)
			}
			agrees(t, r, query, body)
		})
	}
}

func TestOpenPush_KeyChange(t *testing.T) {
	c, err := msgcrypt.New(msgcrypt.Keys{AppID: testAppID, Token: "new", AESKey: strings.Repeat("A", 43), PreviousToken: testToken, PreviousAESKey: testAESKey})
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{Cipher: c, AppID: testAppID}
	if _, err := r.OpenPush(sampleQuery, []byte(sampleBody)); err != nil {
		t.Errorf("OpenPush with the previous pair = %v, want no error", err)
	}
}
