package wechat

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"usher/internal/onboard"
)

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
		agrees(t, r, query, string(body))
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
