package onboard

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Invitation is what an operator asks one merchant for.
type Invitation struct {
	Wish
	Recipient string // whom it is for; shown to the merchant
	Reference string // the operator's own name for the merchant; not shown
	ReturnURL string // see ParseReturnURL
	InvitedBy string
	Batch     string
	Hold      bool          // also without Rules.CheckInvites
	Own       bool          // for an account of the operator, which is never held
	Life      time.Duration // 0 for the usual one
}

// The most characters of what an operator writes into an invite.
const (
	recipientLimit = 64
	referenceLimit = 64
	returnURLLimit = 500
)

// ParseReturnURL reads the address at which a merchant goes on in the end: https,
// without a user name, on one of hosts. Empty means none.
func ParseReturnURL(s string, hosts []string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || len(s) > returnURLLimit || u.Scheme != "https" || u.User != nil || u.Opaque != "" ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) ||
		!slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, u.Host) }) {
		return "", Errorf(Invalid, KeyReturnURL, "a return address that is not on an allowed host")
	}
	return u.String(), nil
}

// CreateInvite makes an invite.
func (s *Service) CreateInvite(ctx context.Context, v Invitation) (Attempt, error) {
	all, err := s.CreateInvites(ctx, []Invitation{v})
	if err != nil {
		return Attempt{}, err
	}
	return all[0], nil
}

// CreateInvites makes several invites in one transaction, in the order of all.
func (s *Service) CreateInvites(ctx context.Context, all []Invitation) ([]Attempt, error) {
	rules, attempts := s.rules(), make([]Attempt, len(all))
	for i, v := range all {
		v.Invited = true
		a, err := s.prepare(ctx, v.Wish, rules)
		if err != nil {
			return nil, err
		}
		if v.Life <= 0 {
			v.Life = rules.InviteLife
		}
		a.InviteCode, a.ExpiresAt = newCode(10), a.CreatedAt.Add(v.Life)
		a.Recipient, a.Reference = cutText(v.Recipient, recipientLimit), cutText(v.Reference, referenceLimit)
		a.ReturnURL, a.InvitedBy, a.Batch = v.ReturnURL, v.InvitedBy, v.Batch
		a.Hold = v.Hold || rules.CheckInvites && v.BizAppID == "" && !v.Own
		attempts[i] = a
	}
	return attempts, s.store.SaveAttempts(ctx, attempts)
}

// Again begins another attempt with the wish of the attempt id. What the operator
// said in an invite goes along, and so does its end: whoever holds a link that ran
// out or was taken back needs a new one. Of an invite that brought an account, only
// that account can be authorized again, as by the page of the account itself.
func (s *Service) Again(ctx context.Context, id, language, session string) (Attempt, error) {
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return Attempt{}, err
	}
	w := Wish{AuthType: a.AuthType, BizAppID: a.BizAppID, Wanted: a.Wanted, Language: language, Session: session, Invited: a.Invited}
	if a.InvitedBy == "" {
		return s.Begin(ctx, w)
	}
	brought := !a.FinishedAt.IsZero() && a.Verdict != WrongAccount
	if !a.CanceledAt.IsZero() || !brought && !s.now().Before(a.ExpiresAt) {
		return Attempt{}, Errorf(Expired, KeyExpired, "invite %s ended at %v", id, a.ExpiresAt)
	}
	if brought {
		w.BizAppID = a.AppID
		return s.Begin(ctx, w)
	}
	next, err := s.prepare(ctx, w, s.rules())
	if err != nil {
		return Attempt{}, err
	}
	next.InviteCode, next.ExpiresAt, next.Hold = newCode(10), a.ExpiresAt, a.Hold
	next.Recipient, next.Reference, next.ReturnURL = a.Recipient, a.Reference, a.ReturnURL
	next.InvitedBy, next.Batch = a.InvitedBy, a.Batch
	return next, s.store.SaveAttempt(ctx, next)
}

// Ungrantable lists the sets of ids that no account of the type can grant, or that
// the account with appID cannot when we know it: WeChat refuses the whole link for
// one of them.
func (s *Service) Ungrantable(ctx context.Context, t AuthType, appID AppID, ids []PermissionID) ([]PermissionID, error) {
	fits := func(set PermissionSet) bool { return len(set.Kinds) == 0 || slices.ContainsFunc(set.Kinds, t.Covers) }
	if appID != "" {
		known, err := s.store.Account(ctx, appID)
		if err != nil && !errors.Is(err, ErrNoRow) {
			return nil, err
		}
		if kind := known.Kind(); kind != UnknownKind {
			fits = func(set PermissionSet) bool { return set.GrantedBy(kind) }
		}
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id PermissionID) bool {
		set, _ := LookupSet(id)
		return fits(set)
	}), nil
}

// cutText drops white space at the ends and what is more than limit characters.
func cutText(s string, limit int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > limit {
		return string([]rune(s)[:limit])
	}
	return s
}

// Reauthorization is the wish that widens the grant of an account to what it was
// asked for. What it granted is asked for too: WeChat's page replaces the
// selection, and a link that lists less could take something away.
func Reauthorization(a Account) Wish {
	t, ok := typeFor(a.Profile.Kind)
	if !ok {
		t = AllAccounts
	}
	wanted := slices.Concat(a.Grants.IDs(), a.Missing())
	slices.Sort(wanted)
	return Wish{AuthType: t, BizAppID: a.AppID, Wanted: slices.Compact(wanted)}
}

// Resend lets an invite live for life from now. One that is finished or was
// canceled stays as it is: a new one with the same wish takes its place.
func (s *Service) Resend(ctx context.Context, id, by string, life time.Duration) (Attempt, error) {
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return Attempt{}, err
	}
	if !a.Invite() {
		return Attempt{}, Errorf(NotFound, KeyNotFound, "attempt %s is not an invite", id)
	}
	if life <= 0 {
		life = s.rules().InviteLife
	}
	extended, err := s.store.SaveResent(ctx, id, s.now().Add(life))
	if err != nil {
		return Attempt{}, err
	}
	if extended {
		s.hub.wake(id)
		return s.Attempt(ctx, id)
	}
	return s.CreateInvite(ctx, Invitation{
		Wish:      Wish{AuthType: a.AuthType, BizAppID: a.BizAppID, Wanted: a.Wanted, Language: a.Language},
		Recipient: a.Recipient, Reference: a.Reference, ReturnURL: a.ReturnURL, InvitedBy: by, Hold: a.Hold, Life: life,
	})
}

// CancelInvite takes an invite back: its link is dead from now on. An account that
// a merchant is just authorizing through it is put aside when it arrives.
func (s *Service) CancelInvite(ctx context.Context, id string) (changed bool, err error) {
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return false, err
	}
	if !a.Invite() {
		return false, Errorf(NotFound, KeyNotFound, "attempt %s is not an invite", id)
	}
	changed, err = s.store.SaveCanceled(ctx, id, s.now())
	if changed {
		s.hub.wake(id)
	}
	return changed, err
}
