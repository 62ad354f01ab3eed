package msgcrypt

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"
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

// BenchmarkVerify_WrongDigit compares how long it takes to refuse a signature whose
// first digit is wrong with one whose last digit is: were there a difference, it
// could be guessed digit by digit. Calls of both take turns, and medians are
// compared, so that whatever else the machine does meets both. same/same is the
// noise: the first kind compared with itself.
func BenchmarkVerify_WrongDigit(b *testing.B) {
	v := byID(b, "M1")
	c := mustNew(b, v.keys())
	other := func(digit byte) string {
		if digit == '0' {
			return "1"
		}
		return "0"
	}
	n := len(v.MsgSignature) - 1
	first, last := other(v.MsgSignature[0])+v.MsgSignature[1:], v.MsgSignature[:n]+other(v.MsgSignature[n])
	const each = 10 // a single call is near the clock's resolution
	var firsts, lasts, agains []time.Duration
	took := func(signature string) time.Duration {
		from := time.Now()
		for range each {
			if c.Verify(v.Timestamp, v.Nonce, v.Encrypt, signature) {
				b.Fatal("a wrong signature was taken")
			}
		}
		return time.Since(from)
	}
	for b.Loop() {
		for range 2000 { // at least 20,000 calls of each kind
			firsts = append(firsts, took(first))
			lasts = append(lasts, took(last))
			agains = append(agains, took(first))
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2])
	}
	b.ReportMetric(median(firsts)/each, "first-ns")
	b.ReportMetric(median(lasts)/median(firsts), "last/first")
	b.ReportMetric(median(agains)/median(firsts), "same/same")
	b.ReportMetric(0, "ns/op")
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
