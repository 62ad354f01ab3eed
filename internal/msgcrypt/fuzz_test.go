package msgcrypt

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

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
