package onboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

const exchangeLease = 40 * time.Second // longer than any call to WeChat may take

// absentTries is how often the list is asked for an account that a push named,
// over about a minute, before its absence is believed.
const absentTries = 6

// finish spends the code of an arrival, exactly once over all witnesses of it,
// and stores what came of it. The other witness attaches.
func (s *Service) finish(ctx context.Context, a Arrival, e Event) (Outcome, AppID, error) {
	now := s.now()
	claim, err := s.store.ClaimExchange(ctx, a.CodeHash, a.HandoffID, now, now.Add(exchangeLease))
	switch {
	case err != nil:
		return "", "", err
	case claim.Done:
		return s.attach(ctx, a, claim)
	case !claim.Won && !claim.Failed:
		return "", "", errNotYet
	}
	if claim.Won {
		failpoint.Hit("exchange.after_claim")
		older, err := s.outdated(ctx, a)
		if err == nil && older {
			return s.overtaken(ctx, a, claim, a.CreatedAt)
		}
		if err != nil {
			return "", "", errors.Join(err, s.store.FailExchange(ctx, a.CodeHash, claim.Fence, false, now))
		}
	}
	if claim.Failed {
		if older, err := s.outdated(ctx, a); err != nil || older {
			return Ignored, a.AppID, err
		}
	}
	failpoint.Hit("exchange.before_http")
	if s.late(ctx, now.Add(exchangeLease)) {
		return "", "", errNotYet
	}
	auth, recovered, err := s.exchange(ctx, a, e, claim)
	failpoint.Hit("exchange.after_http")
	if err != nil {
		return s.exchangeFailed(ctx, a, claim, recovered, err)
	}
	if auth.AppID == "" { // the code is spent and nobody says whose it was
		return Ignored, "", nil
	}
	if claim.Won && !recovered { // what the list gave is the newest
		begun, older, err := s.replaced(ctx, a, auth)
		if err != nil {
			s.log.WarnContext(ctx, "whether an authorization is late could not be told; it counts", "appid", string(auth.AppID), "err", err)
		} else if older {
			a.AppID = auth.AppID
			return s.overtaken(ctx, a, claim, begun)
		}
	}
	if err := s.arrived(ctx, a, claim, auth); err != nil {
		return "", auth.AppID, err
	}
	return Handled, auth.AppID, nil
}

// outdated reports whether what a push announces is already history.
func (s *Service) outdated(ctx context.Context, a Arrival) (bool, error) {
	if a.Type == RedirectEvent || a.AppID == "" {
		return false, nil
	}
	account, err := s.store.Account(ctx, a.AppID)
	if err != nil {
		if errors.Is(err, ErrNoRow) {
			err = nil
		}
		return false, err
	}
	newest := account.AuthorizedAt
	if account.LocalTime {
		newest = newest.Add(-clockDoubt)
	}
	return a.CreatedAt.Before(newest) || a.CreatedAt.Before(account.RevokedAt), nil
}

// overtaken ends an arrival whose news of the time at is history: a newer
// authorization or a withdrawal is stored, and the code's tokens are dead. Its
// attempt ends with the account as it is.
func (s *Service) overtaken(ctx context.Context, a Arrival, claim ExchangeClaim, at time.Time) (Outcome, AppID, error) {
	account, err := s.store.Account(ctx, a.AppID)
	if err != nil {
		return "", "", err
	}
	var attempt Attempt
	if a.AttemptID != "" {
		if attempt, err = s.store.Attempt(ctx, a.AttemptID); err != nil && !errors.Is(err, ErrNoRow) {
			return "", "", err
		}
	}
	end := s.judge(attempt, &account, Authorization{AppID: a.AppID, Grants: account.Grants}, account.Profile.Kind)
	end.CodeHash, end.Fence, end.Now = a.CodeHash, claim.Fence, s.now()
	end.At, end.LocalTime = at, a.Type == RedirectEvent
	if _, err := s.store.FinishExchange(ctx, end); err != nil {
		return "", "", err
	}
	s.hub.wake(attempt.ID)
	return Ignored, a.AppID, nil
}

