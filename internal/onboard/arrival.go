package onboard

import (
	"time"

	"usher/internal/secret"
)

// Arrival is a push or a redirect as it was stored, before anything was done
// about it. Redirect and push are two witnesses of one authorization.
type Arrival struct {
	ID         int64
	Digest     string // unique: the second copy of a push changes nothing
	Type       EventType
	AppID      AppID
	CodeHash   string // keyed hash of the authorization code; empty without one
	HandoffID  string // the hand-off that state or PreAuthCode named; empty when unknown
	AttemptID  string // the attempt of that hand-off; empty when unknown
	CreatedAt  time.Time
	ReceivedAt time.Time
	Payload    secret.Secret // inner XML of a push, authorization code of a redirect
	Masked     []MaskedField // what people may read of it; written and never read here
	Tries      int           // how often handling was begun
	Fence      int64         // of the present claim
}

// Outcome is how the handling of an arrival ended.
type Outcome string

// The outcomes. A parked arrival failed too often and waits for a person.
const (
	Handled  Outcome = "handled"
	Ignored  Outcome = "ignored"  // nothing to do: unknown type, older than what we hold
	Attached Outcome = "attached" // the other witness already did the exchange
	Parked   Outcome = "parked"
)
