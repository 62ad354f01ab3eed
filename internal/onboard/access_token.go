package onboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"usher/internal/secret"
)

const (
	servedLife = time.Minute     // a served access token has at least this long to live
	cachedFor  = 5 * time.Second // after which another process's refresh is seen
	cacheLimit = 200_000         // accounts; about 290 bytes each
)

// tokenCache holds decrypted access tokens for a few seconds, so that reading one
// costs a map look-up instead of a query and a decryption.
type tokenCache struct {
	mu   sync.RWMutex
	rows map[AppID]cachedToken
	// drops counts, so that a read that began before a drop does not undo it.
	drops uint64
	peers Peers // told of what is dropped here; nil for none
}

type cachedToken struct {
	token   secret.Secret
	expires time.Time
	readAt  time.Time
}

func (c *tokenCache) get(appID AppID, now time.Time) (cachedToken, bool) {
	c.mu.RLock()
	t, ok := c.rows[appID]
	c.mu.RUnlock()
	return t, ok && now.Sub(t.readAt) < cachedFor && now.Add(servedLife).Before(t.expires)
}

func (c *tokenCache) generation() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.drops
}

func (c *tokenCache) put(appID AppID, t cachedToken, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops != generation {
		return
	}
	if c.rows == nil || len(c.rows) >= cacheLimit {
		c.rows = make(map[AppID]cachedToken) // starting over is rarer and simpler than choosing
	}
	c.rows[appID] = t
}

// drop forgets a token that changed, here and in the other processes.
func (c *tokenCache) drop(appID AppID) {
	c.forget(appID)
	if c.peers != nil {
		c.peers.Tell(aboutAccount + string(appID))
	}
}

func (c *tokenCache) forget(appID AppID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rows, appID)
	c.drops++
}

func (c *tokenCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = nil
	c.drops++
}

// AccessToken returns an access token of the account that lives for at least a
// minute, and when it ends. A token close to its end is refreshed first. The
// error is NotFound for an account that is not authorized and Unavailable, never
// a dead token, when no live one can be had now.
func (s *Service) AccessToken(ctx context.Context, appID AppID) (secret.Secret, time.Time, error) {
	now := s.now()
	if t, ok := s.tokens.get(appID, now); ok {
		return t.token, t.expires, nil
	}
	generation := s.tokens.generation()
	c, err := s.store.Credentials(ctx, appID)
	switch {
	case errors.Is(err, ErrNoRow):
		err = Errorf(NotFound, KeyNotAuthorized, "account %s is not known", appID)
	case errors.Is(err, secret.ErrUnsealed):
		err = nil // damaged; a refresh replaces it
	case err != nil:
	case c.Standing != Active:
		err = Errorf(NotFound, KeyNotAuthorized, "account %s is %s", appID, c.Standing)
	case c.Stopped:
		err = Errorf(NotFound, KeyStopped, "account %s was stopped by the operator", appID)
	case c.NoAPI:
		err = Errorf(NotFound, KeyNoAPI, "account %s has no API permission", appID)
	case now.Add(servedLife).Before(c.AccessExpiresAt):
		s.tokens.put(appID, cachedToken{c.Access, c.AccessExpiresAt, now}, generation)
		return c.Access, c.AccessExpiresAt, nil
	}
	// Whether the account is ours, and which refresh token is right, is known only
	// when the store is verified. A live access token needs no such proof: a restore
	// takes all of them out, so WeChat gave it since.
	if unverified := s.verified(ctx); unverified != nil {
		return secret.Secret{}, time.Time{}, unverified
	}
	if err != nil {
		return secret.Secret{}, time.Time{}, err
	}
	return s.refreshNow(ctx, appID, now)
}

// refreshNow refreshes one account out of turn.
func (s *Service) refreshNow(ctx context.Context, appID AppID, now time.Time) (secret.Secret, time.Time, error) {
	d, ok, err := s.store.ClaimAccount(ctx, appID, now, now.Add(dueLease))
	if err != nil {
		return secret.Secret{}, time.Time{}, err
	}
	if !ok {
		return secret.Secret{}, time.Time{}, Errorf(Unavailable, KeyBlockedWeChat, "account %s is being refreshed", appID)
	}
	r, ended := s.refresh(ctx, d, now.Add(dueLease))
	if ended {
		c, err := s.store.Credentials(ctx, appID)
		if err != nil {
			return secret.Secret{}, time.Time{}, err
		}
		switch {
		case c.Standing != Active:
			return secret.Secret{}, time.Time{}, Errorf(NotFound, KeyNotAuthorized, "account %s has to be authorized again", appID)
		case s.now().Add(servedLife).Before(c.AccessExpiresAt):
			return c.Access, c.AccessExpiresAt, nil // restored from WeChat's list, or refreshed by another process
		}
		return secret.Secret{}, time.Time{}, Errorf(Unavailable, KeyBlockedWeChat, "the lease of account %s ran out", appID)
	}
	if err := s.saveRefreshed(ctx, []Refreshed{r}); err != nil {
		return secret.Secret{}, time.Time{}, err
	}
	if r.Failure != "" {
		return secret.Secret{}, time.Time{}, Errorf(Unavailable, KeyBlockedWeChat, "account %s: %s", appID, r.Failure)
	}
	return r.Tokens.Access, r.Now.Add(r.Tokens.Life), nil
}
