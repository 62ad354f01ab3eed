package onboard

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// crockford leaves out the letters that people mistake for others.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode returns n random characters of Crockford base32, five bits each.
func newCode(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b)
}

// foldCode undoes what people do to a code when they type it.
func foldCode(s string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "").Replace(strings.ToUpper(s))
}

// newID returns 130 random bits in 26 lower-case characters.
func newID() string { return strings.ToLower(rand.Text()) }

// newToken returns 256 random bits in 43 characters that need no escaping.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}
