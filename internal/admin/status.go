package admin

import (
	"slices"
	"time"

	"usher/internal/onboard"
)

// Status is how an account is, in one word. The numbers are stored and order a
// list: what needs somebody comes first.
type Status int

// The statuses. Up to Incomplete somebody has to act.
const (
	AnyStatus   Status = 0
	Undecided   Status = 1 // somebody has to say whether it is the right account
	Dead        Status = 2 // WeChat refuses the refresh token; the merchant has to authorize again
	Failing     Status = 3 // refreshing failed several times; the present token may still live
	Suspended   Status = 4 // frozen, banned or closed by WeChat
	Incomplete  Status = 5 // sets that were asked for are not granted
	Unconfirmed Status = 6 // granted sets wait for the merchant's confirmation
	NoTokens    Status = 7 // without API permission
	Fine        Status = 8
	Stopped     Status = 9  // by the operator
	Refused     Status = 10 // by the operator, as the wrong account
	Withdrawn   Status = 11 // by the merchant
)

// NeverDone is no status of an account but of an AppID that invites asked for
// and that never was authorized. It is neither stored nor listed.
const NeverDone Status = -1

// lastActing is the last status in which somebody has to act.
const lastActing = Incomplete

// statusNames are how statuses are written in addresses.
var statusNames = [...]string{"", "undecided", "dead", "failing", "suspended", "missing", "unconfirmed", "no_api", "ok", "stopped", "refused", "revoked"}

// Statuses lists them in their order.
func Statuses() []Status {
	all := make([]Status, 0, len(statusNames)-1)
	for s := Undecided; int(s) < len(statusNames); s++ {
		all = append(all, s)
	}
	return all
}

// ParseStatus reads what String wrote; what is not a status is AnyStatus.
func ParseStatus(s string) Status { return Status(max(0, slices.Index(statusNames[:], s))) }

// String names the status in an address.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return ""
	}
	return statusNames[s]
}

// Acting reports whether somebody has to act.
func (s Status) Acting() bool { return s >= Undecided && s <= lastActing }

// failuresToSay is how many refreshes have to fail before a list says so: one or
// two mend themselves.
const failuresToSay = 3

// account_status of api_get_authorizer_info, as far as it takes calls away.
const (
	statusClosed = 14
	statusBanned = 16
	statusFrozen = 19
)

// StatusOf judges an account. It does not depend on the time.
func StatusOf(a onboard.Account) Status {
	switch a.Standing {
	case onboard.Revoked:
		return Withdrawn
	case onboard.Refused:
		return Refused
	}
	switch {
	case !a.StoppedAt.IsZero():
		return Stopped
	case a.Standing == onboard.Quarantined:
		return Undecided
	case a.Standing == onboard.NeedsRescan:
		return Dead
	case a.Profile.Status == statusClosed, a.Profile.Status == statusBanned, a.Profile.Status == statusFrozen:
		return Suspended
	case a.Failures >= failuresToSay:
		return Failing
	case len(a.Missing()) > 0:
		return Incomplete
	case a.NoAPI:
		return NoTokens
	case slices.ContainsFunc(a.Grants, waits):
		return Unconfirmed
	}
	return Fine
}

// waits reports whether a set takes effect only after a confirmation.
func waits(g onboard.Grant) bool { return g.Confirm != nil && g.Confirm.Need && !g.Confirm.Already }

// Since returns since when an account is in its status; zero when nobody noted it.
func Since(a onboard.Account, strip []Refresh) time.Time {
	switch StatusOf(a) {
	case Withdrawn:
		return a.RevokedAt
	case Stopped:
		return a.StoppedAt
	case Dead, Failing:
		since := a.RefreshedAt
		for i := len(strip) - 1; i >= 0 && !strip[i].OK(); i-- {
			since = strip[i].First
		}
		return since
	case Undecided, Incomplete, Unconfirmed, NoTokens:
		return a.AuthorizedAt
	case Suspended:
		return a.ProfileAt
	}
	return time.Time{}
}
