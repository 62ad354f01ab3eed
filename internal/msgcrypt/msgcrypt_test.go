package msgcrypt

import (
	"bytes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// vector is one row of testdata/vectors.json: the worked examples of the
// official pages (V…), and messages of a third-party platform that were computed
// with three independent implementations (M…).
type vector struct {
	ID           string `json:"id"`
	Token        string `json:"token"`
	AESKey       string `json:"encoding_aes_key"`
	AppID        string `json:"appid"`
	Timestamp    string `json:"timestamp"`
	Nonce        string `json:"nonce"`
	MsgSignature string `json:"msg_signature"`
	Signature    string `json:"signature"`
	Encrypt      string `json:"encrypt"`
	Random       string `json:"random"`
	Plaintext    string `json:"plaintext"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(data, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) != 12 {
		t.Fatalf("%d vectors, want 12", len(vs))
	}
	return vs
}

func byID(t testing.TB, id string) vector {
	t.Helper()
	for _, v := range vectors(t) {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("no vector %s", id)
	return vector{}
}

func (v vector) keys() Keys { return Keys{AppID: v.AppID, Token: v.Token, AESKey: v.AESKey} }

func mustNew(t testing.TB, k Keys) *Cipher {
	t.Helper()
	c, err := New(k)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cbc encrypts whole blocks and adds nothing.
func cbc(k *key, full []byte) []byte {
	out := make([]byte, len(full))
	cipher.NewCBCEncrypter(k.block, k.iv).CryptBlocks(out, full)
	return out
}

func code(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			c := mustNew(t, v.keys())
			if got := c.Signature(v.Timestamp, v.Nonce, v.Encrypt); got != v.MsgSignature {
				t.Errorf("Signature(%q, %q, …) = %q, want %q", v.Timestamp, v.Nonce, got, v.MsgSignature)
			}
			if !c.Verify(v.Timestamp, v.Nonce, v.Encrypt, v.MsgSignature) {
				t.Errorf("Verify(…, %q) = false, want true", v.MsgSignature)
			}
			if !c.VerifyURL(v.Timestamp, v.Nonce, v.Signature) {
				t.Errorf("VerifyURL(…, %q) = false, want true", v.Signature)
			}
			if got, err := c.Open(v.Encrypt); err != nil || string(got) != v.Plaintext {
				t.Errorf("Open(%q) = %q, %v; want %q", v.Encrypt, got, err, v.Plaintext)
			}
			if got := c.seal(&c.keys[0], v.Random, []byte(v.Plaintext)); got != v.Encrypt {
				t.Errorf("seal(%q, %q) = %q, want %q", v.Random, v.Plaintext, got, v.Encrypt)
			}
		})
	}
}

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

// TestOpen_PaddingAndLength builds ciphertexts that only the key's owner can
// build, so that each inner check is reached on its own.
func TestOpen_PaddingAndLength(t *testing.T) {
	c := mustNew(t, byID(t, "M1").keys())
	encrypt := func(full []byte) string {
		k := &c.keys[0]
		return base64.StdEncoding.EncodeToString(cbc(k, full))
	}
	full := func(length uint32, body string, pad ...byte) []byte {
		b := []byte("0123456789abcdef")
		b = append(b, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
		b = append(b, body...)
		return append(b, pad...)
	}
	pad := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n) }
	id := string(c.appID) // 18 bytes, so the head and it are 38
	tests := []struct {
		name string
		full []byte
		want int
	}{
		{"sound", full(3, "abc"+id, pad(23)...), 0},
		{"pad 0", full(3, "abc"+id, append(pad(23)[:22], 0)...), CodeDecrypt},
		{"pad 33", full(3, "abc"+id+strings.Repeat("!", 22), 33), CodeDecrypt},
		{"pad bytes differ", full(3, "abc"+id, append([]byte{22}, pad(23)[1:]...)...), CodeDecrypt},
		{"length one too long", full(22, "abc"+id, pad(23)...), CodeBuffer},
		{"length negative as an int32", full(0xffffffff, "abc"+id, pad(23)...), CodeBuffer},
		{"length one too short", full(2, "abc"+id, pad(23)...), CodeAppID},
		{"length zero", full(0, id, pad(26)...), 0},
		{"no AppID", full(21, strings.Repeat("a", 21), pad(23)...), CodeAppID},
		{"longest padding, short AppID", full(0, id[:12], pad(32)...), CodeAppID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sealed := encrypt(tt.full)
			got, err := c.Open(sealed)
			if code(err) != tt.want || (err != nil && got != nil) {
				t.Errorf("Open(%q) = %q, %v; want code %d", sealed, got, err, tt.want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	good := byID(t, "M1").keys()
	with := func(change func(*Keys)) Keys { k := good; change(&k); return k }
	tests := []struct {
		name string
		in   Keys
		ok   bool
	}{
		{"good", good, true},
		{"previous pair", with(func(k *Keys) { k.PreviousAESKey, k.PreviousToken = strings.Repeat("A", 43), "old" }), true},
		{"short key", with(func(k *Keys) { k.AESKey = "abcde" }), false},
		{"no key", with(func(k *Keys) { k.AESKey = "" }), false},
		{"44 characters", with(func(k *Keys) { k.AESKey += "=" }), false},
		{"not base64", with(func(k *Keys) { k.AESKey = strings.Repeat("!", 43) }), false},
		{"line break", with(func(k *Keys) { k.AESKey = "\n" + k.AESKey[1:] }), false},
		{"no token", with(func(k *Keys) { k.Token = "" }), false},
		{"no AppID", with(func(k *Keys) { k.AppID = "" }), false},
		{"bad previous key", with(func(k *Keys) { k.PreviousAESKey = "abcde" }), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(tt.in)
			if (err == nil) != tt.ok || (c != nil) != tt.ok || (err != nil && !errors.Is(err, ErrKey)) {
				t.Errorf("New(%s) = %v, %v; want ok %v and ErrKey otherwise", tt.name, c, err, tt.ok)
			}
			if err != nil && tt.in.AESKey != "" && strings.Contains(err.Error(), tt.in.AESKey) {
				t.Errorf("New(%s): the error shows the key: %v", tt.name, err)
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

func TestSeal_FreshRandom(t *testing.T) {
	c := mustNew(t, byID(t, "M1").keys())
	seen := map[string]bool{}
	for range 1000 {
		seen[c.Seal([]byte("same"))] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 calls of Seal gave %d different texts, want 1000", len(seen))
	}
}

func TestFormat_ShowsNoKey(t *testing.T) {
	v := byID(t, "M1")
	k := v.keys()
	c := mustNew(t, k)
	m, err := c.OpenSigned(v.Timestamp, v.Nonce, v.Encrypt, v.MsgSignature)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		got := fmt.Sprintf(verb+verb+verb+verb, k, &k, c, m)
		for _, bad := range []string{v.Token, v.AESKey, "ticket@@@", fmt.Sprintf("%x", v.Token)} {
			if strings.Contains(got, bad) {
				t.Errorf("Sprintf(%q) = %q, which shows %q", verb, got, bad)
			}
		}
	}
}

// FuzzOpen checks that no ciphertext makes Open panic, that nothing stands
// beside an error, and that whatever Open accepts, Seal carries unchanged.
func FuzzOpen(f *testing.F) {
	v := byID(f, "M1")
	c := mustNew(f, Keys{AppID: v.AppID, Token: v.Token, AESKey: v.AESKey, PreviousAESKey: byID(f, "V2").AESKey})
	for _, msg := range []string{"", "<xml/>", strings.Repeat("票", 400)} {
		f.Add(c.Seal([]byte(msg)))
	}
	for _, v := range vectors(f) {
		f.Add(v.Encrypt)
	}
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAA==")
	f.Fuzz(func(t *testing.T, sealed string) {
		msg, err := c.Open(sealed)
		if err != nil {
			if msg != nil || code(err) == 0 {
				t.Errorf("Open(%q) = %q, %v; want nothing and an *Error", sealed, msg, err)
			}
			return
		}
		again, err := c.Open(c.Seal(msg))
		if err != nil || !bytes.Equal(again, msg) {
			t.Errorf("Open(Seal(%q)) = %q, %v", msg, again, err)
		}
	})
}

// FuzzOpenPlain gives Open ciphertexts whose decryption is the input, which
// chance never finds.
func FuzzOpenPlain(f *testing.F) {
	c := mustNew(f, byID(f, "M1").keys())
	f.Add([]byte("0123456789abcdef\x00\x00\x00\x03abcwx00000000000000c1" + strings.Repeat("\x17", 23)))
	f.Add([]byte("0123456789abcdef\xff\xff\xff\xffabcwx00000000000000c1" + strings.Repeat("\x17", 23)))
	f.Fuzz(func(t *testing.T, full []byte) {
		full = append(bytes.Clone(full), make([]byte, (32-len(full)%32)%32)...)
		msg, err := c.Open(base64.StdEncoding.EncodeToString(cbc(&c.keys[0], full)))
		if err != nil {
			return
		}
		if want := 16 + 4 + len(msg) + len(c.appID); want >= len(full) || want < len(full)-padBlock || !bytes.Equal(full[20:20+len(msg)], msg) {
			t.Errorf("Open of %q = %q", full, msg)
		}
	})
}

func BenchmarkOpenSigned(b *testing.B) {
	v := byID(b, "M1")
	c := mustNew(b, v.keys())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.OpenSigned(v.Timestamp, v.Nonce, v.Encrypt, v.MsgSignature); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	v := byID(b, "M1")
	c := mustNew(b, v.keys())
	plain := []byte(v.Plaintext)
	b.ReportAllocs()
	for b.Loop() {
		c.Seal(plain)
	}
}
