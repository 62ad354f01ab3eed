package adminviews

import (
	"context"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// InvitePage is one invite.
type InvitePage struct {
	Frame
	Invite   admin.Invite
	Account  *onboard.Account // that came, nil while none did
	Expected *onboard.Account // that is asked for, when it is known
	Link     string           // absolute; the code holds it too
	Life     time.Duration    // that sending again gives
	Accounts bool             // the pages of accounts exist
}

// open reports whether the link works.
func (m InvitePage) open() bool {
	return admin.InviteStateOf(m.Invite.Attempt, m.Now) == admin.InviteWaiting
}

// ended reports whether the same link can not be given more time.
func (m InvitePage) ended() bool {
	return !m.Invite.FinishedAt.IsZero() || !m.Invite.CanceledAt.IsZero()
}

// message is what can be sent to the merchant, in the language of the invite.
func (m InvitePage) message(ctx context.Context) string {
	ctx = inviteLanguage(ctx, m.Invite.Attempt)
	key, name := i18n.InvitesMessagePlain, views.DisplayName(m.Invite.Recipient)
	if name != "" {
		key = i18n.InvitesMessageNamed
	}
	return i18n.T(ctx, key, "recipient", name, "brand", m.Brand.FullName(), "kind", views.AskedWord(ctx, m.Invite.Attempt, m.Expected),
		"time", i18n.Time(ctx, m.Invite.ExpiresAt, time.Time{})) + "\n" + m.Link
}

func inviteLanguage(ctx context.Context, a onboard.Attempt) context.Context {
	if l, ok := i18n.Parse(a.Language); ok {
		return i18n.With(ctx, l)
	}
	return ctx
}

// DecidePage asks whether an account is the right one.
type DecidePage struct {
	Frame
	admin.Decision
	Back   string // where to go without an answer
	Faults Faults
}

// why says what put the account aside.
func (m DecidePage) why(ctx context.Context) string {
	switch a := m.Decision.Invite; {
	case a.ID == "":
		return i18n.T(ctx, i18n.InvitesDecideWhyUnknown)
	case a.Verdict == onboard.WrongAccount:
		return i18n.T(ctx, i18n.InvitesDecideWhyWrong)
	case !a.CanceledAt.IsZero():
		return i18n.T(ctx, i18n.InvitesDecideWhyCanceled)
	}
	return i18n.T(ctx, i18n.InvitesDecideWhyHold)
}
