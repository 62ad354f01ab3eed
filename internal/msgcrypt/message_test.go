package msgcrypt

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func TestOpenSigned_Refusals(t *testing.T) {
	v := byID(t, "V2")
	other := func(change func(*vector)) vector { o := v; change(&o); return o }
	long := base64.StdEncoding.EncodeToString(make([]byte, 80))
	tests := []struct {
		name  string
		v     vector
		codes []int
		sign  bool // sign again, so that the cipher is reached
	}{
		{"one digit of the signature", other(func(o *vector) { o.MsgSignature = "6" + o.MsgSignature[1:] }), []int{CodeSignature}, false},
		{"signature in upper case", other(func(o *vector) { o.MsgSignature = strings.ToUpper(o.MsgSignature) }), []int{CodeSignature}, false},
		{"three-input signature", other(func(o *vector) { o.MsgSignature = o.Signature }), []int{CodeSignature}, false},
		{"no signature", other(func(o *vector) { o.MsgSignature = "" }), []int{CodeSignature}, false},
		{"another token", other(func(o *vector) { o.Token = "spamtes" }), []int{CodeSignature}, false},
		{"another AppID", other(func(o *vector) { o.AppID = "wx_other" }), []int{CodeAppID}, true},
		{"AppID is a prefix", other(func(o *vector) { o.AppID = v.AppID[:17] }), []int{CodeAppID}, true},
		{"key of V4, pad byte 137", other(func(o *vector) { o.AESKey = byID(t, "V4").AESKey }), []int{CodeDecrypt}, true},
		{"key of V1, last byte 12", other(func(o *vector) { o.AESKey = byID(t, "V1").AESKey }), []int{CodeDecrypt, CodeBuffer}, true},
		{"three bytes", other(func(o *vector) { o.Encrypt = "YWJj" }), []int{CodeDecrypt}, true},
		{"nothing", other(func(o *vector) { o.Encrypt = "" }), []int{CodeDecrypt}, true},
		{"one block", other(func(o *vector) { o.Encrypt = long[:43] + "=" }), []int{CodeDecrypt}, true},
		{"half a block too many", other(func(o *vector) { o.Encrypt = long }), []int{CodeDecrypt}, true},
		{"not base64", other(func(o *vector) { o.Encrypt = "!!!" }), []int{CodeDecode}, true},
		{"line break", other(func(o *vector) { o.Encrypt = v.Encrypt[:76] + "\n" + v.Encrypt[76:] }), []int{CodeDecode}, true},
		{"line break at the end", other(func(o *vector) { o.Encrypt += "\r\n" }), []int{CodeDecode}, true},
		{"spare bits set", other(func(o *vector) { o.Encrypt = strings.TrimSuffix(v.Encrypt, "E=") + "F=" }), []int{CodeDecode}, true},
		{"without padding", other(func(o *vector) { o.Encrypt = strings.TrimSuffix(v.Encrypt, "=") }), []int{CodeDecode}, true},
		{"first block missing", other(func(o *vector) {
			raw, _ := base64.StdEncoding.DecodeString(v.Encrypt)
			o.Encrypt = base64.StdEncoding.EncodeToString(raw[32:])
		}), []int{CodeBuffer, CodeAppID}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mustNew(t, tt.v.keys())
			if tt.sign {
				tt.v.MsgSignature = c.Signature(tt.v.Timestamp, tt.v.Nonce, tt.v.Encrypt)
			}
			m, err := c.OpenSigned(tt.v.Timestamp, tt.v.Nonce, tt.v.Encrypt, tt.v.MsgSignature)
			found := false
			for _, want := range tt.codes {
				found = found || code(err) == want
			}
			if !found || m.Plain != nil {
				t.Errorf("OpenSigned = %q, %v; want an error with a code of %d", m.Plain, err, tt.codes)
			}
		})
	}
}

