package simulator

import (
	"crypto/rand"
	"math/bits"
	"time"
)

const (
	hexDigits   = "0123456789abcdef"
	digits      = "0123456789"
	tokenLetter = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

	accessTokenLife = 7200 * time.Second // of platform and authorizer tokens alike
	ticketLife      = 12 * time.Hour
)

// randomText returns n letters of alphabet, which has at most 64. Values need not
// be reproducible, only fault decisions are.
func randomText(n int, alphabet string) string {
	out := make([]byte, 0, n)
	mask := byte(1)<<bits.Len(uint(len(alphabet)-1)) - 1
	for len(out) < n {
		chunk := make([]byte, n)
		_, _ = rand.Read(chunk) // never fails
		for _, b := range chunk {
			if k := int(b & mask); k < len(alphabet) && len(out) < n {
				out = append(out, alphabet[k])
			}
		}
	}
	return string(out)
}

// The prefixes and lengths are those of captured traffic.
func newTicket() string       { return "ticket@@@" + randomText(86, tokenLetter) }
func newPreAuthCode() string  { return "preauthcode@@@" + randomText(86, tokenLetter) }
func newAuthCode() string     { return "queryauthcode@@@" + randomText(86, tokenLetter) }
func newRefreshToken() string { return "refreshtoken@@@" + randomText(43, tokenLetter) }
func newAccessToken() string  { return "87_" + randomText(133, tokenLetter) }

// A ticket is a component_verify_ticket that was issued.
type ticket struct {
	value string
	at    time.Time
}

// A liveToken is a platform token or an authorizer's access token.
type liveToken struct {
	appID   string // whose it is
	expires time.Time
	dies    time.Time // when it stops working because it was replaced; zero = never
}

// check returns nil while the token works, and WeChat's error when it does not.
func (t *liveToken) check(now time.Time) *apiError {
	if !t.dies.IsZero() && !now.Before(t.dies) {
		return failure(40001)
	}
	if !now.Before(t.expires) {
		return failure(42001)
	}
	return nil
}

// replace lets the token work until at the latest when.
func (t *liveToken) replace(when time.Time) {
	if t.dies.IsZero() || when.Before(t.dies) {
		t.dies = when
	}
}

// A preAuthCode is what api_create_preauthcode handed out.
type preAuthCode struct {
	expires time.Time
	used    bool
}

// An authCode can be exchanged for the tokens of the grant it stands for.
type authCode struct {
	grant   *grant
	expires time.Time
	used    bool
}
