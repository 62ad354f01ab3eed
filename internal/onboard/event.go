package onboard

import (
	"slices"
	"time"

	"usher/internal/secret"
)

// EventType is the InfoType of a push, or Redirect for a browser that came back.
type EventType string

// The types the service acts on. Every other type is stored and acknowledged.
const (
	TicketEvent       EventType = "component_verify_ticket"
	AuthorizedEvent   EventType = "authorized"
	UpdatedEvent      EventType = "updateauthorized"
	UnauthorizedEvent EventType = "unauthorized"
	RedirectEvent     EventType = "redirect"
)

// RegisteredEvent tells of a Mini Program that was registered by its owner's
// company; the spelling is WeChat's.
const RegisteredEvent EventType = "notify_third_fasteregister"

// ActedTypes lists the types that something is done about.
func ActedTypes() []EventType {
	return []EventType{TicketEvent, AuthorizedEvent, UpdatedEvent, UnauthorizedEvent, RedirectEvent, RegisteredEvent}
}

// ActedOn reports whether something is done about events of this type.
func (t EventType) ActedOn() bool { return slices.Contains(ActedTypes(), t) }

// Event is the content of a push after decryption, or of a redirect.
type Event struct {
	Type       EventType
	CreatedAt  time.Time // WeChat's CreateTime, to the second; our clock for a redirect
	AppID      AppID     // the account it is about; empty for a ticket and a redirect
	Ticket     secret.Secret
	AuthCode   secret.Secret
	CodeEndsAt time.Time
	PreAuth    secret.Secret // pre-authorization code of the link that was used; may be empty
}

// Push is a verified and decrypted push, ready to be stored.
type Push struct {
	Event Event
	// Digest is the SHA-256 of the inner XML in hexadecimal: the same push sent
	// again has the same digest, whatever its query says.
	Digest string
	// Payload is the inner XML. It holds tickets and codes.
	Payload secret.Secret
}
