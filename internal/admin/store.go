package admin

import (
	"context"
	"time"

	"usher/internal/secret"
)

// Store is what the console asks of storage. One Store serves one platform.
// Every method is atomic and durable when it returns nil; a key that is not there
// is [onboard.ErrNoRow].
type Store interface {
	AdminStore
	SessionStore
	AuditStore
	SettingsStore
	RetentionStore
	AccountListStore
	AccountStore
	InviteStore
	OverviewStore
	EventStore
	ReconcileStore
	HealthStore
}

// AdminStore keeps the admins and the ways in.
type AdminStore interface {
	// Admins lists those not removed, by name.
	Admins(ctx context.Context) ([]Admin, error)
	// AdminByID and AdminByKey read one that is not removed; key is the NameKey.
	AdminByID(ctx context.Context, id string) (Admin, error)
	AdminByKey(ctx context.Context, key string) (Admin, error)
	// CreateAdmin inserts an admin, or returns ErrTaken.
	CreateAdmin(ctx context.Context, a Admin) error
	// SaveAdmin replaces an admin whose Version is unchanged and raises it, or
	// returns onboard.ErrFenced; ErrLastOwner when no owner would be left. An admin
	// with RemovedAt set loses sessions and enrollments in the same transaction.
	SaveAdmin(ctx context.Context, a Admin) error
	// SaveSignedIn records a sign-in without raising the version.
	SaveSignedIn(ctx context.Context, id string, now time.Time) error
	// ClaimTOTPStep records step as used when it is newer than the last one, and
	// reports whether this call was the one that did.
	ClaimTOTPStep(ctx context.Context, id string, step int64) (bool, error)
	// ClaimRecovery removes one recovery code's hash and reports whether it was there.
	ClaimRecovery(ctx context.Context, id, hash string) (bool, error)

	// SaveEnrollment inserts a token and drops unused ones for the same admin.
	SaveEnrollment(ctx context.Context, e Enrollment) error
	// Enrollment reads a token that can still be used at now.
	Enrollment(ctx context.Context, hash string, now time.Time) (Enrollment, error)
	// UseEnrollment spends a token in one transaction with what it is for: with an
	// AdminID, the password of that admin is set, the second factor dropped, and all
	// sessions end; without, a is inserted provided there is no admin at all. A token
	// that does not count any more is onboard.ErrNoRow. The admin as stored comes back.
	UseEnrollment(ctx context.Context, hash string, a Admin, now time.Time) (Admin, error)

	// ClaimTry counts one try to sign in against every key before the password is
	// looked at, so that many at once gain nothing. When one of the keys has to
	// wait, nothing is counted and until says for how long. wait tells the delay
	// that follows the n-th try without success; a key that was quiet for forget
	// begins at one again.
	ClaimTry(ctx context.Context, keys []string, now time.Time, forget time.Duration, wait func(n int) time.Duration) (until time.Time, err error)
	// SaveKnown records that somebody signed in from a network; Known reports whether
	// that was after since.
	SaveKnown(ctx context.Context, key string, now time.Time) error
	Known(ctx context.Context, key string, since time.Time) (bool, error)
	// ForgiveTry takes back one try of every key in lessen and all of those in clear.
	ForgiveTry(ctx context.Context, clear, lessen []string) error
}

// SessionStore keeps who is signed in.
type SessionStore interface {
	SaveSession(ctx context.Context, s Session) error
	// SessionByHash reads a session and its admin, whatever the time.
	SessionByHash(ctx context.Context, hash string) (Session, Admin, error)
	TouchSession(ctx context.Context, hash string, now time.Time) error
	// Sessions lists those of one admin, the last used first.
	Sessions(ctx context.Context, adminID string) ([]Session, error)
	// EndSession ends the session of adminID named id and reports whether there was one.
	EndSession(ctx context.Context, adminID, id string) (bool, error)
	// EndSessions ends all of an admin but the one named keep, and counts them.
	EndSessions(ctx context.Context, adminID, keep string) (int64, error)
	// PruneSessions drops what ended before now, tries that were last made before
	// tries and networks last seen before networks.
	PruneSessions(ctx context.Context, now, tries, networks time.Time) error
	// SaveFlash keeps a text for the next page; TakeFlash removes it.
	SaveFlash(ctx context.Context, hash, text string) error
	TakeFlash(ctx context.Context, hash string) (string, error)
}

// AuditStore keeps what was done.
type AuditStore interface {
	// AppendAudit adds a row at the end of the chain and returns it with Seq, Prev
	// and Hash. Rows are never changed.
	AppendAudit(ctx context.Context, e Entry) (Entry, error)
	// Audit lists rows, the newest first.
	Audit(ctx context.Context, f Filter) ([]Entry, error)
	// AuditAfter lists rows with a greater Seq, the oldest first.
	AuditAfter(ctx context.Context, seq int64, limit int) ([]Entry, error)
	// AuditHead is the newest row as it was noted outside of the chain; zero
	// members when there is none.
	AuditHead(ctx context.Context) (seq int64, hash string, err error)
	// AuditActions lists the different actions and actors of the audit.
	AuditActions(ctx context.Context) (actions, actors []string, err error)
}

// RetentionStore drops what is kept for a time only.
type RetentionStore interface {
	// PruneArrivals drops up to limit received events that were handled before
	// before and says how many. Those that wait or are parked stay.
	PruneArrivals(ctx context.Context, before time.Time, limit int) (int64, error)
}

// SettingsStore keeps what an owner changes.
type SettingsStore interface {
	// Settings reads them, or onboard.ErrNoRow before the first change.
	Settings(ctx context.Context) (Settings, error)
	// SaveSettings replaces settings whose Version is unchanged and raises it, or
	// returns onboard.ErrFenced.
	SaveSettings(ctx context.Context, s Settings) error
	// SaveLogo stores a picture under its hash; Logo reads it.
	SaveLogo(ctx context.Context, hash string, png []byte) error
	Logo(ctx context.Context, hash string) ([]byte, error)
	// PlatformSecrets reads the stored credentials of the platform.
	PlatformSecrets(ctx context.Context) (map[CredentialName]Credential, error)
	// SavePlatformSecret stores one; an empty value removes it.
	SavePlatformSecret(ctx context.Context, name CredentialName, value secret.Secret, by string, now time.Time) error
}
