package simulator

import (
	"fmt"
	"slices"
	"time"
)

// A grant is one authorization of an account to the platform. A second
// authorization replaces it and its tokens.
type grant struct {
	account     *account
	sets        []int
	at          time.Time
	preAuthCode string // of the link that was used, empty when there was none
	refresh     string
	access      string   // the newest one handed out
	accesses    []string // all that were handed out
	oldRefresh  map[string]time.Time
	broken      bool // the refresh token was killed by hand
	ended       bool // the merchant canceled, which kills the codes too
}

// accepts reports whether a refresh with that token is allowed at now.
func (g *grant) accepts(refresh string, now time.Time) bool {
	if g.broken || refresh == "" {
		return false
	}
	return refresh == g.refresh || now.Before(g.oldRefresh[refresh])
}

// issue makes a new grant for a, which kills the tokens of the one before. It
// returns the codes to exchange it with (the same one twice unless
// Options.DifferentCodes) and whether the sets differ from before.
func (s *Simulator) issue(a *account, sets []int, preAuthCode string) (g *grant, redirectCode, pushCode string, changed bool) {
	now := s.now()
	sets = slices.Sorted(slices.Values(sets))
	g = &grant{account: a, sets: sets, at: now, preAuthCode: preAuthCode, refresh: newRefreshToken(), oldRefresh: map[string]time.Time{}}
	changed = true
	if old := a.grant; old != nil {
		changed = !slices.Equal(old.sets, sets)
		until := now.Add(s.options.ReauthorizationGrace)
		if s.options.ReauthorizationGrace > 0 && !old.broken {
			g.oldRefresh[old.refresh] = until
		}
		for _, t := range old.accesses {
			s.accessTokens[t].replace(until)
		}
	}
	a.grant, a.held = g, true
	redirectCode = s.newCode(g)
	pushCode = redirectCode
	if s.options.DifferentCodes {
		pushCode = s.newCode(g)
	}
	return g, redirectCode, pushCode, changed
}

func (s *Simulator) newCode(g *grant) string {
	code := newAuthCode()
	s.authCodes[code] = &authCode{grant: g, expires: s.now().Add(s.options.AuthCodeLife)}
	return code
}

// newAccess hands out an access token for g. Earlier ones keep working for five
// minutes, as the documentation promises for ordinary accounts.
func (s *Simulator) newAccess(g *grant) string {
	now := s.now()
	g.accesses = slices.DeleteFunc(g.accesses, func(token string) bool {
		t := s.accessTokens[token]
		t.replace(now.Add(5 * time.Minute))
		forgotten := now.Sub(t.expires) > time.Hour
		if forgotten {
			delete(s.accessTokens, token) // or months of simulated time fill the memory
		}
		return forgotten
	})
	g.access = newAccessToken()
	g.accesses = append(g.accesses, g.access)
	t := &liveToken{appID: g.account.appID, expires: now.Add(accessTokenLife)}
	if g.account.grant != g {
		t.dies = now // of an authorization that was replaced since
	}
	s.accessTokens[g.access] = t
	return g.access
}

// drop ends the account's grant and everything issued under it.
func (s *Simulator) drop(a *account) {
	for _, t := range a.grant.accesses {
		s.accessTokens[t].replace(s.now())
	}
	a.grant.ended = true
	a.grant = nil
}

// authorized returns the account with that appid if it is authorized.
func (s *Simulator) authorized(appID string) (*account, error) {
	a := s.account(appID)
	if a == nil {
		return nil, fmt.Errorf("simulator: no account %q", appID)
	}
	if a.grant == nil {
		return nil, fmt.Errorf("simulator: account %q is not authorized", appID)
	}
	return a, nil
}

// ExpireAccessToken ends the life of the account's access tokens, as if 7200
// seconds had passed for them.
func (s *Simulator) ExpireAccessToken(appID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.authorized(appID)
	if err != nil {
		return err
	}
	for _, t := range a.grant.accesses {
		s.accessTokens[t].expires = s.now()
	}
	return nil
}

// KillRefreshToken makes WeChat refuse the account's refresh token with 61023
// although the account stays authorized.
func (s *Simulator) KillRefreshToken(appID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.authorized(appID)
	if err != nil {
		return err
	}
	a.grant.broken = true
	return nil
}

// ReplaceRefreshToken silently gives the account a new refresh token, which the
// client can only learn from api_get_authorizer_list or _info; the old one is
// refused with 61023.
func (s *Simulator) ReplaceRefreshToken(appID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.authorized(appID)
	if err != nil {
		return err
	}
	a.grant.refresh, a.grant.oldRefresh, a.grant.broken = newRefreshToken(), map[string]time.Time{}, false
	return nil
}

// InvalidatePlatformToken makes every platform token issued so far fail with
// 40001, as happens when somebody else fetches a new one.
func (s *Simulator) InvalidatePlatformToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.platformTokens {
		t.replace(s.now())
	}
}
