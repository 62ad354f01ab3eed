package admin

import (
	"time"

	"usher/internal/onboard"
)

// Settings is what an owner changes while the program runs.
type Settings struct {
	Brand   string // name shown to merchants
	Contact string // how merchants reach the operator; may be empty
	Logo    string // hash of the logo's picture; empty for none
	// InviteOnly closes the public form: only an invite begins an attempt.
	InviteOnly bool
	DeskLife   time.Duration // of an attempt at a desk
	InviteLife time.Duration
	// Wanted are the permission sets to ask for when nobody names any; empty asks for all.
	Wanted   []onboard.PermissionID
	Language string // of a reader whose browser asks for none of ours
	// EventDays is for how many days received events are kept.
	EventDays int
	// TrustInvites serves the account that comes back from an invite for no account in
	// particular at once; otherwise somebody first says that it is the right one.
	TrustInvites bool
	// ReturnHosts are the https hosts that an invite may lead back to.
	ReturnHosts []string

	Version   int64 // raised by every change; 0 until the first
	UpdatedAt time.Time
	UpdatedBy string // name of the admin
}

// complete fills in what is not set.
func (s Settings) complete() Settings {
	if s.Brand == "" {
		s.Brand = "Usher"
	}
	if s.DeskLife == 0 {
		s.DeskLife = onboard.DeskLife
	}
	if s.InviteLife == 0 {
		s.InviteLife = onboard.InviteLife
	}
	if s.Language == "" {
		s.Language = "zh-CN"
	}
	if s.EventDays == 0 {
		s.EventDays = 90
	}
	return s
}
