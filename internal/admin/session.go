package admin

import "time"

// How long a person stays signed in: IdleLife after the last request, and
// SessionLife after signing in whatever happens.
const (
	IdleLife    = 30 * time.Minute
	SessionLife = 12 * time.Hour
	// codeLife is how long the second factor may take after the password.
	codeLife = 5 * time.Minute
	// touchEvery is how exactly the last request is recorded.
	touchEvery = time.Minute
)

// Session is one browser that is signed in. The browser holds an opaque random
// id, of which only a keyed hash is stored.
type Session struct {
	ID      string // names the session in lists; opens nothing
	Hash    string // keyed hash of what the browser holds
	AdminID string
	// Pending means that the password was right and the second factor is missing.
	Pending   bool
	CreatedAt time.Time
	SeenAt    time.Time
	EndsAt    time.Time
	Address   string
	Browser   string // User-Agent, cut
	// Flash is what the next page has to say once; empty for nothing.
	Flash string
}

// Live reports whether the session counts at now.
func (s Session) Live(now time.Time) bool {
	return now.Before(s.EndsAt) && now.Before(s.SeenAt.Add(IdleLife))
}
