package wechat

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
)

// agrees holds the explanation of a push against what becomes of it, and against
// itself: it names a refused check exactly when there is a refusal.
func agrees(t *testing.T, r *Receiver, query, body string) {
	t.Helper()
	p, err := r.OpenPush(query, []byte(body))
	e := r.Explain(query, []byte(body))
	if e.Refusal != string(class(err)) || e.Type != p.Event.Type {
		t.Fatalf("Explain(%q, %q) = %q of type %q, OpenPush says %q and %q", query, body, e.Refusal, e.Type, class(err), p.Event.Type)
	}
	refused := slices.ContainsFunc(e.Steps, func(s onboard.PushStep) bool { return s.State == onboard.StepRefused && !s.Beyond })
	if refused != (err != nil) || len(e.Steps) == 0 {
		t.Fatalf("Explain(%q, %q) has the steps %v for %v", query, body, e.Steps, err)
	}
	if text := fmt.Sprintf("%+v", e); strings.Contains(text, "@@@") {
		t.Fatalf("Explain(%q, %q) shows a secret: %s", query, body, text)
	}
}

// told writes steps as short text: check, age, state, and ~ for what decides nothing.
func told(steps []onboard.PushStep) string {
	var b strings.Builder
	for _, s := range steps {
		if s.State == onboard.StepPassed && !s.Beyond && s.Age != "previous" {
			continue
		}
		fmt.Fprintf(&b, " %s", s.Check)
		if s.Age != "" {
			fmt.Fprintf(&b, "(%s)", s.Age)
		}
		fmt.Fprintf(&b, " %s", s.State)
		if s.Beyond {
			b.WriteByte('~')
		}
	}
	return strings.TrimSpace(b.String())
}

func TestExplain(t *testing.T) {
	receiver := func(k msgcrypt.Keys) *Receiver {
		k.AppID = testAppID
		c, err := msgcrypt.New(k)
		if err != nil {
			t.Fatal(err)
		}
		return &Receiver{Cipher: c, AppID: testAppID}
	}
	noURLSignature := strings.SplitN(sampleQuery, "&", 2)[1]
	other := strings.Repeat("A", 43)
	for _, tt := range []struct {
		name        string
		keys        msgcrypt.Keys
		query, body string
		refusal     Refusal
		want        string
	}{
		{"sound", msgcrypt.Keys{Token: testToken, AESKey: testAESKey}, sampleQuery, sampleBody, "", ""},
		{"previous pair", msgcrypt.Keys{Token: "new", PreviousToken: testToken, AESKey: other, PreviousAESKey: testAESKey}, sampleQuery, sampleBody, "",
			"signature(current) tried signature(previous) passed padding(current) tried padding(previous) passed size(previous) passed suffix(previous) passed"},
		{"wrong token", msgcrypt.Keys{Token: "wrong", AESKey: testAESKey}, noURLSignature, sampleBody, RefusedSignature,
			"signature(current) refused base64 passed~ length passed~ padding(current) passed~ size(current) passed~ suffix(current) passed~"},
		{"wrong token, both signatures", msgcrypt.Keys{Token: "wrong", AESKey: testAESKey}, sampleQuery, sampleBody, RefusedSignature,
			"url_signature refused signature(current) refused~ base64 passed~ length passed~ padding(current) passed~ size(current) passed~ suffix(current) passed~"},
		{"wrong tokens and key", msgcrypt.Keys{Token: "wrong", PreviousToken: "old", AESKey: other}, noURLSignature, sampleBody, RefusedSignature,
			"signature(current) refused signature(previous) refused base64 passed~ length passed~ padding(current) refused~"},
		{"wrong key", msgcrypt.Keys{Token: testToken, AESKey: other}, sampleQuery, sampleBody, RefusedDecrypt, "padding(current) refused"},
		{"no parameters", msgcrypt.Keys{Token: testToken, AESKey: testAESKey}, "", sampleBody, RefusedShape, "timestamp refused"},
		{"another envelope", msgcrypt.Keys{Token: testToken, AESKey: testAESKey}, sampleQuery, "<xml/>", RefusedEnvelope, "envelope refused"},
	} {
		r := receiver(tt.keys)
		agrees(t, r, tt.query, tt.body)
		e := r.Explain(tt.query, []byte(tt.body))
		if e.Refusal != string(tt.refusal) || told(e.Steps) != tt.want {
			t.Errorf("%s: Explain = %q, %q; want %q, %q", tt.name, e.Refusal, told(e.Steps), tt.refusal, tt.want)
		}
		if opened := !strings.Contains(tt.want, "padding(current) refused") && tt.refusal != RefusedShape && tt.refusal != RefusedEnvelope; opened != (len(e.Fields) > 0) {
			t.Errorf("%s: Fields = %v", tt.name, e.Fields)
		}
	}
}

// TestFields hides what gives access to something, in pushes that nobody has seen yet too.
func TestFields(t *testing.T) {
	const doc = `<xml><AppId>wx00000000000000c1</AppId><InfoType>authorized</InfoType><CreateTime>1700000100</CreateTime>
		<AuthorizerAppid>wx00000000000000a1</AuthorizerAppid><AuthorizationCode>CANARY</AuthorizationCode>
		<AuthorizationCodeExpiredTime>1700003700</AuthorizationCodeExpiredTime><PreAuthCode>CANARY</PreAuthCode>
		<ComponentVerifyTicket>CANARY</ComponentVerifyTicket><auth_code>CANARY</auth_code><access_token>CANARY</access_token>
		<AuthorizerAppid>CANARYCANARYCANARYCANARYCANARYCANARY</AuthorizerAppid>
		<Invented>x@@@CANARY</Invented><Long>xx CANARYCANARYCANARYCANARYCANARYCANARY xx</Long><Sentence>审核 不通过</Sentence><info><name>CANARY</name></info></xml>`
	fields := Fields([]byte(doc))
	hidden, shown := "", ""
	for _, f := range fields {
		if strings.Contains(f.Value, "CANARY") {
			t.Errorf("%s shows %q", f.Name, f.Value)
		}
		if f.Hidden.Empty() {
			shown += f.Name + "=" + f.Value + " "
		} else {
			hidden += f.Name + " "
		}
	}
	if want := "AuthorizationCode PreAuthCode ComponentVerifyTicket auth_code access_token AuthorizerAppid Invented Long "; hidden != want {
		t.Errorf("hidden: %s, want %s", hidden, want)
	}
	if want := "AppId=wx00000000000000c1 InfoType=authorized CreateTime=1700000100 AuthorizerAppid=wx00000000000000a1 AuthorizationCodeExpiredTime=1700003700 Sentence=审核 不通过 info=… "; shown != want {
		t.Errorf("shown: %s, want %s", shown, want)
	}
	if got := Fields([]byte("no XML")); len(got) != 0 {
		t.Errorf("Fields of no XML = %v", got)
	}
}
