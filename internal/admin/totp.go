package admin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"usher/internal/secret"
)

// The parameters of RFC 6238 that every authenticator understands.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpBytes  = 20
)

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTP makes a key for an authenticator, as base32.
func newTOTP() secret.Secret {
	var b [totpBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return secret.New(totpText.EncodeToString(b[:]))
}

// TOTPLink is the address that an authenticator reads from a QR code (Key Uri
// Format of Google Authenticator). It holds the key: it must not be logged.
func TOTPLink(issuer, name string, key secret.Secret) string {
	label := url.PathEscape(issuer + ":" + name)
	return "otpauth://totp/" + label + "?secret=" + key.Reveal() + "&issuer=" + url.QueryEscape(issuer) + "&digits=6&period=30"
}

// totpCode is the code of one time step (RFC 4226 section 5.3).
func totpCode(key []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// totpMatch returns the time step whose code this is: the present one, or one of
// its neighbors for a clock that is not quite right.
func totpMatch(key secret.Secret, code string, now time.Time) (step int64, ok bool) {
	raw, err := totpText.DecodeString(key.Reveal())
	if err != nil || len(code) != totpDigits {
		return 0, false
	}
	present := now.Unix() / int64(totpStep/time.Second)
	for _, s := range []int64{present, present - 1, present + 1} {
		if subtle.ConstantTimeCompare([]byte(totpCode(raw, s)), []byte(code)) == 1 {
			return s, true
		}
	}
	return 0, false
}

// claimCode spends a code of the authenticator or one of the recovery codes.
func (s *Service) claimCode(ctx context.Context, a Admin, code string) (bool, error) {
	code = digits(code)
	if step, ok := totpMatch(a.TOTP, code, s.now()); ok {
		return s.store.ClaimTOTPStep(ctx, a.ID, step)
	}
	if len(code) != recoveryLen {
		return false, nil
	}
	return s.store.ClaimRecovery(ctx, a.ID, s.recoveryHash(a.ID, code))
}

// digits takes out what people put between the characters of a code.
func digits(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

const (
	recoveryCodes = 10
	recoveryLen   = 16 // base32 characters, 80 bits
)

func (s *Service) recoveryHash(adminID, code string) string {
	return s.hasher.Hash(purposeRecovery, adminID+"\x00"+code)
}

// newRecovery makes codes to write down and their hashes to keep.
func (s *Service) newRecovery(adminID string) (codes, hashes []string) {
	for range recoveryCodes {
		code := rand.Text()[:recoveryLen]
		codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
		hashes = append(hashes, s.recoveryHash(adminID, code))
	}
	return codes, hashes
}