// replaced reports whether what an exchange brought is older than what we hold,
// and when it began: a browser that restores its tabs comes back after the merchant
// has authorized again, and a push may come after a sweep has found what followed
// it. Where the times of both cannot tell, the refresh token in WeChat's list
// decides.
func (s *Service) replaced(ctx context.Context, a Arrival, auth Authorization) (begun time.Time, older bool, err error) {
	held, err := s.store.Account(ctx, auth.AppID)
	if err != nil || held.Standing == Revoked || auth.Tokens.Refresh.Empty() {
		if errors.Is(err, ErrNoRow) {
			err = nil
		}
		return time.Time{}, false, err
	}
	begun = a.CreatedAt
	if a.Type == RedirectEvent { // which has no time of WeChat's
		handoffs, err := s.store.Handoffs(ctx, a.AttemptID)
		if err != nil {
			return time.Time{}, false, err
		}
		i := slices.IndexFunc(handoffs, func(h Handoff) bool { return h.ID == a.HandoffID })
		if i < 0 {
			return time.Time{}, false, nil
		}
		begun = handoffs[i].MintedAt
	} else if !held.LocalTime {
		return time.Time{}, false, nil // outdated has compared two times of WeChat's
	}
	if !held.AuthorizedAt.After(begun) {
		return time.Time{}, false, nil
	}
	row, ok, err := s.listed(ctx, auth.AppID, 0)
	return begun, ok && !row.Refresh.Empty() && row.Refresh != auth.Tokens.Refresh, err
}

// exchange asks WeChat. A code that is spent although no answer was stored is
// recovered from WeChat's list when it is known whose it was: the push names the
// account. A redirect names none; but when its code was sent before and the
// attempt asked for one account, that one is looked up. recovered is true when
// that was tried.
func (s *Service) exchange(ctx context.Context, a Arrival, e Event, claim ExchangeClaim) (auth Authorization, recovered bool, err error) {
	if claim.Failed { // it was found spent before; a push knows whose it was
		if a.AppID == "" {
			return Authorization{}, false, nil
		}
		auth, err = s.recover(ctx, a.AppID, a.CreatedAt)
		return auth, true, err
	}
	err = s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		auth, err = s.wechat.Exchange(ctx, token, e.AuthCode)
		return err
	})
	if up, ok := errors.AsType[*UpstreamError](err); ok && up.Reaction == CodeSpent {
		owner := a.AppID
		if owner == "" && claim.Tries > 1 {
			attempt, readErr := s.store.Attempt(ctx, a.AttemptID)
			if readErr != nil && !errors.Is(readErr, ErrNoRow) {
				return Authorization{}, false, readErr
			}
			owner = attempt.BizAppID
		}
		if owner == "" {
			return Authorization{}, false, err
		}
		found, err := s.recover(ctx, owner, a.CreatedAt)
		if err != nil {
			err = fmt.Errorf("recovering what a spent code brought: %w", err)
		}
		return found, true, err
	}
	if err != nil {
		return Authorization{}, false, err
	}
	if a.AppID != "" && auth.AppID != a.AppID {
		return Authorization{}, false, fmt.Errorf("the push names %s but the code belongs to %s", a.AppID, auth.AppID)
	}
	return auth, false, nil
}

// exchangeFailed gives the claim back, or ends it when the code is spent, and
// tells the person. A push whose code was found spent recovers without sending it
// again. A redirect does not, whose account is a guess that only WeChat's word about
// the code confirms.
func (s *Service) exchangeFailed(ctx context.Context, a Arrival, claim ExchangeClaim, recovered bool, cause error) (Outcome, AppID, error) {
	up, ok := errors.AsType[*UpstreamError](cause)
	spent := ok && up.Reaction == CodeSpent
	failpoint.Hit("exchange.before_fail")
	if !claim.Failed {
		final := spent || recovered && a.AppID != ""
		if err := s.store.FailExchange(ctx, a.CodeHash, claim.Fence, final, s.now()); err != nil && !errors.Is(err, ErrFenced) {
			return "", "", err
		}
	}
	failpoint.Hit("exchange.after_fail")
	if a.AttemptID != "" {
		key := blockedBy(cause)
		if spent {
			key = KeyCodeSpent
		}
		if err := s.store.SaveBlocked(ctx, a.AttemptID, key, s.now()); err != nil {
			return "", "", err
		}
		s.hub.wake(a.AttemptID)
	}
	if spent && a.AppID == "" {
		return Ignored, "", nil // the push, which names the account, may still recover it
	}
	if spent && a.Tries >= absentTries {
		return Ignored, a.AppID, nil // the whole list lacks the account: the merchant has withdrawn since
	}
	return "", "", cause
}

