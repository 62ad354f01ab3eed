package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"usher/internal/onboard"
)

// The cost of a password, as OWASP's Password Storage Cheat Sheet advises for
// argon2id. It is pinned: the library's own defaults depend on the machine.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// How long a password may be, in characters.
const (
	PasswordMin = 12
	PasswordMax = 128
)

// breached are passwords that everybody tries first. Shorter ones than
// PasswordMin need not be listed.
//
//go:embed breached.txt
var breached string

// ParsePassword normalizes a new password and refuses one that is too short, too
// long, widely known, or made of the name. What it is composed of does not matter.
func ParsePassword(password, name string) (string, error) {
	password = norm.NFC.String(password)
	if n := utf8.RuneCountInString(password); n < PasswordMin || n > PasswordMax || !utf8.ValidString(password) {
		return "", onboard.Errorf(onboard.Invalid, KeyPassword, "a password of %d characters", n)
	}
	low := strings.ToLower(password)
	for known := range strings.Lines(breached) {
		if strings.TrimSpace(known) == low {
			return "", onboard.Errorf(onboard.Invalid, KeyBreached, "a widely known password")
		}
	}
	rest := low
	if key := NameKey(name); len(key) > 2 {
		rest = strings.ReplaceAll(rest, key, "")
	}
	if distinct(rest) < 5 {
		return "", onboard.Errorf(onboard.Invalid, KeyBreached, "a password of few different characters beside the name")
	}
	return password, nil
}

// distinct counts the different characters of s.
func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// passwords makes and checks hashes, no more at a time than there are processors:
// each takes 19 MiB.
type passwords struct {
	turns chan struct{}
	dummy string       // of nobody: what an unknown name is checked against
	runs  atomic.Int64 // hashes computed
}

func newPasswords() *passwords {
	p := &passwords{turns: make(chan struct{}, runtime.NumCPU())}
	var salt, key [argonKey]byte
	_, _ = rand.Read(salt[:]) // never fails
	_, _ = rand.Read(key[:])
	p.dummy = phc(salt[:argonSalt], key[:])
	return p
}

// hash computes the PHC string of a password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key, err := p.derive(ctx, password, salt, cost{argonMemory, argonTime, argonThreads}, argonKey)
	if err != nil {
		return "", err
	}
	return phc(salt, key), nil
}

// verify reports whether password has the hash. An empty hash, of an unknown name
// or of somebody who has no password yet, costs the same and is never right.
func (p *passwords) verify(ctx context.Context, hash, password string) (bool, error) {
	nobody := hash == ""
	if nobody {
		hash = p.dummy
	}
	c, salt, key, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	if utf8.RuneCountInString(password) > PasswordMax {
		password = "" // cannot be right, and costs the same
	}
	got, err := p.derive(ctx, norm.NFC.String(password), salt, c, len(key))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, key) == 1 && !nobody, nil
}

// outdated reports whether a hash was made at a lower cost than today's.
func outdated(hash string) bool {
	c, _, _, err := parsePHC(hash)
	return err != nil || c != cost{argonMemory, argonTime, argonThreads}
}

type cost struct {
	memory, time uint32
	threads      uint8
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte, c cost, size int) ([]byte, error) {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.runs.Add(1)
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, uint32(size)), nil
}

// phc writes a hash as the PHC string format has it.
func phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("a stored password hash is not one of argon2id")

// parsePHC reads what phc wrote, at whatever cost.
func parsePHC(s string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil || n != 3 {
		return c, nil, nil, errHash
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) == 0 || c.time == 0 || c.threads == 0 || c.memory > 1<<20 {
		return c, nil, nil, errHash
	}
	return c, salt, key, nil
}