func TestKeyChange(t *testing.T) {
	old := byID(t, "V2")
	changed := Keys{AppID: old.AppID, Token: "newtoken", AESKey: byID(t, "V4").AESKey, PreviousToken: old.Token, PreviousAESKey: old.AESKey}
	c := mustNew(t, changed)
	m, err := c.OpenSigned(old.Timestamp, old.Nonce, old.Encrypt, old.MsgSignature)
	if err != nil || string(m.Plain) != old.Plaintext {
		t.Fatalf("OpenSigned under the previous pair = %q, %v; want %q", m.Plain, err, old.Plaintext)
	}
	if !c.VerifyURL(old.Timestamp, old.Nonce, old.Signature) {
		t.Error("VerifyURL under the previous token = false, want true")
	}
	sealed := c.Seal([]byte("new"))
	if got, err := c.Open(sealed); err != nil || string(got) != "new" {
		t.Errorf("Open of what the current key sealed = %q, %v; want %q", got, err, "new")
	}
	if _, err := mustNew(t, old.keys()).Open(sealed); err == nil {
		t.Error("Seal used the previous key, want the current one")
	}
	// Another AppID under the previous key is told apart from a wrong key.
	changed.AppID = "wx0000000000000000"
	if _, err := mustNew(t, changed).Open(old.Encrypt); code(err) != CodeAppID {
		t.Errorf("Open for another AppID = %v, want code %d", err, CodeAppID)
	}
}

// TestReply opens a reply as WeChat would: with the pair the request came with.
func TestReply(t *testing.T) {
	request := byID(t, "M4")
	reply := byID(t, "M5")
	for _, tt := range []struct {
		name string
		keys Keys
	}{
		{"current pair", request.keys()},
		{"previous pair", Keys{AppID: request.AppID, Token: "new", AESKey: byID(t, "V2").AESKey, PreviousToken: request.Token, PreviousAESKey: request.AESKey}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := mustNew(t, tt.keys).OpenSigned(request.Timestamp, request.Nonce, request.Encrypt, request.MsgSignature)
			if err != nil {
				t.Fatal(err)
			}
			got := m.Reply([]byte(reply.Plaintext), time.Unix(1700000300, 0))
			cut := func(before, after string) string {
				_, s, ok := strings.Cut(got, before)
				s, _, ok2 := strings.Cut(s, after)
				if !ok || !ok2 {
					t.Fatalf("Reply = %q, want %q … %q in it", got, before, after)
				}
				return s
			}
			encrypt := cut("<Encrypt><![CDATA[", "]]></Encrypt>")
			signature := cut("<MsgSignature><![CDATA[", "]]></MsgSignature>")
			timestamp := cut("<TimeStamp>", "</TimeStamp>")
			nonce := cut("<Nonce><![CDATA[", "]]></Nonce>")
			if timestamp != reply.Timestamp || nonce != reply.Nonce {
				t.Errorf("Reply has time %q, nonce %q; want %q, %q", timestamp, nonce, reply.Timestamp, reply.Nonce)
			}
			there := mustNew(t, request.keys())
			back, err := there.OpenSigned(timestamp, nonce, encrypt, signature)
			if err != nil || string(back.Plain) != reply.Plaintext {
				t.Errorf("the reply opens to %q, %v; want %q", back.Plain, err, reply.Plaintext)
			}
			// The official shape to the byte, where the random bytes are known.
			want := "<xml><Encrypt><![CDATA[" + reply.Encrypt + "]]></Encrypt><MsgSignature><![CDATA[" + reply.MsgSignature +
				"]]></MsgSignature><TimeStamp>" + reply.Timestamp + "</TimeStamp><Nonce><![CDATA[" + reply.Nonce + "]]></Nonce></xml>"
			if env := m.envelope(reply.Encrypt, reply.Timestamp); env != want {
				t.Errorf("envelope = %q, want %q", env, want)
			}
		})
	}
}
