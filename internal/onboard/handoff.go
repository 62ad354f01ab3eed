package onboard

import "time"

// Channel is the way by which a browser is sent to WeChat.
type Channel string

// The channels of 授权流程技术说明.
const (
	PC     Channel = "pc"     // the desktop page with WeChat's own code
	H5     Channel = "h5"     // inside WeChat
	Plugin Channel = "plugin" // a Mini Program with WeChat's service-provider plug-in; no redirect
)

// Handoff is one pre-authorization code handed to one browser. The code itself
// is never stored, only its keyed hash, by which the push finds its attempt.
type Handoff struct {
	ID        string
	AttemptID string
	Channel   Channel
	CodeHash  string // keyed hash of the pre-authorization code
	StateHash string // keyed hash of the redirect's path segment; empty for a plug-in
	Session   string // keyed hash of the browser session that was handed off; may be empty
	MintedAt  time.Time
	ExpiresAt time.Time
}

// LinkRequest is what WeChat's page needs to know.
type LinkRequest struct {
	Channel     Channel
	PreAuthCode string
	RedirectURL string
	AuthType    AuthType
	BizAppID    AppID
	Wanted      []PermissionID
}
