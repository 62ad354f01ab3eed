// Package msgcrypt is WeChat's message cipher and signature, as the official
// page 消息加解密技术方案 describes them. It knows nothing of what a message says,
// of HTTP, or of clocks.
package msgcrypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

const (
	// padBlock is the block of the padding. It is twice the block of AES, and a
	// check against the latter refuses about half of all messages.
	padBlock = 32
	// headLen is what stands before the message: 16 random bytes and its length.
	headLen = 16 + 4
	// minCipherLen is the shortest ciphertext that holds the head and an AppID.
	minCipherLen = 64
)

// Keys are the values of the console's 开发资料: 消息校验Token and 消息加解密Key.
// Both can be changed there while messages are on their way, so the values in
// use before may be given too; empty means that there were none.
type Keys struct {
	AppID          string // ours, also for messages about a merchant's account
	Token          string
	AESKey         string // 43 characters
	PreviousToken  string
	PreviousAESKey string
}

// Format keeps every verb of package fmt from showing the keys.
func (k Keys) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[keys of %s]", k.AppID) }

// Cipher opens and seals messages. It is safe for concurrent use.
type Cipher struct {
	appID  []byte
	tokens []string // the current one first
	keys   []key    // the current one first
}

// key is one AES key, expanded once.
type key struct {
	block cipher.Block
	iv    []byte
}

// New checks the keys and prepares them. The error is [ErrKey] by errors.Is and
// names the value that is wrong without showing it.
func New(k Keys) (*Cipher, error) {
	if k.AppID == "" {
		return nil, &Error{CodeKey, "the AppID is empty"}
	}
	if k.Token == "" {
		// Everybody could sign with an empty token.
		return nil, &Error{CodeKey, "the token is empty"}
	}
	c := &Cipher{appID: []byte(k.AppID), tokens: []string{k.Token}}
	if k.PreviousToken != "" {
		c.tokens = append(c.tokens, k.PreviousToken)
	}
	current, err := newKey(k.AESKey)
	if err != nil {
		return nil, err
	}
	c.keys = []key{current}
	if k.PreviousAESKey != "" {
		previous, err := newKey(k.PreviousAESKey)
		if err != nil {
			return nil, fmt.Errorf("the previous key: %w", err)
		}
		c.keys = append(c.keys, previous)
	}
	return c, nil
}

func newKey(encoded string) (key, error) {
	if len(encoded) != 43 || strings.ContainsAny(encoded, "\r\n") {
		return key{}, &Error{CodeKey, "the EncodingAESKey does not have 43 characters"}
	}
	// Not Strict: 43 characters hold two bits more than 32 bytes, and the ones
	// WeChat hands out do not have them zero.
	raw, err := base64.StdEncoding.DecodeString(encoded + "=")
	if err != nil {
		return key{}, &Error{CodeKey, "the EncodingAESKey is not base64"}
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, &Error{CodeKey, "the EncodingAESKey does not have 32 bytes"}
	}
	return key{block: block, iv: raw[:aes.BlockSize]}, nil
}

// Format keeps every verb of package fmt from showing the keys.
func (c *Cipher) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[cipher of %s]", c.appID) }

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
	_, ok := c.verify(timestamp, nonce, encrypt, signature)
	return ok
}

func (c *Cipher) verify(timestamp, nonce, encrypt, signature string) (token string, ok bool) {
	for _, t := range c.tokens {
		if subtle.ConstantTimeCompare(sign(t, timestamp, nonce, encrypt), []byte(signature)) == 1 {
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

// Open decrypts a message with the current key, then with the previous one. It
// does not look at any signature: see [Cipher.OpenSigned]. The error is an
// [*Error].
func (c *Cipher) Open(encrypt string) ([]byte, error) {
	plain, _, err := c.open(encrypt)
	return plain, err
}

func (c *Cipher) open(encrypt string) ([]byte, *key, error) {
	// The decoder of package base64 skips line breaks, even a strict one.
	if strings.IndexByte(encrypt, '\n') >= 0 || strings.IndexByte(encrypt, '\r') >= 0 {
		return nil, nil, &Error{CodeDecode, "line break in the base64"}
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(encrypt)
	if err != nil {
		return nil, nil, &Error{CodeDecode, "not base64"}
	}
	if len(sealed)%padBlock != 0 || len(sealed) < minCipherLen {
		return nil, nil, &Error{CodeDecrypt, "bad length of the ciphertext"}
	}
	var first error
	for i := range c.keys {
		full := sealed
		if i < len(c.keys)-1 {
			full = bytes.Clone(sealed) // the next key needs it unharmed
		}
		plain, err := c.openWith(&c.keys[i], full)
		if err == nil {
			return plain, &c.keys[i], nil
		}
		if first == nil || err.Code == CodeAppID { // the right key, so the better reason
			first = err
		}
	}
	return nil, nil, first
}

// openWith decrypts in place and returns the message's part of full.
func (c *Cipher) openWith(k *key, full []byte) ([]byte, *Error) {
	cipher.NewCBCDecrypter(k.block, k.iv).CryptBlocks(full, full)
	pad := int(full[len(full)-1])
	if pad < 1 || pad > padBlock {
		return nil, &Error{CodeDecrypt, "bad padding"}
	}
	for _, b := range full[len(full)-pad:] {
		if int(b) != pad {
			return nil, &Error{CodeDecrypt, "bad padding"}
		}
	}
	full = full[:len(full)-pad]
	// full has at least minCipherLen-padBlock bytes, so the head is there.
	n := uint64(binary.BigEndian.Uint32(full[16:headLen]))
	if n > uint64(len(full)-headLen) {
		return nil, &Error{CodeBuffer, "the message is longer than its ciphertext"}
	}
	plain, appID := full[headLen:headLen+n:headLen+n], full[headLen+n:]
	if subtle.ConstantTimeCompare(appID, c.appID) != 1 {
		return nil, &Error{CodeAppID, "sealed for another AppID"}
	}
	return plain, nil
}

// Seal encrypts a message with the current key, under 16 fresh random bytes.
func (c *Cipher) Seal(plain []byte) string {
	return c.seal(&c.keys[0], rand.Text()[:16], plain)
}

// seal is Seal with the key and the 16 random bytes given.
func (c *Cipher) seal(k *key, random string, plain []byte) string {
	n := headLen + len(plain) + len(c.appID)
	pad := padBlock - n%padBlock // 1 to 32: an aligned message gets a whole block
	full := make([]byte, 0, n+pad)
	full = append(full, random...)
	full = binary.BigEndian.AppendUint32(full, uint32(len(plain)))
	full = append(full, plain...)
	full = append(full, c.appID...)
	full = append(full, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(k.block, k.iv).CryptBlocks(full, full)
	return base64.StdEncoding.EncodeToString(full)
}
