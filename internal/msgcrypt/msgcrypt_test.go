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
		{"sound but for 80 bytes", full(22, strings.Repeat("a", 22)+id, pad(20)...), CodeDecrypt},
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
