package onboard

import (
	"context"
	"errors"
	"slices"
)

// Wish is what a merchant or an operator asks for.
type Wish struct {
	AuthType AuthType
	BizAppID AppID          // empty for any account
	Wanted   []PermissionID // empty for the default sets
	Language string
	Session  string // opaque id of the browser session; may be empty
	// Invited means that the operator asked for this attempt, or that the merchant
	// of a known account did; it may begin even where the public form is closed.
	Invited bool
}

// Begin opens an attempt for as long as the rules say. When the account is already known, its
// kind decides the type, because WeChat lets biz_appid win anyway.
func (s *Service) Begin(ctx context.Context, w Wish) (Attempt, error) {
	rules := s.rules()
	if rules.InviteOnly && !w.Invited {
		return Attempt{}, Errorf(Invalid, KeyInviteOnly, "only invites begin an attempt")
	}
	a, err := s.prepare(ctx, w, rules)
	if err != nil {
		return Attempt{}, err
	}
	if err := s.store.SaveAttempt(ctx, a); err != nil {
		return Attempt{}, err
	}
	return a, nil
}

// prepare makes an attempt of a wish without storing it.
func (s *Service) prepare(ctx context.Context, w Wish, rules Rules) (Attempt, error) {
	now := s.now()
	kind, hold := UnknownKind, false
	if w.BizAppID != "" {
		known, err := s.store.Account(ctx, w.BizAppID)
		switch {
		case err == nil:
			kind = known.Profile.Kind
			// What begins on the page of an account that waits for a decision does not
			// make the decision.
			hold = w.Invited && (known.Standing == Quarantined || known.Standing == Refused)
		case !errors.Is(err, ErrNoRow):
			return Attempt{}, err
		}
		if t, ok := typeFor(kind); ok && !w.AuthType.Covers(kind) {
			w.AuthType = t
		}
	}
	return Attempt{
		ID: newID(), PhoneCode: newCode(8), AuthType: w.AuthType, BizAppID: w.BizAppID,
		Wanted: wantedFor(w, rules.Wanted, kind), Language: w.Language, Session: s.sessionHash(w.Session), Invited: w.Invited, Hold: hold,
		CreatedAt: now, ExpiresAt: now.Add(rules.DeskLife), Version: 1,
	}, nil
}

// typeFor returns the auth_type that lists accounts of kind k alone.
func typeFor(k AccountKind) (AuthType, bool) {
	switch k {
	case OfficialAccount:
		return OfficialAccounts, true
	case MiniProgram:
		return MiniPrograms, true
	case Channels:
		return ChannelsAccounts, true
	case SalesAssistant:
		return SalesAssistants, true
	}
	return 0, false
}

// wantedFor returns the sets to ask for. Defaults that no account of the chosen
// type can grant are left out, since WeChat refuses the whole link for one of them.
func wantedFor(w Wish, defaults []PermissionID, kind AccountKind) []PermissionID {
	if len(w.Wanted) > 0 {
		return w.Wanted
	}
	var ids []PermissionID
	for _, id := range defaults {
		set, _ := LookupSet(id)
		fits := set.GrantedBy(kind)
		if kind == UnknownKind && len(set.Kinds) > 0 {
			fits = slices.ContainsFunc(set.Kinds, w.AuthType.Covers)
		}
		if fits {
			ids = append(ids, id)
		}
	}
	return ids
}

// Attempt reads one by the address of its desk page.
func (s *Service) Attempt(ctx context.Context, id string) (Attempt, error) {
	return found(s.store.Attempt(ctx, id))
}

// PhoneAttempt reads one by the code of its phone page.
func (s *Service) PhoneAttempt(ctx context.Context, code string) (Attempt, error) {
	return found(s.store.AttemptByPhoneCode(ctx, foldCode(code)))
}

// InviteAttempt reads one by the code of its invite.
func (s *Service) InviteAttempt(ctx context.Context, code string) (Attempt, error) {
	return found(s.store.AttemptByInviteCode(ctx, foldCode(code)))
}

// found turns a missing row into the sentence for a person.
func found(a Attempt, err error) (Attempt, error) {
	if errors.Is(err, ErrNoRow) {
		return Attempt{}, Errorf(NotFound, KeyNotFound, "attempt: %w", err)
	}
	return a, err
}

// RecentAttempts lists the newest attempts that a browser session began.
func (s *Service) RecentAttempts(ctx context.Context, session string) ([]Attempt, error) {
	if session == "" {
		return nil, nil
	}
	return s.store.AttemptsBySession(ctx, s.sessionHash(session), 5)
}

// Known reads the account that an attempt asks for, for pages to name it: nil when
// there is none, or when a stranger typed the AppID. Who our customers are is nobody
// else's business.
func (s *Service) Known(ctx context.Context, a Attempt) (*Account, error) {
	if a.BizAppID == "" || !a.Invited {
		return nil, nil
	}
	account, err := s.store.Account(ctx, a.BizAppID)
	if errors.Is(err, ErrNoRow) {
		return nil, nil
	}
	return &account, err
}

// Opened records that WeChat's browser fetched the phone page. It is for display
// only: a link checker that causes it costs nothing.
func (s *Service) Opened(ctx context.Context, id string) error {
	first, err := s.store.ClaimOpened(ctx, id, s.now())
	if first {
		s.hub.wake(id)
	}
	return err
}

// Invite turns an attempt into an invite that lives from now for as long as the rules say.
// recipient is a name in the sender's words and may be empty.
func (s *Service) Invite(ctx context.Context, id, recipient string) (Attempt, error) {
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return Attempt{}, err
	}
	if !a.FinishedAt.IsZero() {
		return Attempt{}, Errorf(Expired, KeyUsed, "attempt %s is finished", id)
	}
	if a.InvitedBy != "" {
		return a, nil // the operator's word and not the merchant's to change
	}
	a, err = s.store.SaveInvite(ctx, id, newCode(10), cutText(recipient, recipientLimit), s.now().Add(s.rules().InviteLife))
	if err == nil {
		s.hub.wake(id)
	}
	return a, err
}

// TookPart reports whether a browser session began the attempt or was handed off
// in it. Only such a session is shown the way to the dashboard.
func (s *Service) TookPart(ctx context.Context, a Attempt, session string) bool {
	hash := s.sessionHash(session)
	if hash == "" {
		return false
	}
	if a.Session == hash {
		return true
	}
	handoffs, err := s.store.Handoffs(ctx, a.ID)
	if err != nil {
		s.log.ErrorContext(ctx, "reading hand-offs failed", "attempt", a.ID, "err", err)
		return false
	}
	return slices.ContainsFunc(handoffs, func(h Handoff) bool { return h.Session == hash })
}

// Result is an attempt with the account that came of it.
type Result struct {
	Attempt Attempt
	Account *Account // nil until there is one
}

// Result reads what came of an attempt.
func (s *Service) Result(ctx context.Context, id string) (Result, error) {
	a, err := s.Attempt(ctx, id)
	if err != nil || a.AppID == "" {
		return Result{Attempt: a}, err
	}
	account, err := s.store.Account(ctx, a.AppID)
	if errors.Is(err, ErrNoRow) {
		return Result{Attempt: a}, nil
	}
	return Result{Attempt: a, Account: &account}, err
}
