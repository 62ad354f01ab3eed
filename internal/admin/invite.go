package admin

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/onboard"
)

// InviteState is how far an invite has come, as a list filters by it.
type InviteState string

// The states of invites.
const (
	InviteAny      InviteState = ""
	InviteWaiting  InviteState = "waiting" // not finished and still good
	InviteLapsed   InviteState = "lapsed"  // an admin's, expired lately: somebody may want to send it again
	InviteDone     InviteState = "done"
	InviteExpired  InviteState = "expired"
	InviteCanceled InviteState = "canceled"
)

// LapsedFor is how long an invite that expired asks for attention.
const LapsedFor = 7 * 24 * time.Hour

// InviteStates lists them in the order of the filter.
func InviteStates() []InviteState {
	return []InviteState{InviteWaiting, InviteLapsed, InviteDone, InviteExpired, InviteCanceled}
}

// ParseInviteState reads a filter; what is none of them is InviteAny.
func ParseInviteState(s string) InviteState {
	if slices.Contains(InviteStates(), InviteState(s)) {
		return InviteState(s)
	}
	return InviteAny
}

// Invite is an attempt with what came of it.
type Invite struct {
	onboard.Attempt
	Undecided bool // somebody has to say whether the account that came is the right one
}

// InviteStateOf says how far an attempt that is an invite has come. It is never
// InviteLapsed, which is part of InviteExpired.
func InviteStateOf(a onboard.Attempt, now time.Time) InviteState {
	switch {
	case !a.FinishedAt.IsZero():
		return InviteDone
	case !a.CanceledAt.IsZero():
		return InviteCanceled
	case !now.Before(a.ExpiresAt):
		return InviteExpired
	}
	return InviteWaiting
}

// InviteQuery asks for one page of invites, the newest first.
type InviteQuery struct {
	State InviteState
	Query string // part of recipient, reference or AppID
	Batch string
	Size  int
	After InviteCursor
}

// InviteCursor names the last row of a page.
type InviteCursor struct {
	At time.Time
	ID string
}

// Zero reports whether the cursor names no row.
func (c InviteCursor) Zero() bool { return c.ID == "" }

// String writes the cursor for an address.
func (c InviteCursor) String() string {
	if c.Zero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", c.At.UnixMilli(), c.ID))
}

// ParseInviteCursor reads what String wrote; anything else is the zero cursor.
func ParseInviteCursor(s string) InviteCursor {
	b, err := base64.RawURLEncoding.DecodeString(s)
	var at int64
	var id string
	if err != nil || len(b) > 100 {
		return InviteCursor{}
	}
	if n, err := fmt.Sscanf(string(b), "%d %s", &at, &id); n != 2 || err != nil {
		return InviteCursor{}
	}
	return InviteCursor{At: time.UnixMilli(at), ID: id}
}

// InvitePage is one page of invites.
type InvitePage struct {
	Rows []Invite
	Next InviteCursor // zero on the last page
}

// InviteStore answers lists of invites.
type InviteStore interface {
	// ListInvites reads one page. A text is looked for among the newest invites of
	// the state only. Undecided is left to the service.
	ListInvites(ctx context.Context, q InviteQuery, now time.Time) (InvitePage, error)
	// CountInvites counts up to limit those that wait for a merchant, CountLapsed
	// those that are InviteLapsed.
	CountInvites(ctx context.Context, now time.Time, limit int) (int, error)
	CountLapsed(ctx context.Context, now time.Time, limit int) (int, error)
}

// CountInvitesTo is up to where invites are counted.
const CountInvitesTo = 1000

// Invites reads one page of the list.
func (s *Service) Invites(ctx context.Context, q InviteQuery) (InvitePage, error) {
	if q.Size < 1 || q.Size > 1000 {
		q.Size = 50
	}
	q.Query = strings.TrimSpace(cutRunes(strings.ToValidUTF8(q.Query, ""), wordRunes))
	page, err := s.store.ListInvites(ctx, q, s.now())
	if err != nil {
		return page, err
	}
	for i := range page.Rows {
		if page.Rows[i].Undecided, err = s.undecided(ctx, page.Rows[i].Attempt); err != nil {
			return page, err
		}
	}
	return page, nil
}

// Invite reads one; an attempt that is none is NotFound.
func (s *Service) Invite(ctx context.Context, id string) (v Invite, err error) {
	if v.Attempt, err = s.store.Attempt(ctx, id); err != nil {
		return v, found(err)
	}
	if !v.Invite() {
		return v, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "attempt %s is not an invite", id)
	}
	v.Undecided, err = s.undecided(ctx, v.Attempt)
	return v, err
}

// undecided reports whether the account that an invite brought is put aside.
func (s *Service) undecided(ctx context.Context, a onboard.Attempt) (bool, error) {
	if a.AppID == "" || !a.PutsAside() {
		return false, nil
	}
	account, err := s.store.Account(ctx, a.AppID)
	if isNoRow(err) {
		return false, nil
	}
	return account.Standing == onboard.Quarantined, err
}

// WaitingInvites counts, up to CountInvitesTo, the invites that wait for a merchant.
func (s *Service) WaitingInvites(ctx context.Context) (int, error) {
	return s.store.CountInvites(ctx, s.now(), CountInvitesTo)
}

// NewBatch names invites that are made together.
func NewBatch() string { return newID() }
