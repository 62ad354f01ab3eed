package onboard

import (
	"slices"
	"time"

	"usher/internal/secret"
)

// AccountKind is what an account is, decided by which part of the profile
// WeChat sends (MiniProgramInfo, channels_info, store_info, …), never by
// service_type_info, whose numbers mean different things for different kinds.
type AccountKind string

// The kinds that WeChat's api_get_authorizer_info tells apart.
const (
	UnknownKind     AccountKind = "" // the profile was not read yet
	OfficialAccount AccountKind = "official"
	MiniProgram     AccountKind = "mini"
	Channels        AccountKind = "channels"
	Shop            AccountKind = "shop"
	SalesAssistant  AccountKind = "sales"
	Supplier        AccountKind = "supplier"
)

// Standing is what we hold of an account.
type Standing string

// An account begins active or quarantined and is never deleted by a push.
const (
	Active      Standing = "active"
	Quarantined Standing = "quarantined" // authorized, but another account was asked for; not served
	NeedsRescan Standing = "rescan"      // refresh token proven dead; the merchant has to authorize again
	Revoked     Standing = "revoked"     // the merchant withdrew; tokens are not served
	Refused     Standing = "refused"     // authorized, but the operator says it is the wrong account; not served, not refreshed
)

// Account is a merchant's account that was authorized to the platform. It holds
// no token: see [Credentials].
type Account struct {
	AppID    AppID
	Standing Standing
	Profile  Profile
	// ProfileAt is when Profile was read; zero while only the AppID is known.
	ProfileAt time.Time
	// Picture is the hash of the head image as we keep it; empty while we have none.
	Picture string
	Grants  Grants
	Wanted  []PermissionID // what was asked for when it was last authorized
	// AuthorizedAt is the time of the newest authorization. It orders events.
	AuthorizedAt time.Time
	// LocalTime is true when AuthorizedAt is by our clock (a redirect), false
	// when it is WeChat's CreateTime (a push).
	LocalTime bool
	RevokedAt time.Time // zero unless Standing is Revoked
	// NoAPI is true when WeChat handed out no tokens, because the account has no
	// API permission. That is a state, not a failure.
	NoAPI bool
	// AccessExpiresAt is when the stored access token ends; zero without one.
	AccessExpiresAt time.Time
	RefreshedAt     time.Time // last successful refresh or exchange
	Failures        int       // refreshes that failed since then
	LastError       string    // class and errcode of the last failure, never a token
	// StoppedAt is when the operator stopped serving the account: its tokens are
	// neither served nor refreshed until that is taken back. Zero while it is served.
	StoppedAt time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Kind is what the account is: by its profile, or while that is not read by its
// grants, most of which only one kind can give.
func (a Account) Kind() AccountKind {
	if a.Profile.Kind == UnknownKind {
		return kindBy(a.Grants)
	}
	return a.Profile.Kind
}

// Missing lists the sets that were asked for when the account was last authorized,
// that it can grant and did not.
func (a Account) Missing() []PermissionID {
	kind := a.Kind()
	return slices.DeleteFunc(a.Grants.Without(a.Wanted), func(id PermissionID) bool {
		set, _ := LookupSet(id)
		return !set.GrantedBy(kind)
	})
}

// Healthy reports whether the account is served and its access token lives.
func (a Account) Healthy(now time.Time) bool {
	return a.Standing == Active && a.StoppedAt.IsZero() && !a.NoAPI && now.Before(a.AccessExpiresAt)
}

// Profile is what WeChat says of an account. Every text in it is remote and
// hostile until shown escaped.
type Profile struct {
	Kind         AccountKind
	Nickname     string
	HeadImageURL string
	OriginalID   string // gh_…, WeChat's user_name
	Alias        string
	Principal    string // 主体名称; 个人 for a person
	Signature    string
	QRCodeURL    string
	ServiceType  int // service_type_info.id, read together with Kind
	Verification int // verify_type_info.id; -1 not verified
	Status       int // account_status; 1 normal, 14 cancelled, 16 banned, 18 warned, 19 frozen; 0 not sent
	RegisterType int
	Categories   []Category
}

// Category is one business category of a Mini Program.
type Category struct{ First, Second string }

// Credentials are the tokens of one account.
type Credentials struct {
	AppID           AppID
	Access          secret.Secret
	AccessExpiresAt time.Time
	Refresh         secret.Secret
	Standing        Standing
	NoAPI           bool
	Stopped         bool // by the operator
}

// Tokens is one answer of WeChat that carries tokens. Empty members mean that
// WeChat sent none and never replace a stored one.
type Tokens struct {
	Access  secret.Secret
	Life    time.Duration // of Access, already limited to 60 s … 2 h
	Refresh secret.Secret
}
