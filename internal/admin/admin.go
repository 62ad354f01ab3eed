package admin

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Admin is a person who may sign in to the console.
type Admin struct {
	ID   string
	Name string // as it was written; also the name to sign in with
	Role Role
	// Password is the PHC string of the hash; empty until the person has chosen one.
	Password string
	// TOTP is the key of the second factor, as RFC 4648 base32; empty when there
	// is none. NextTOTP is one that was offered and not confirmed yet. TOTPStep is the last time step that was accepted, so that a code
	// works once. Recovery holds hashes of the codes that replace it.
	TOTP     secret.Secret
	NextTOTP secret.Secret
	TOTPStep int64
	Recovery []string

	CreatedAt  time.Time
	SignedInAt time.Time // the last time; zero for never
	RemovedAt  time.Time // zero while the admin exists
	Version    int64     // raised by every change
}

// Enrolled reports whether the person has chosen a password.
func (a Admin) Enrolled() bool { return a.Password != "" }

// Errors by which a Store refuses a change of admins.
var (
	// ErrTaken means that another admin has the name.
	ErrTaken = errors.New("the name is taken")
	// ErrLastOwner means that nobody would be left who may manage admins.
	ErrLastOwner = errors.New("the last owner cannot go")
)

// nameLimit is the longest name, in characters.
const nameLimit = 40

// ParseName reads the name of an admin: 1 to 40 printable characters in Unicode's
// normal form C, without spaces at the ends.
func ParseName(s string) (string, error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	if n := utf8.RuneCountInString(s); n == 0 || n > nameLimit || !utf8.ValidString(s) {
		return "", onboard.Errorf(onboard.Invalid, KeyName, "a name of %d characters", n)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || unicode.In(r, unicode.Cf) {
			return "", onboard.Errorf(onboard.Invalid, KeyName, "the name has character %U", r)
		}
	}
	return s, nil
}

// NameKey is the form of a name by which it is unique and found: width, case and
// composition do not tell two admins apart.
func NameKey(name string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(name)))
}

// Sentences for what a person can correct, as keys of the catalogs.
const (
	KeyRole        onboard.Key = "admin.error.role"
	KeyName        onboard.Key = "admin.error.name"
	KeyTaken       onboard.Key = "admin.error.taken"
	KeyLastOwner   onboard.Key = "admin.error.last_owner"
	KeyPassword    onboard.Key = "admin.error.password"
	KeyBreached    onboard.Key = "admin.error.breached"
	KeyRepeat      onboard.Key = "admin.error.repeat"
	KeySignIn      onboard.Key = "admin.error.sign_in"
	KeySlowDown    onboard.Key = "admin.error.slow_down"
	KeyCode        onboard.Key = "admin.error.code"
	KeyToken       onboard.Key = "admin.error.token"
	KeyChanged     onboard.Key = "admin.error.changed"
	KeyStale       onboard.Key = "admin.error.stale"
	KeyOldPassword onboard.Key = "admin.error.old_password"
	KeyNotYourself onboard.Key = "admin.error.not_yourself"
)
