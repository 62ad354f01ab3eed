package admin

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// HashesComputed counts the password hashes that s computed.
func (s *Service) HashesComputed() int64 { return s.passwords.runs.Load() }

// Cost is what a password costs: memory in KiB, passes, threads.
func Cost() (memory, time uint32, threads uint8) { return argonMemory, argonTime, argonThreads }

// TOTPCode is the code of key at a time step.
func TOTPCode(key []byte, step int64) string { return totpCode(key, step) }

// DrawLogo is what SaveLogo does to a picture.
var DrawLogo = drawLogo

// HashAt is the hash of a password at another cost.
func HashAt(password string, memory, time uint32, threads uint8) string {
	salt := []byte("0000000000000000")
	key := argon2.IDKey([]byte(password), salt, time, memory, threads, argonKey)
	return strings.Replace(phc(salt, key), fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonTime, argonThreads), fmt.Sprintf("m=%d,t=%d,p=%d", memory, time, threads), 1)
}
