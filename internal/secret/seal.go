package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnsealed is what [Ring.Open] returns for a text that no key of the ring
// opens at the place it was read from: another key, a changed byte, or a value
// that was moved from another row or column.
var ErrUnsealed = errors.New("the sealed value does not open: wrong key, damaged, or moved from another row")

const (
	sealVersion = "1."
	keyIDLen    = 8 // hexadecimal digits
	headerLen   = len(sealVersion) + keyIDLen + 1
	nonceLen    = 12
	tagLen      = 16
)

// sealText refuses padding and spare bits, so that every sealed value has
// exactly one spelling and no changed character goes unnoticed.
var sealText = base64.RawURLEncoding.Strict()

// Ring seals secrets for storage with AES-256-GCM. Its first key seals, all of
// its keys open, so that a key is replaced by putting the new one in front.
// With random nonces one key should seal no more than 2^32 values; replace it
// long before. A Ring is safe for concurrent use.
type Ring struct{ keys []ringKey }

type ringKey struct {
	id   string
	aead cipher.AEAD
}

// NewKey returns a fresh key in the form that [ParseRing] reads.
func NewKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return base64.StdEncoding.EncodeToString(key[:])
}

// ParseRing reads keys of 32 bytes in base64 (standard or URL alphabet, with or
// without padding), separated by commas. The error never shows a key.
func ParseRing(s string) (*Ring, error) {
	r := &Ring{}
	for i, field := range strings.Split(s, ",") {
		field = strings.TrimRight(strings.TrimSpace(field), "=")
		if field == "" {
			if strings.TrimSpace(s) == "" {
				return nil, errors.New("no secret key")
			}
			return nil, fmt.Errorf("secret key %d of the list is empty", i+1)
		}
		raw, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(field))
		if err != nil {
			return nil, fmt.Errorf("secret key %d of the list is not base64", i+1)
		}
		if len(raw) != 32 {
			return nil, fmt.Errorf("secret key %d of the list has %d bytes, not 32", i+1, len(raw))
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append([]byte("usher key id\x00"), raw...))
		id := hex.EncodeToString(sum[:keyIDLen/2])
		if slices.ContainsFunc(r.keys, func(k ringKey) bool { return k.id == id }) {
			return nil, fmt.Errorf("secret key %d of the list repeats an earlier one", i+1)
		}
		r.keys = append(r.keys, ringKey{id, aead})
	}
	return r, nil
}

// Seal encrypts s for one place of the database. What it returns opens only for
// the same table, column and row. table and column must not contain a NUL. The
// empty Secret seals to the empty string.
func (r *Ring) Seal(table, column, row string, s Secret) string {
	if s.Empty() {
		return ""
	}
	k, value := r.keys[0], s.Reveal()
	sealedLen := nonceLen + len(value) + tagLen
	ad := adLen(table, column, row)
	// One buffer holds everything but the result: plaintext and what is bound to
	// it, then nonce and ciphertext, then the text.
	buf := make([]byte, 0, ad+len(value)+sealedLen+headerLen+sealText.EncodedLen(sealedLen))
	buf = appendAD(buf, k.id, table, column, row)
	buf = append(buf, value...)
	plain := buf[ad:]
	sealed := buf[len(buf) : len(buf)+nonceLen : len(buf)+sealedLen]
	_, _ = rand.Read(sealed) // never fails
	sealed = k.aead.Seal(sealed, sealed, plain, buf[:ad])
	out := buf[len(buf)+sealedLen : len(buf)+sealedLen]
	out = append(out, sealVersion...)
	out = append(out, k.id...)
	out = append(out, '.')
	return string(sealText.AppendEncode(out, sealed))
}

// Open decrypts what Seal returned for the same place, or returns [ErrUnsealed].
func (r *Ring) Open(table, column, row, sealed string) (Secret, error) {
	if sealed == "" {
		return Secret{}, nil
	}
	if len(sealed) < headerLen || sealed[:len(sealVersion)] != sealVersion || sealed[headerLen-1] != '.' {
		return Secret{}, ErrUnsealed
	}
	id := sealed[len(sealVersion) : headerLen-1]
	for _, k := range r.keys {
		if k.id != id {
			continue
		}
		text := sealed[headerLen:]
		if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
			return Secret{}, ErrUnsealed
		}
		ad := adLen(table, column, row)
		buf := make([]byte, 0, ad+len(text)+sealText.DecodedLen(len(text)))
		buf = appendAD(buf, k.id, table, column, row)
		buf = append(buf, text...)
		raw, err := sealText.AppendDecode(buf[len(buf):], buf[ad:])
		if err != nil || len(raw) < nonceLen+tagLen {
			return Secret{}, ErrUnsealed
		}
		plain, err := k.aead.Open(raw[nonceLen:nonceLen], raw[:nonceLen], raw[nonceLen:], buf[:ad])
		if err != nil {
			return Secret{}, ErrUnsealed
		}
		return New(string(plain)), nil
	}
	return Secret{}, ErrUnsealed
}

// Current reports whether sealed was made with the first key of the ring. What
// was not should be sealed again before the old key is dropped.
func (r *Ring) Current(sealed string) bool {
	return strings.HasPrefix(sealed, r.Mark())
}

// Mark is how every value begins that the first key of the ring sealed.
func (r *Ring) Mark() string { return sealVersion + r.keys[0].id + "." }

// String keeps the keys out of logs.
func (r *Ring) String() string { return fmt.Sprintf("[%d secret keys]", len(r.keys)) }

// GoString keeps the keys out of %#v.
func (r *Ring) GoString() string { return r.String() }

const adLabel = "usher seal " + sealVersion

func adLen(table, column, row string) int {
	return len(adLabel) + keyIDLen + len(table) + len(column) + len(row) + 3
}

// appendAD writes what a ciphertext is bound to. The row comes last because it
// alone may contain any byte.
func appendAD(b []byte, keyID, table, column, row string) []byte {
	b = append(b, adLabel...)
	b = append(b, keyID...)
	b = append(b, 0)
	b = append(b, table...)
	b = append(b, 0)
	b = append(b, column...)
	b = append(b, 0)
	return append(b, row...)
}
