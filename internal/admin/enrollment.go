package admin

import "time"

// How long a one-time token may wait: one printed where only the operator of the
// machine looks, and one that an owner passes on.
const (
	SetupLife      = 15 * time.Minute
	EnrollmentLife = 24 * time.Hour
)

// Enrollment is a one-time token by which a person chooses a name and password.
type Enrollment struct {
	Hash string // keyed hash of the token
	// AdminID is whose password it sets. Empty makes the first owner, as long as
	// there is no admin.
	AdminID   string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}