// attach ends the second witness of an exchange. A push that names another
// attempt than the redirect moves the result there: it came from WeChat itself,
// the redirect came through a browser.
func (s *Service) attach(ctx context.Context, a Arrival, claim ExchangeClaim) (Outcome, AppID, error) {
	if a.AttemptID == "" || a.AttemptID == claim.AttemptID {
		return Attached, claim.AppID, nil
	}
	if a.Type == RedirectEvent && claim.AttemptID != "" {
		// The push said whose code it is. Nothing of this attempt arrived.
		if err := s.store.SaveBlocked(ctx, a.AttemptID, KeyCodeSpent, s.now()); err != nil {
			return "", "", err
		}
		s.log.WarnContext(ctx, "a redirect carried the code of another attempt; the push had decided",
			"appid", string(claim.AppID), "attempt", claim.AttemptID, "redirected_to", a.AttemptID)
		s.hub.wake(a.AttemptID)
		return Attached, claim.AppID, nil
	}
	account, err := s.store.Account(ctx, claim.AppID)
	if err != nil {
		return "", "", err
	}
	attempt, err := s.store.Attempt(ctx, a.AttemptID)
	if err != nil {
		return "", "", err
	}
	moved := s.judge(attempt, nil, Authorization{AppID: claim.AppID, Grants: account.Grants}, account.Profile.Kind)
	moved.Now = s.now()
	failpoint.Hit("exchange.before_move")
	if err := s.store.MoveResult(ctx, a.CodeHash, claim.AttemptID, a.AttemptID, moved); err != nil {
		return "", "", err
	}
	failpoint.Hit("exchange.after_move")
	if claim.AttemptID != "" {
		s.log.WarnContext(ctx, "a redirect carried the code of another attempt; the push decided",
			"appid", string(claim.AppID), "attempt", a.AttemptID, "redirected_to", claim.AttemptID)
	}
	s.hub.wake(a.AttemptID, claim.AttemptID)
	return Attached, claim.AppID, nil
}

