package msgcrypt

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"time"
)

// Message is a message whose signature and cipher were checked. It remembers
// the token and the key it came with, because the answer has to use the same.
type Message struct {
	Plain []byte

	cipher *Cipher
	token  string
	key    *key
	nonce  string
}

// OpenSigned checks the msg_signature and only then decrypts. The error is an
// [*Error].
func (c *Cipher) OpenSigned(timestamp, nonce, encrypt, signature string) (Message, error) {
	return c.openSigned(timestamp, nonce, encrypt, signature, nil)
}

func (c *Cipher) openSigned(timestamp, nonce, encrypt, signature string, trace *Trace) (Message, error) {
	token, ok := c.verify(timestamp, nonce, encrypt, signature, trace)
	if !ok {
		if trace != nil {
			_, _, _ = c.open(encrypt, trace) // decides nothing any more
		}
		return Message{}, &Error{CodeSignature, "signature mismatch"}
	}
	plain, k, err := c.open(encrypt, trace)
	if err != nil {
		return Message{}, err
	}
	return Message{Plain: plain, cipher: c, token: token, key: k, nonce: nonce}, nil
}

// Reply returns the encrypted XML of a passive reply (被动回复) to m, sealed with
// the key that opened m and signed with its nonce at now. m must come from
// [Cipher.OpenSigned].
func (m Message) Reply(plain []byte, now time.Time) string {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	return m.envelope(m.cipher.seal(m.key, rand.Text()[:16], plain), timestamp)
}

// envelope signs encrypt. The nonce was covered by the signature of the request,
// so only a holder of the token could put markup into it.
func (m Message) envelope(encrypt, timestamp string) string {
	return fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp><Nonce><![CDATA[%s]]></Nonce></xml>",
		encrypt, sign(m.token, timestamp, m.nonce, encrypt), timestamp, m.nonce)
}

// Format keeps every verb of package fmt from showing the content.
func (m Message) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "[message of %d bytes]", len(m.Plain))
}
