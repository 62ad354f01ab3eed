package admin

import "usher/internal/onboard"

// Role is what an admin is trusted with.
type Role string

// The roles, each including what the one before it may do.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Owner    Role = "owner"
)

// Roles lists the roles, the least first.
func Roles() []Role { return []Role{Viewer, Operator, Owner} }

// ParseRole reads a form value.
func ParseRole(s string) (Role, error) {
	if Role(s).rank() == 0 {
		return "", onboard.Errorf(onboard.Invalid, KeyRole, "%q is not a role", s)
	}
	return Role(s), nil
}

// rank orders the roles; 0 is not a role.
func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Owner:
		return 3
	}
	return 0
}

// Permission is what a route of the console demands.
type Permission string

// The permissions. Every route names one of them.
const (
	Anyone         Permission = "anyone"          // signed out too: the way in
	Self           Permission = "self"            // every admin about themselves: password, sessions, sign out
	View           Permission = "view"            // see accounts, invites, events, health
	Work           Permission = "work"            // invite, note, tag, refresh, stop serving, handle again
	ReadAudit      Permission = "read_audit"      // see and export who did what
	ManagePlatform Permission = "manage_platform" // credentials, quotas, reconcile
	ManageSettings Permission = "manage_settings" // brand, validity, retention
	ManageAdmins   Permission = "manage_admins"   // create, change and remove admins
)

// least is the least role that has a permission; one that is not here is nobody's.
var least = map[Permission]Role{
	Self: Viewer, View: Viewer,
	Work: Operator, ReadAudit: Operator,
	ManagePlatform: Owner, ManageSettings: Owner, ManageAdmins: Owner,
}

// Valid reports whether p is one of the permissions.
func (p Permission) Valid() bool { return p == Anyone || least[p] != "" }

// May reports whether the role has a permission. Whoever has no role may only
// what anyone may.
func (r Role) May(p Permission) bool {
	if p == Anyone {
		return true
	}
	needs, known := least[p]
	return known && r.rank() >= needs.rank()
}