// arrived stores an authorization, tokens first; the profile follows.
func (s *Service) arrived(ctx context.Context, a Arrival, claim ExchangeClaim, auth Authorization) error {
	// WeChat gives this answer once: it is stored although the caller's time may
	// be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
	defer cancel()
	var before *Account
	known, err := s.store.Account(ctx, auth.AppID)
	switch {
	case err == nil:
		before = &known
	case !errors.Is(err, ErrNoRow):
		return err
	}
	var attempt Attempt
	if a.AttemptID != "" {
		if attempt, err = s.store.Attempt(ctx, a.AttemptID); err != nil && !errors.Is(err, ErrNoRow) {
			return err
		}
	}
	now := s.now()
	result := s.judge(attempt, before, auth, known.Profile.Kind)
	result.CodeHash, result.Fence = a.CodeHash, claim.Fence
	result.At, result.LocalTime = a.CreatedAt, a.Type == RedirectEvent
	if auth.At.After(result.At) {
		// The list gave the tokens of a later authorization, whose own push may yet come.
		result.At, result.LocalTime = auth.At, true
	}
	if before != nil && before.LocalTime && before.AuthorizedAt.After(result.At) && before.AuthorizedAt.Sub(result.At) < clockDoubt {
		// Our clock runs ahead of WeChat's. The time stays one of ours, or the next
		// push would look older than it.
		result.At, result.LocalTime = before.AuthorizedAt, true
	}
	result.DueAt, result.Now = dueAt(auth.AppID, now, auth.Tokens.Life), now
	failpoint.Hit("exchange.before_commit")
	if claim.Failed { // recovered after the code was given up: take the result without the claim
		err = s.store.MoveResult(ctx, a.CodeHash, "", attempt.ID, result)
	} else {
		var superseded bool
		superseded, err = s.store.FinishExchange(ctx, result)
		if superseded {
			s.log.InfoContext(ctx, "a newer event was stored during the exchange", "appid", string(auth.AppID))
		}
	}
	if err != nil {
		return err
	}
	failpoint.Hit("exchange.after_commit")
	s.tokens.drop(auth.AppID)
	s.log.InfoContext(ctx, "authorized", "appid", string(auth.AppID), "attempt", attempt.ID, "via", string(a.Type), "sets", len(auth.Grants))
	s.hub.wake(attempt.ID)
	if _, err := s.DashboardLink(ctx, auth.AppID); err != nil { // now, so that no page has to make it
		s.log.WarnContext(ctx, "making a dashboard link failed; the first page makes it", "appid", string(auth.AppID), "err", err)
	}
	if err := s.readProfile(ctx, auth.AppID); err != nil {
		s.log.WarnContext(ctx, "reading a profile failed; it is tried again", "appid", string(auth.AppID), "err", err)
	}
	s.hub.wake(attempt.ID)
	return nil
}

// judge compares what came with what was asked for and with what was known.
func (s *Service) judge(attempt Attempt, before *Account, auth Authorization, kind AccountKind) Arrived {
	r := Arrived{
		AppID: auth.AppID, Grants: auth.Grants.Normalize(), Tokens: auth.Tokens, Standing: Active,
		AttemptID: attempt.ID, Wanted: attempt.Wanted, Verdict: Connected,
	}
	if auth.Grants == nil && before != nil { // WeChat sent no func_info: what is stored still holds
		r.Grants = before.Grants
	}
	if kind == UnknownKind {
		kind = kindBy(r.Grants)
	}
	wanted := slices.DeleteFunc(slices.Clone(attempt.Wanted), func(id PermissionID) bool {
		set, _ := LookupSet(id)
		return !set.GrantedBy(kind)
	})
	r.Missing = r.Grants.Without(wanted)
	known := before != nil && before.Standing != Revoked && before.Standing != Refused
	// An account that is served already is not put aside: somebody decided on it.
	unproven := !known || before.Standing == Quarantined
	switch {
	case attempt.ID == "" && before != nil && (before.Standing == Quarantined || before.Standing == Refused):
		r.Standing = before.Standing // a change of the sets decides nothing
	case unproven && (attempt.Hold || !attempt.CanceledAt.IsZero()):
		r.Standing = Quarantined
	case before != nil && before.Standing == Refused && (attempt.InvitedBy == "" || attempt.BizAppID != auth.AppID):
		r.Standing = Quarantined // the operator said no, so only the operator can take that back
	}
	if known {
		r.Added = before.Grants.Without(r.Grants.IDs())
		r.Removed = r.Grants.Without(before.Grants.IDs())
	}
	switch {
	case attempt.BizAppID != "" && attempt.BizAppID != auth.AppID:
		r.Verdict, r.Missing, r.Wanted = WrongAccount, nil, nil
		if unproven {
			r.Standing = Quarantined
		}
	case len(r.Missing) > 0:
		r.Verdict = Missing
	case known && len(r.Added)+len(r.Removed) > 0:
		r.Verdict = Updated
	case known && before.Standing == Active:
		r.Verdict = Already
	}
	return r
}

// kindBy guesses the kind of an account from its grants while the profile is
// not read yet: most sets can be granted by one kind only.
func kindBy(grants Grants) AccountKind {
	for _, g := range grants {
		if set, ok := LookupSet(g.ID); ok && len(set.Kinds) == 1 {
			return set.Kinds[0]
		}
	}
	return UnknownKind
}
