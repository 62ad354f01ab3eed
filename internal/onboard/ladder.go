package onboard

import (
	"context"
	"errors"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

// errNoToken says that no refresh token of an account is to be had anywhere, as
// for an account without API permission.
var errNoToken = error(&UpstreamError{API: "api_authorizer_token", Reaction: Reauthorize, Err: errors.New("no refresh token is known")})

// refusesToken reports whether a failed refresh was about the refresh token, as
// opposed to the platform or the way there.
func refusesToken(err error) bool {
	up, ok := errors.AsType[*UpstreamError](err)
	return ok && up.Reaction == Reauthorize
}

// ladder tries the refresh tokens of one account, each once. Its first success
// ends it.
type ladder struct {
	appID AppID
	tried []secret.Secret
	cause error // of the last refusal
}

// try refreshes with the candidates in order. ok is true when one of them worked.
// An error that is not about a token ends the climb: nothing is proven by it.
func (l *ladder) try(ctx context.Context, s *Service, candidates ...secret.Secret) (t Tokens, ok bool, err error) {
next:
	for _, c := range candidates {
		if c.Empty() {
			continue
		}
		for _, before := range l.tried {
			if before == c {
				continue next
			}
		}
		l.tried = append(l.tried, c)
		t, err := s.refreshWith(ctx, l.appID, c)
		switch {
		case err == nil:
			if t.Refresh.Empty() {
				t.Refresh = c
			}
			return t, true, nil
		case !refusesToken(err):
			return Tokens{}, false, err
		}
		l.cause = err
	}
	return Tokens{}, false, nil
}

// details reads the grants of an account and, where WeChat tells it, its refresh
// token.
func (s *Service) details(ctx context.Context, appID AppID) (grants Grants, refresh secret.Secret, err error) {
	err = s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		_, grants, refresh, err = s.wechat.Profile(ctx, token, appID)
		return err
	})
	return grants, refresh, err
}

// regain gets the whole authorization of an account that WeChat lists: its grants
// and tokens that have just worked. They are sought from the likeliest source to
// the least: the list, the account's details (api_get_authorizer_info, which does
// not always tell), what is stored, and the tokens before it, newest first. An
// error that refusesToken means that none of them worked. An account for which no refresh token is
// known anywhere has none, because WeChat gives none without API permission.
func (s *Service) regain(ctx context.Context, row Authorizer) (Authorization, error) {
	grants, told, err := s.details(ctx, row.AppID)
	if err != nil {
		return Authorization{}, err
	}
	failpoint.Hit("recover.after_profile")
	stored, err := s.store.Credentials(ctx, row.AppID)
	if err != nil && !errors.Is(err, ErrNoRow) && !errors.Is(err, secret.ErrUnsealed) {
		return Authorization{}, err
	}
	auth := Authorization{AppID: row.AppID, Grants: grants}
	l := &ladder{appID: row.AppID, cause: errNoToken}
	var ok bool
	if auth.Tokens, ok, err = l.try(ctx, s, row.Refresh); err != nil {
		return Authorization{}, err
	}
	if !ok {
		kept, err := s.store.KeptTokens(ctx, row.AppID)
		if err != nil {
			return Authorization{}, err
		}
		auth.Tokens, ok, err = l.try(ctx, s, append([]secret.Secret{told, stored.Refresh}, kept...)...)
		if err != nil {
			return Authorization{}, err
		}
		if !ok && !errors.Is(l.cause, errNoToken) {
			return Authorization{}, l.cause
		}
	}
	failpoint.Hit("recover.after_refresh")
	return auth, nil
}
