package onboard

import "time"

// Rules are what an operator may change while the program runs.
type Rules struct {
	DeskLife   time.Duration // how long an attempt at a desk lives
	InviteLife time.Duration // how long an invite lives
	// Wanted are the permission sets to ask for when a wish names none, limited to
	// those that the chosen kind of account can grant. Empty asks for all.
	Wanted []PermissionID
	// CheckInvites holds what comes back from an invite of the operator for no account
	// in particular, see Attempt.Hold.
	CheckInvites bool
	// InviteOnly refuses attempts that nobody was invited to.
	InviteOnly bool
}

// DefaultRules are those of a Service that was not given any.
func DefaultRules() Rules { return Rules{DeskLife: DeskLife, InviteLife: InviteLife} }
