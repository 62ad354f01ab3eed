package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Hasher makes keyed hashes by which a secret can be found again without being
// stored: whoever has only the database cannot test guesses against them. Use
// [NewHasher]; the zero Hasher has no key and panics.
type Hasher struct{ key *[32]byte } // a pointer, because fmt prints an array but not what a field points to

// NewHasher makes a Hasher from a 32-byte key. The same key must be used for as
// long as the hashes live.
func NewHasher(key [32]byte) Hasher { return Hasher{&key} }

// Hash returns the 64-digit keyed hash of value. purpose separates hashes of
// different kinds, so that a code never matches a session.
func (h Hasher) Hash(purpose, value string) string {
	mac := hmac.New(sha256.New, h.key[:])
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}
