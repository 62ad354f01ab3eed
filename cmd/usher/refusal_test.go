package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/internal/msgcrypt"
)

// TestPush_RefusalsIndistinguishable sends pushes that are refused for different
// causes over a connection and compares the answers byte by byte: whoever tries
// learns nothing of how far he came. Nothing is stored of any.
func TestPush_RefusalsIndistinguishable(t *testing.T) {
	w := startAll(t, options{quiet: true})
	cipher := func(appID, token, key string) *msgcrypt.Cipher {
		c, err := msgcrypt.New(msgcrypt.Keys{AppID: appID, Token: token, AESKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const other = "wx00000000000000bb"
	ours := cipher(platformAppID, pushToken, pushKey)
	now := time.Now()
	xml := func(appID string, at time.Time) string {
		return fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>invented</InfoType></xml>", appID, at.Unix())
	}
	good := string(pushRequest(ours, now, xml(platformAppID, now)))
	// of has the request of one cipher signed by another.
	of := func(sealing, signing *msgcrypt.Cipher, text string) string {
		sealed, timestamp := sealing.Seal([]byte(text)), fmt.Sprint(now.Unix())
		return requestOf("timestamp="+timestamp+"&nonce=1&encrypt_type=aes&msg_signature="+signing.Signature(timestamp, "1", sealed),
			"<xml><AppId>"+platformAppID+"</AppId><Encrypt>"+sealed+"</Encrypt></xml>")
	}
	// signed has ciphertext of our own making, rightly signed.
	signed := func(sealed string) string {
		timestamp := fmt.Sprint(now.Unix())
		return requestOf("timestamp="+timestamp+"&nonce=1&encrypt_type=aes&msg_signature="+ours.Signature(timestamp, "1", sealed),
			"<xml><AppId>"+platformAppID+"</AppId><Encrypt>"+sealed+"</Encrypt></xml>")
	}
	refused := map[string]string{
		"no query":                       requestOf("", "<xml/>"),
		"a parameter twice":              strings.Replace(good, "nonce=", "nonce=2&nonce=", 1),
		"a timestamp that is none":       strings.Replace(good, "timestamp=1", "timestamp=x", 1),
		"bytes that are no text":         strings.Replace(good, "nonce=", "nonce=%00%ff", 1),
		"another encrypt_type":           strings.Replace(good, "encrypt_type=aes", "encrypt_type=raw", 1),
		"a signature of 39":              regexp.MustCompile(`(msg_signature=[0-9a-f]{39})[0-9a-f]`).ReplaceAllString(good, "$1"),
		"a signature wrong at its start": regexp.MustCompile(`msg_signature=[0-9a-f]{2}`).ReplaceAllString(good, "msg_signature=zz"),
		"the signature of another token": of(ours, cipher(platformAppID, "anothertoken", pushKey), xml(platformAppID, now)),
		"no body":                        requestOf("timestamp=1700000000&nonce=1&encrypt_type=aes&msg_signature="+strings.Repeat("0", 40), ""),
		"a body that is no XML":          requestOf("timestamp=1700000000&nonce=1&encrypt_type=aes&msg_signature="+strings.Repeat("0", 40), "{}"),
		"a body that is too large":       requestOf("timestamp=1700000000&nonce=1&encrypt_type=aes&msg_signature="+strings.Repeat("0", 40), strings.Repeat("a", 65<<10)),
		"a DOCTYPE":                      requestOf("timestamp=1700000000&nonce=1&encrypt_type=aes&msg_signature="+strings.Repeat("0", 40), "<!DOCTYPE x><xml><Encrypt>a</Encrypt></xml>"),
		"for another platform":           strings.Replace(good, platformAppID, other, 1),
		"not base64":                     signed("!!!!"),
		"ciphertext cut":                 signed(ours.Seal([]byte(xml(platformAppID, now)))[:64]),
		"padding that is none":           signed(strings.Repeat("A", 128)),
		"sealed with another key":        of(cipher(platformAppID, pushToken, strings.Repeat("A", 43)), ours, xml(platformAppID, now)),
		"sealed for another platform":    of(cipher(other, pushToken, pushKey), ours, xml(platformAppID, now)),
		"about another platform":         of(ours, ours, xml(other, now)),
		"content that is no XML":         of(ours, ours, "hello"),
		"content without a type":         of(ours, ours, "<xml><AppId>"+platformAppID+"</AppId></xml>"),
		"content of another year":        of(ours, ours, xml(platformAppID, now.AddDate(-1, 0, 0))),
	}
	// What differs from one answer to the next whatever the cause.
	own := regexp.MustCompile(`(?m)^(Date|X-Request-Id): .*\r\n`)
	first, of1 := "", ""
	for cause, request := range refused {
		if request == good {
			t.Errorf("%s: nothing is wrong with it", cause)
		}
		answer := own.ReplaceAllString(w.raws(request), "")
		if !strings.HasPrefix(answer, "HTTP/1.1 403 Forbidden\r\n") {
			t.Errorf("%s is answered\n%s", cause, answer)
		}
		if first == "" {
			first, of1 = answer, cause
		}
		if answer != first {
			t.Errorf("%s and %s are told apart:\n%s\n%s", cause, of1, answer, first)
		}
	}
	db, err := w.raw()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM arrival`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d pushes are stored, %v, want none", rows, err)
	}
	if answer := w.raws(good); !strings.HasSuffix(answer, "\r\n\r\nsuccess") {
		t.Errorf("the push of which the others were made is answered\n%s", answer)
	}
}

// requestOf is a whole request to the address of pushes.
func requestOf(query, body string) string {
	return fmt.Sprintf("POST /wechat/events?%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", query, len(body), body)
}

// raws sends bytes to the site on a connection of their own and returns the bytes of
// the answer.
func (w *world) raws(request string) string {
	w.t.Helper()
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		w.t.Fatal(err)
	}
	var answer strings.Builder
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &answer)), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return answer.String()
}
