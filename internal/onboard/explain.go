package onboard

import (
	"unicode/utf8"

	"usher/internal/secret"
)

// PushCheck names one of the checks that a push goes through.
type PushCheck string

// The checks, in their order.
const (
	CheckBody         PushCheck = "body"  // not too large
	CheckKeys         PushCheck = "keys"  // we have a token and a key at all
	CheckQuery        PushCheck = "query" // readable, and every parameter once
	CheckTimestamp    PushCheck = "timestamp"
	CheckNonce        PushCheck = "nonce"
	CheckEncryptType  PushCheck = "encrypt_type"
	CheckShape        PushCheck = "msg_signature" // 40 digits
	CheckEnvelope     PushCheck = "envelope"      // outer XML
	CheckOuterAppID   PushCheck = "outer_appid"
	CheckURLSignature PushCheck = "url_signature" // of the query alone
	CheckSignature    PushCheck = "signature"
	CheckBase64       PushCheck = "base64"
	CheckLength       PushCheck = "length"
	CheckPadding      PushCheck = "padding"
	CheckSize         PushCheck = "size"
	CheckSuffix       PushCheck = "suffix" // the AppID it was sealed for
	CheckContent      PushCheck = "content"
	CheckInnerAppID   PushCheck = "inner_appid"
	CheckWindow       PushCheck = "window"
)

// StepState is how one check of a push ended.
type StepState string

// The states. Beyond a refusal only what helps to understand it is looked at.
const (
	StepPassed  StepState = "passed"
	StepTried   StepState = "tried" // it did not fit, and the other token or key did
	StepRefused StepState = "refused"
)

// PushStep is one check of a push.
type PushStep struct {
	Check  PushCheck
	State  StepState
	Beyond bool   // it was refused before; this one decides nothing
	Age    string // current or previous, of the token or key; empty otherwise
	Found  string // what was there: a number, an AppID, a name; never a secret
}

// Explanation is what became of a push and why. It is made by the code that takes
// pushes, so the two cannot disagree.
type Explanation struct {
	Steps   []PushStep
	Refusal string // class of the reason; empty when it is accepted
	Type    EventType
	Fields  []Field // of the content, as far as it could be read
}

// Field is one element of what a push says.
type Field struct {
	Name   string
	Value  string        // empty when it is hidden
	Hidden secret.Secret // the value when people may not see it
}

// MaskedField is a Field as people may see it, and as it is kept.
type MaskedField struct {
	Name   string `json:"n"`
	Value  string `json:"v,omitempty"`
	Length int    `json:"l,omitempty"` // in characters, of a hidden value
	Print  string `json:"p,omitempty"` // keyed fingerprint of a hidden value
}

// What is kept of a push for people is bounded, in fields and in characters.
const (
	maskedFields = 24
	maskedName   = 64
	maskedValue  = 160
)

// Masked makes fields fit for people: of a hidden value only its length and a short
// keyed fingerprint remain, by which two places can be compared.
func (s *Service) Masked(fields []Field) []MaskedField {
	fields = fields[:min(len(fields), maskedFields)]
	masked := make([]MaskedField, len(fields))
	for i, f := range fields {
		m := MaskedField{Name: cut(f.Name, maskedName), Value: cut(f.Value, maskedValue)}
		if !f.Hidden.Empty() {
			text := f.Hidden.Reveal()
			m.Value, m.Length, m.Print = "", utf8.RuneCountInString(text), s.hasher.Hash(purposePrint, text)[:8]
		}
		masked[i] = m
	}
	return masked
}

// cut shortens a text to so many characters.
func cut(s string, limit int) string {
	if text := []rune(s); len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return s
}
