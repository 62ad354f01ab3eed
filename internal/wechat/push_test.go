package wechat

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
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

func TestPush_RejectsEveryMutation(t *testing.T) {
	r := testReceiver(t)
	if _, err := r.OpenPush(sampleQuery, []byte(sampleBody)); err != nil {
		t.Fatal(err)
	}
	accepted := func(what string, query string, body []byte) {
		if p, err := r.OpenPush(query, body); err == nil {
			t.Errorf("OpenPush with %s = %+v, want a refusal", what, p)
		} else if strings.HasPrefix(string(class(err)), "unclassified") || p != (onboard.Push{}) {
			t.Errorf("OpenPush with %s = %+v, %v; want a Refusal and nothing beside it", what, p, err)
		}
	}
	for i := range len(sampleBody) {
		for bit := range 8 {
			body := []byte(sampleBody)
			body[i] ^= 1 << bit
			accepted(fmt.Sprintf("bit %d of body byte %d flipped", bit, i), sampleQuery, body)
		}
	}
	values, err := url.ParseQuery(sampleQuery)
	if err != nil {
		t.Fatal(err)
	}
	for key := range values {
		value := values.Get(key)
		for i := range len(value) {
			for bit := range 8 {
				b := []byte(value)
				b[i] ^= 1 << bit
				values.Set(key, string(b))
				accepted(fmt.Sprintf("bit %d of %s byte %d flipped", bit, key, i), values.Encode(), []byte(sampleBody))
			}
		}
		values.Set(key, "")
		accepted("an empty "+key, values.Encode(), []byte(sampleBody))
		values.Set(key, value)
		values.Add(key, value)
		accepted("a second "+key, values.Encode(), []byte(sampleBody))
		values.Del(key)
		if key != "signature" { // which decides nothing and may be missing
			accepted("no "+key, values.Encode(), []byte(sampleBody))
		}
		values.Set(key, value)
	}
	for i := range len(sampleBody) - 1 { // the last byte is a line break
		accepted(fmt.Sprintf("%d bytes of body", i), sampleQuery, []byte(sampleBody[:i]))
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
		})
	}
}

// TestPush_SwapTimestampNonce: the signature is valid after both changed places.
func TestPush_SwapTimestampNonce(t *testing.T) {
	r := testReceiver(t)
	rng := rand.New(rand.NewPCG(1, 2))
	verified := 0
	for range 20_000 {
		timestamp := strconv.Itoa(1_700_000_000 + rng.IntN(100_000_000))
		nonce := strconv.Itoa(1_000_000_000 + rng.IntN(650_000_000)) // the worst nonce: ten digits, as in the official sample
		created, _ := strconv.ParseInt(timestamp, 10, 64)
		encrypt := r.Cipher.Seal([]byte(ticketXML(testAppID, created, "ticket@@@1")))
		if _, err := r.OpenPush(push(r, timestamp, nonce, encrypt)); err != nil {
			t.Fatalf("OpenPush before the swap = %v, want no error", err)
		}
		signature := r.Cipher.Signature(timestamp, nonce, encrypt)
		if !r.Cipher.Verify(nonce, timestamp, encrypt, signature) {
			continue
		}
		verified++
		if _, err := r.OpenPush(push(r, nonce, timestamp, encrypt)); class(err) != RefusedTime {
			t.Fatalf("OpenPush with timestamp %s and nonce %s swapped = %v, want refusal %q", timestamp, nonce, err, RefusedTime)
		}
	}
	if verified != 20_000 {
		t.Errorf("the signature survived %d of 20000 swaps; the attack this test is about needs all", verified)
	}
}

