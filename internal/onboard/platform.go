package onboard

import (
	"context"
	"time"

	"usher/internal/secret"
)

// OpenPlatform is what the service asks of WeChat. Failures are
// [*UpstreamError]. None of its calls is repeated by the implementation.
type OpenPlatform interface {
	// StartPushTicket asks for ticket pushes to begin (api_start_push_ticket).
	StartPushTicket(ctx context.Context) error
	// PlatformToken exchanges a ticket (api_component_token) for a token and its life.
	PlatformToken(ctx context.Context, ticket secret.Secret) (secret.Secret, time.Duration, error)
	// PreAuthCode mints one code (api_create_preauthcode) and says how long it lives.
	PreAuthCode(ctx context.Context, platformToken secret.Secret) (secret.Secret, time.Duration, error)
	// Exchange spends an authorization code (api_query_auth).
	Exchange(ctx context.Context, platformToken, authCode secret.Secret) (Authorization, error)
	// Refresh gets a new access token (api_authorizer_token).
	Refresh(ctx context.Context, platformToken secret.Secret, appID AppID, refresh secret.Secret) (Tokens, error)
	// Profile reads an account (api_get_authorizer_info). The grants and the
	// refresh token come with it; the refresh token may be empty.
	Profile(ctx context.Context, platformToken secret.Secret, appID AppID) (Profile, Grants, secret.Secret, error)
	// Authorizers reads one page, at most 500 rows, of the accounts that WeChat
	// holds as authorized (api_get_authorizer_list), and the total.
	Authorizers(ctx context.Context, platformToken secret.Secret, offset, count int) ([]Authorizer, int, error)
	// Quota reads how many of the day's calls of the API at path are used (quota/get).
	Quota(ctx context.Context, platformToken secret.Secret, path string) (Usage, error)
	// ClearQuota begins the day's calls anew (clear_quota/v2).
	ClearQuota(ctx context.Context) error
	// Link builds the address of WeChat's authorization page.
	Link(LinkRequest) string
}

// Authorization is the answer to an exchange, or what was recovered in its place.
type Authorization struct {
	AppID  AppID
	Grants Grants
	Tokens Tokens    // without tokens when the account has no API permission
	At     time.Time // of the authorization, as WeChat's list tells it; zero in an answer
}

// Authorizer is one row of WeChat's list.
type Authorizer struct {
	AppID        AppID
	Refresh      secret.Secret // may be empty
	AuthorizedAt time.Time
}

// Ticket is a component_verify_ticket with the times that order it.
type Ticket struct {
	Value      secret.Secret
	CreatedAt  time.Time // WeChat's CreateTime
	ReceivedAt time.Time
}

// TicketLife is how long WeChat accepts a ticket.
const TicketLife = 12 * time.Hour

// PlatformToken is the stored component_access_token.
type PlatformToken struct {
	Value     secret.Secret
	FetchedAt time.Time
	ExpiresAt time.Time
	Fence     int64
}
