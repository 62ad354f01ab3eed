package admin

import (
	"context"
	"encoding/base64"
	"fmt"
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
	InviteDone     InviteState = "done"
	InviteExpired  InviteState = "expired"
	InviteCanceled InviteState = "canceled"
)

// InviteStates lists them in the order of the filter.
func InviteStates() []InviteState {
	return []InviteState{InviteWaiting, InviteDone, InviteExpired, InviteCanceled}
}

// InviteStateOf says how far an attempt that is an invite has come.
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
	Query string // part of recipient or reference, or an AppID
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
	Rows []onboard.Attempt
	Next InviteCursor // zero on the last page
}

// InviteStore answers lists of invites.
type InviteStore interface {
	// ListInvites reads one page. A text is looked for among the newest invites only.
	ListInvites(ctx context.Context, q InviteQuery, now time.Time) (InvitePage, error)
	// CountInvites counts up to limit those that wait for a merchant.
	CountInvites(ctx context.Context, now time.Time, limit int) (int, error)
}

// Invites reads one page of the list.
func (s *Service) Invites(ctx context.Context, q InviteQuery) (InvitePage, error) {
	if q.Size < 1 || q.Size > 1000 {
		q.Size = 50
	}
	q.Query = strings.TrimSpace(cutRunes(strings.ToValidUTF8(q.Query, ""), wordRunes))
	return s.store.ListInvites(ctx, q, s.now())
}

// WaitingInvites counts, up to 1000, the invites that wait for a merchant.
func (s *Service) WaitingInvites(ctx context.Context) (int, error) {
	return s.store.CountInvites(ctx, s.now(), 1000)
}

// NewBatch names invites that are made together.
func NewBatch() string { return newID() }