// TestPush_BoundaryShift moves pieces of the signed text over the borders of its
// parts, which a signature without separators does not notice.
func TestPush_BoundaryShift(t *testing.T) {
	r := testReceiver(t)
	rng := rand.New(rand.NewPCG(3, 4))
	verified := 0
	for trial := range 20_000 {
		timestamp, nonce := "1700000000", strconv.Itoa(rng.IntN(1_000_000_000))
		inner := ticketXML(testAppID, 1700000000, "ticket@@@"+strings.Repeat("x", rng.IntN(200)))
		encrypt := r.Cipher.Seal([]byte(inner))
		signature := r.Cipher.Signature(timestamp, nonce, encrypt)
		n := []int{64, 128, 1 + rng.IntN(32), 1 + rng.IntN(len(encrypt)-1)}[trial%4]
		at, no, enc := timestamp, nonce, encrypt
		switch trial / 4 % 6 {
		case 0: // the head of the ciphertext to the end of the nonce
			no, enc = nonce+encrypt[:n], encrypt[n:]
		case 1: // its tail to the front of the nonce
			no, enc = encrypt[len(encrypt)-n:]+nonce, encrypt[:len(encrypt)-n]
		case 2: // its head to the timestamp
			at, enc = timestamp+encrypt[:n], encrypt[n:]
		case 3: // the nonce to the ciphertext
			no, enc = nonce[:1], nonce[1:]+encrypt
		case 4: // between timestamp and nonce
			k := 1 + n%(len(timestamp)-1)
			at, no = timestamp[:k], timestamp[k:]+nonce
		case 5: // the ciphertext becomes the nonce and the other way round
			no, enc = encrypt, nonce
		}
		if r.Cipher.Verify(at, no, enc, signature) {
			verified++
		}
		q := url.Values{"timestamp": {at}, "nonce": {no}, "encrypt_type": {"aes"}, "msg_signature": {signature}}
		body := "<xml><AppId>" + testAppID + "</AppId><Encrypt>" + enc + "</Encrypt></xml>"
		if p, err := r.OpenPush(q.Encode(), []byte(body)); err == nil {
			t.Fatalf("trial %d: OpenPush(timestamp %q, nonce %q, Encrypt %q) = %v, want a refusal", trial, at, no, enc, p)
		}
	}
	if verified < 2000 {
		t.Errorf("the signature survived %d of 20000 shifts, so the test proves little", verified)
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

func TestEcho(t *testing.T) {
	// The worked example of WXBizMsgCrypt for the check of an address.
	c, err := msgcrypt.New(msgcrypt.Keys{AppID: "wx5823bf96d3bd56c7", Token: "QDG6eK", AESKey: testAESKey})
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{Cipher: c, AppID: "wx5823bf96d3bd56c7"}
	const common = "timestamp=1409659589&nonce=263014780"
	const sealed = common + "&msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D"
	const plain = common + "&signature=93d1cec91cee4a4a8baada4c807ed13137622215"
	tests := []struct {
		name, query, want string
		refusal           Refusal
	}{
		{"sealed", sealed, "1616140317555161061", ""},
		{"sealed, another text", strings.Replace(sealed, "P9n", "P9m", 1), "", RefusedSignature},
		{"sealed, signature of another shape", strings.Replace(sealed, "5c45", "XC45", 1), "", RefusedShape},
		{"plain", plain + "&echostr=1616140317555161061", "1616140317555161061", ""},
		{"plain, signature wrong", strings.Replace(plain, "93d1", "93d2", 1) + "&echostr=1", "", RefusedSignature},
		{"plain, markup", plain + "&echostr=%3Cscript%3E", "", RefusedShape},
		{"plain, no signature", common + "&echostr=1", "", RefusedShape},
		{"no echostr", plain, "", RefusedShape},
		{"twice", plain + "&echostr=1&echostr=2", "", RefusedShape},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Echo(tt.query)
			if got != tt.want || class(err) != tt.refusal {
				t.Errorf("Echo(%q) = %q, %v; want %q, refusal %q", tt.query, got, err, tt.want, tt.refusal)
			}
		})
	}
}

// FuzzOpenPush: whatever is accepted carries a valid signature over exactly the
// Encrypt that encoding/xml sees, so the scanner cannot be talked into another.
func FuzzOpenPush(f *testing.F) {
	r := testReceiver(f)
	f.Add(sampleQuery, sampleBody)
	f.Add(sampleQuery, strings.ReplaceAll(strings.ReplaceAll(sampleBody, "<![CDATA[", ""), "]]>", ""))
	f.Add(sampleQuery, "<!DOCTYPE xml>"+sampleBody)
	f.Add(sampleQuery, strings.Replace(sampleBody, "</xml>", "<Encrypt>x</Encrypt></xml>", 1))
	f.Add("timestamp=1&nonce=2", "<xml/>")
	f.Fuzz(func(t *testing.T, query, body string) {
		p, err := r.OpenPush(query, []byte(body))
		if err != nil {
			if p != (onboard.Push{}) || strings.HasPrefix(string(class(err)), "unclassified") {
				t.Errorf("OpenPush(%q, %q) = %v, %v; want nothing and a Refusal", query, body, p, err)
			}
			return
		}
		all, err := decodeXML(body)
		if err != nil {
			t.Fatalf("OpenPush accepted %q, encoding/xml says %v", body, err)
		}
		encrypt, _, _ := all.only("Encrypt")
		q, _ := url.ParseQuery(query)
		if !r.Cipher.Verify(q.Get("timestamp"), q.Get("nonce"), encrypt, q.Get("msg_signature")) {
			t.Errorf("OpenPush(%q, %q) accepted what is not signed", query, body)
		}
		if plain, err := base64.StdEncoding.DecodeString(encrypt); err != nil || len(plain)%32 != 0 {
			t.Errorf("OpenPush(%q, %q) accepted a ciphertext of %d bytes", query, body, len(plain))
		}
	})
}
