package web

import (
	"context"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Service is what the pages ask of the domain; [onboard.Service] is the one
// there is. Failures that a person can do something about are [onboard.Error].
// session is the opaque id of the browser, "" when it has none.
type Service interface {
	accountService
	PlatformService
	// Begin stores a new attempt.
	Begin(ctx context.Context, w onboard.Wish) (onboard.Attempt, error)
	// Again begins another attempt like the one with this id.
	Again(ctx context.Context, id, language, session string) (onboard.Attempt, error)
	// Attempt, PhoneAttempt and InviteAttempt read one by the address it has at
	// the desk, on the phone and in an invite.
	Attempt(ctx context.Context, id string) (onboard.Attempt, error)
	PhoneAttempt(ctx context.Context, code string) (onboard.Attempt, error)
	InviteAttempt(ctx context.Context, code string) (onboard.Attempt, error)
	// RecentAttempts lists what a browser began, newest first.
	RecentAttempts(ctx context.Context, session string) ([]onboard.Attempt, error)
	// TookPart reports whether a browser began the attempt or was handed off in it.
	TookPart(ctx context.Context, a onboard.Attempt, session string) bool
	// Known reads the account that an attempt asks for, nil when its pages may not
	// name it.
	Known(ctx context.Context, a onboard.Attempt) (*onboard.Account, error)
	// Opened records that WeChat's browser fetched the phone page.
	Opened(ctx context.Context, id string) error
	// Invite turns an attempt into one that lives for days.
	Invite(ctx context.Context, id, recipient string) (onboard.Attempt, error)

	// CreateInvite makes an invite. Resend gives it more time, or makes another one of
	// the same wish where it is over; CancelInvite takes it back.
	CreateInvite(ctx context.Context, v onboard.Invitation) (onboard.Attempt, error)
	Resend(ctx context.Context, id, by string, life time.Duration) (onboard.Attempt, error)
	CancelInvite(ctx context.Context, id string) (changed bool, err error)
	// Ungrantable lists the sets that no account of a type, or a known account,
	// can grant.
	Ungrantable(ctx context.Context, t onboard.AuthType, appID onboard.AppID, ids []onboard.PermissionID) ([]onboard.PermissionID, error)
	// Decide says whether an account that was put aside is the right one.
	Decide(ctx context.Context, appID onboard.AppID, accept bool) (changed bool, err error)

	// HandOff mints a code and returns the address at WeChat to send the browser to.
	HandOff(ctx context.Context, id string, ch onboard.Channel, session string) (link string, err error)
	// PluginHandOff mints a code for a Mini Program with WeChat's plug-in.
	PluginHandOff(ctx context.Context, id string) (onboard.PluginLink, error)
	// PlatformAppID is the AppID of the third-party platform.
	PlatformAppID() onboard.AppID
	// Redirected stores what a browser brought back from WeChat.
	Redirected(ctx context.Context, state string, code secret.Secret) (attemptID string, err error)
	// ReceivePush stores a verified push; it is durable when the error is nil.
	ReceivePush(ctx context.Context, p onboard.Push) error
	// HandleAgain has a received event handled again, and waits some seconds for the
	// end; ok is false when there is nothing to do.
	HandleAgain(ctx context.Context, id int64) (ok bool, err error)
	// HandleAllAgain has all events handled again that failed, and counts them.
	HandleAllAgain(ctx context.Context) (int64, error)
	// Masked makes the content of a push fit for people.
	Masked(fields []onboard.Field) []onboard.MaskedField
	// Check asks WeChat whether the attempt came to an end unnoticed.
	Check(ctx context.Context, id string) (found bool, err error)
	// Result reads how an attempt ended.
	Result(ctx context.Context, id string) (onboard.Result, error)

	// DashboardLink returns the token of the account's own page.
	DashboardLink(ctx context.Context, appID onboard.AppID) (token secret.Secret, err error)
	// Dashboard reads the account of a token.
	Dashboard(ctx context.Context, token string) (onboard.Dashboard, error)
	// RenewDashboard replaces a token; the old one ends.
	RenewDashboard(ctx context.Context, token string) (next secret.Secret, err error)

	// Others lists the other accounts that a browser connected.
	Others(ctx context.Context, session string, than onboard.AppID) ([]onboard.OwnAccount, error)
	// Picture reads the picture of an account by its hash, as PNG.
	Picture(ctx context.Context, hash string) ([]byte, error)

	// Watch wakes a live page of the attempt id after every change.
	Watch(id string) (changes <-chan struct{}, stop func())
	// Ready says whether merchants can be served, and why not.
	Ready(ctx context.Context) onboard.Readiness
}
