package msgcrypt

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// Signature returns the msg_signature of a message under the current token: 40
// lower-case hexadecimal digits.
func (c *Cipher) Signature(timestamp, nonce, encrypt string) string {
	return string(sign(c.tokens[0], timestamp, nonce, encrypt))
}

// sign joins without separators and without roles, as WeChat does: the same
// signature is valid after timestamp and nonce have changed places, or after a
// piece of one input has moved to its neighbor. Whoever verifies has to limit
// the shape of the inputs.
func sign(parts ...string) []byte {
	slices.Sort(parts)
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	joined := make([]byte, 0, n)
	for _, p := range parts {
		joined = append(joined, p...)
	}
	sum := sha1.Sum(joined)
	return hex.AppendEncode(nil, sum[:])
}

// Verify reports whether signature is the msg_signature of the message under the
// current or the previous token. It takes the same time wherever they differ.
func (c *Cipher) Verify(timestamp, nonce, encrypt, signature string) bool {
	_, ok := c.verify(timestamp, nonce, encrypt, signature, nil)
	return ok
}

func (c *Cipher) verify(timestamp, nonce, encrypt, signature string, trace *Trace) (token string, ok bool) {
	for i, t := range c.tokens {
		ok := subtle.ConstantTimeCompare(sign(t, timestamp, nonce, encrypt), []byte(signature)) == 1
		trace.add(Step{Check: CheckSignature, Age: Current + Age(i), OK: ok})
		if ok {
			return t, true
		}
	}
	return "", false
}

// VerifyURL reports whether signature is the three-input signature, which the
// console sends when it checks an address. It covers no body and must never
// decide about a message.
func (c *Cipher) VerifyURL(timestamp, nonce, signature string) bool {
	ok := false
	for _, t := range c.tokens {
		if subtle.ConstantTimeCompare(sign(t, timestamp, nonce), []byte(signature)) == 1 {
			ok = true
		}
	}
	return ok
}
