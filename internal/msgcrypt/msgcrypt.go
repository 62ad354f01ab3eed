// Package msgcrypt is WeChat's message cipher and signature, as the official
// page 消息加解密技术方案 describes them. It knows nothing of what a message says,
// of HTTP, or of clocks.
package msgcrypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
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

// Open decrypts a message with the current key, then with the previous one. It
// does not look at any signature: see [Cipher.OpenSigned]. The error is an
// [*Error].
func (c *Cipher) Open(encrypt string) ([]byte, error) {
	plain, _, err := c.open(encrypt, nil)
	return plain, err
}

func (c *Cipher) open(encrypt string, trace *Trace) ([]byte, *key, error) {
	sealed, err := decode(encrypt)
	trace.add(Step{Check: CheckBase64, OK: err == nil})
	if err != nil {
		return nil, nil, err
	}
	whole := len(sealed)%padBlock == 0 && len(sealed) >= minCipherLen
	trace.add(Step{Check: CheckLength, OK: whole, N: len(sealed)})
	if !whole {
		return nil, nil, &Error{CodeDecrypt, "bad length of the ciphertext"}
	}
	var first error
	for i := range c.keys {
		full := sealed
		if i < len(c.keys)-1 {
			full = bytes.Clone(sealed) // the next key needs it unharmed
		}
		plain, err := c.openWith(&c.keys[i], full, Current+Age(i), trace)
		if err == nil {
			if trace != nil {
				trace.Plain = plain
			}
			return plain, &c.keys[i], nil
		}
		if first == nil || err.Code == CodeAppID { // the right key, so the better reason
			first = err
		}
	}
	return nil, nil, first
}

func decode(encrypt string) ([]byte, error) {
	// The decoder of package base64 skips line breaks, even a strict one.
	if strings.IndexByte(encrypt, '\n') >= 0 || strings.IndexByte(encrypt, '\r') >= 0 {
		return nil, &Error{CodeDecode, "line break in the base64"}
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(encrypt)
	if err != nil {
		return nil, &Error{CodeDecode, "not base64"}
	}
	return sealed, nil
}

// openWith decrypts in place and returns the message's part of full.
func (c *Cipher) openWith(k *key, full []byte, age Age, trace *Trace) ([]byte, *Error) {
	cipher.NewCBCDecrypter(k.block, k.iv).CryptBlocks(full, full)
	pad := int(full[len(full)-1])
	padded := pad >= 1 && pad <= padBlock
	for i := len(full) - 1; padded && i >= len(full)-pad; i-- {
		padded = int(full[i]) == pad
	}
	trace.add(Step{Check: CheckPadding, Age: age, OK: padded, N: pad})
	if !padded {
		return nil, &Error{CodeDecrypt, "bad padding"}
	}
	full = full[:len(full)-pad]
	// full has at least minCipherLen-padBlock bytes, so the head is there.
	n := uint64(binary.BigEndian.Uint32(full[16:headLen]))
	fits := n <= uint64(len(full)-headLen)
	trace.add(Step{Check: CheckSize, Age: age, OK: fits, N: int(n)})
	if !fits {
		return nil, &Error{CodeBuffer, "the message is longer than its ciphertext"}
	}
	plain, appID := full[headLen:headLen+n:headLen+n], full[headLen+n:]
	ours := subtle.ConstantTimeCompare(appID, c.appID) == 1
	if trace != nil {
		trace.add(Step{Check: CheckAppID, Age: age, OK: ours, AppID: readableAppID(appID)})
	}
	if !ours {
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
