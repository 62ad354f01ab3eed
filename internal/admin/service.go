package admin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"sync/atomic"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Options is what a Service is made of.
type Options struct {
	Store  Store
	Hasher secret.Hasher // for tokens and session ids
	Log    *slog.Logger
	Now    func() time.Time // nil for time.Now
	// Defaults count until an owner changes the settings.
	Defaults Settings
	// Fixed are the credentials that the environment sets; they win over stored ones.
	Fixed map[CredentialName]secret.Secret
}

// Service is the console's steps. Its methods may be called at the same time from
// many goroutines.
type Service struct {
	store     Store
	hasher    secret.Hasher
	log       *slog.Logger
	now       func() time.Time
	defaults  Settings
	fixed     map[CredentialName]secret.Secret
	passwords *passwords
	settings  atomic.Pointer[Settings]
	secrets   atomic.Pointer[map[CredentialName]Credential]
	logo      atomic.Pointer[logo]
	chain     atomic.Pointer[Chain]
	counts    atomic.Pointer[counted]
	pulse     pulse
	ticket    atomic.Pointer[ticketSeen]
}

// NewService makes a Service. Reload should be called before its settings are used.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: o.Store, hasher: o.Hasher, log: o.Log, now: o.Now, defaults: o.Defaults.complete(), fixed: o.Fixed, passwords: newPasswords()}
}

// Now is the service's clock.
func (s *Service) Now() time.Time { return s.now() }

// Hash purposes keep the hashes of different secrets apart.
const (
	purposeSession     = "admin session"
	purposeEnroll      = "admin enrollment"
	purposeTry         = "admin try"
	purposeRecovery    = "admin recovery"
	purposeFingerprint = "credential fingerprint"
	purposeAddress     = "public address"
)

// newToken makes 256 random bits as text.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID makes an identifier that nobody can guess.
func newID() string { return rand.Text() }

// Admins lists those who may sign in, by name.
func (s *Service) Admins(ctx context.Context) ([]Admin, error) { return s.store.Admins(ctx) }

// Admin reads one; an id that is not there is NotFound.
func (s *Service) Admin(ctx context.Context, id string) (Admin, error) {
	a, err := s.store.AdminByID(ctx, id)
	return a, found(err)
}

// found turns a missing row into what a reader can understand.
func found(err error) error {
	if isNoRow(err) {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "%w", err)
	}
	return err
}

// Prune drops sessions and tokens that ended and tries that are forgotten.
func (s *Service) Prune(ctx context.Context) error {
	now := s.now()
	return s.store.PruneSessions(ctx, now, now.Add(-tryMemory), now.Add(-networkMemory))
}
