package onboard

import "time"

// How long an attempt is open, and how patient its pages are.
const (
	DeskLife       = 30 * time.Minute   // an attempt begun at a desk
	InviteLife     = 7 * 24 * time.Hour // one turned into an invite
	answerPatience = 90 * time.Second   // after a hand-off without news the desk says so
)

// Attempt is the durable unit: one try of one merchant to authorize one
// account. Desk page, phone page, redirect and push all point at it.
type Attempt struct {
	ID         string // address of the desk page, 26 characters
	PhoneCode  string // address of the phone page, 8 characters of Crockford base32
	InviteCode string // address of the invite, 10 characters; empty until it is one
	Recipient  string // whom the invite is for, in the sender's words; may be empty
	AuthType   AuthType
	BizAppID   AppID          // the one account asked for; empty for any
	Wanted     []PermissionID // category_id_list; empty for all sets of the platform
	Language   string         // of the person who began it: "zh-CN" or "en"
	Session    string         // keyed hash of the browser session that began it
	// Invited is true when the operator, or the account's own page, began it: its
	// pages may then name the account that is asked for, see [Service.Known].
	Invited bool

	// The rest of what an operator says in an invite. Reference is the operator's
	// own name for the merchant, ReturnURL where the merchant goes on to in the end,
	// Batch what invites were made together with it; all may be empty.
	Reference string
	ReturnURL string
	InvitedBy string // name of the admin who made it; empty for a merchant's own
	Batch     string
	// Hold keeps the account that comes back from being served until the operator
	// has said that it is the right one.
	Hold       bool
	CanceledAt time.Time // the operator took the invite back

	CreatedAt   time.Time
	ExpiresAt   time.Time
	OpenedAt    time.Time // the phone page was first fetched by WeChat's browser
	HandedOffAt time.Time // the newest code was minted and the browser sent on
	CodeEndsAt  time.Time // when the code of the newest hand-off ends
	ArrivedAt   time.Time // a redirect or a push of this attempt was stored
	FinishedAt  time.Time
	Verdict     Verdict // set with FinishedAt
	AppID       AppID   // the account that came back; set with FinishedAt
	Missing     []PermissionID
	Added       []PermissionID // of an account that was known before
	Removed     []PermissionID
	Blocked     Key // why the last try to start or finish failed; empty when it did not
	BlockedAt   time.Time
	// RevokedAt is when the account that this attempt brought withdrew again.
	RevokedAt time.Time
	// Version grows with every change, so that a page can tell whether it missed one.
	Version int64
}

// Verdict is how an attempt ended.
type Verdict string

// The verdicts, each with a page of its own.
const (
	Undecided    Verdict = ""
	Connected    Verdict = "ok"
	Missing      Verdict = "missing"       // connected, but sets that were asked for are not granted
	WrongAccount Verdict = "wrong_account" // another account than the one asked for came back
	Already      Verdict = "already"       // known before and nothing changed
	Updated      Verdict = "updated"       // known before and the sets changed
)

// State is what a page of an attempt shows.
type State string

// The states in the order in which an attempt usually meets them.
const (
	Created    State = "created"
	Opened     State = "opened"
	HandedOff  State = "handed_off"
	NoAnswer   State = "no_answer"
	Exchanging State = "exchanging"
	Done       State = "done"
	ExpiredNow State = "expired"
	Blocked    State = "blocked"
	Withdrawn  State = "revoked"
)

// State derives what to show at now. Nothing about time is stored but facts, so
// a page is right even when nothing happened since.
func (a Attempt) State(now time.Time) State {
	switch {
	case !a.FinishedAt.IsZero() && !a.RevokedAt.IsZero():
		return Withdrawn
	case !a.FinishedAt.IsZero():
		return Done
	case !a.ArrivedAt.IsZero() && a.Blocked == "":
		return Exchanging
	case !a.CanceledAt.IsZero():
		return ExpiredNow
	case a.Blocked != "":
		return Blocked
	case !now.Before(a.ExpiresAt):
		return ExpiredNow
	case !a.HandedOffAt.IsZero() && (!now.Before(a.HandedOffAt.Add(answerPatience)) || !now.Before(a.CodeEndsAt)):
		return NoAnswer
	case !a.HandedOffAt.IsZero():
		return HandedOff
	case !a.OpenedAt.IsZero():
		return Opened
	}
	return Created
}

// Final reports whether nothing more will happen by itself.
func (s State) Final() bool { return s == Done || s == ExpiredNow || s == Withdrawn }

// PutsAside reports whether an account that the attempt brought had to wait for the
// operator's decision, unless it was served before.
func (a Attempt) PutsAside() bool {
	return a.Verdict == WrongAccount || a.Hold || !a.CanceledAt.IsZero()
}

// Invite reports whether the attempt was turned into an invite.
func (a Attempt) Invite() bool { return a.InviteCode != "" }

// NextChange returns when State will change by the clock alone, or the zero
// time when it will not. A live page wakes up then.
func (a Attempt) NextChange(now time.Time) time.Time {
	switch a.State(now) {
	case Created, Opened, NoAnswer:
		return a.ExpiresAt
	case HandedOff:
		t := a.HandedOffAt.Add(answerPatience)
		for _, other := range []time.Time{a.CodeEndsAt, a.ExpiresAt} {
			if other.Before(t) {
				t = other
			}
		}
		return t
	}
	return time.Time{}
}
