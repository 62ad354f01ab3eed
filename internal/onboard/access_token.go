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

	// A refresh that somebody else is at is waited for: longer than one call may take.
	refreshPatience = callTime + 3*time.Second
	refreshLook     = 200 * time.Millisecond // how often
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
	token, expires, err := s.heldToken(ctx, appID)
	if err == nil && !token.Empty() {
		s.tokens.put(appID, cachedToken{token, expires, now}, generation)
		return token, expires, nil
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

// heldToken returns the token that the store has. It is empty when there is none
// that lives long enough, and a refresh may bring one.
func (s *Service) heldToken(ctx context.Context, appID AppID) (token secret.Secret, expires time.Time, err error) {
	c, err := s.store.Credentials(ctx, appID)
	switch {
	case errors.Is(err, ErrNoRow):
		return token, expires, Errorf(NotFound, KeyNotAuthorized, "account %s is not known", appID)
	case errors.Is(err, secret.ErrUnsealed):
		return token, expires, nil // damaged; a refresh replaces it
	case err != nil:
		return token, expires, err
	case c.Standing != Active:
		return token, expires, Errorf(NotFound, KeyNotAuthorized, "account %s is %s", appID, c.Standing)
	case c.Stopped:
		return token, expires, Errorf(NotFound, KeyStopped, "account %s was stopped by the operator", appID)
	case c.NoAPI:
		return token, expires, Errorf(NotFound, KeyNoAPI, "account %s has no API permission", appID)
	case s.now().Add(servedLife).Before(c.AccessExpiresAt):
		return c.Access, c.AccessExpiresAt, nil
	}
	return token, expires, nil
}

// refreshNow refreshes one account out of turn, or waits while it is being refreshed.
// When that ends between a look and the next claim, the account is refreshed once
// more, which harms nobody.
func (s *Service) refreshNow(ctx context.Context, appID AppID, now time.Time) (secret.Secret, time.Time, error) {
	patience := time.NewTimer(refreshPatience)
	defer patience.Stop()
	for ; ; now = s.now() {
		d, ok, err := s.store.ClaimAccount(ctx, appID, now, now.Add(dueLease))
		if err != nil {
			return secret.Secret{}, time.Time{}, err
		}
		if ok {
			return s.refreshClaimed(ctx, d, now.Add(dueLease))
		}
		select {
		case <-ctx.Done():
			return secret.Secret{}, time.Time{}, ctx.Err()
		case <-patience.C:
			return secret.Secret{}, time.Time{}, Errorf(Unavailable, KeyBlockedWeChat, "account %s is being refreshed", appID)
		case <-time.After(refreshLook):
		}
		if token, expires, err := s.heldToken(ctx, appID); err != nil || !token.Empty() {
			return token, expires, err
		}
	}
}

// refreshClaimed refreshes an account that is leased until end.
func (s *Service) refreshClaimed(ctx context.Context, d Due, end time.Time) (secret.Secret, time.Time, error) {
	r, ended := s.refresh(ctx, d, end)
	if ended { // restored from WeChat's list, or refreshed by another process
		token, expires, err := s.heldToken(ctx, d.AppID)
		if err == nil && token.Empty() {
			err = Errorf(Unavailable, KeyBlockedWeChat, "the lease of account %s ran out", d.AppID)
		}
		return token, expires, err
	}
	if err := s.saveRefreshed(ctx, []Refreshed{r}); err != nil {
		return secret.Secret{}, time.Time{}, err
	}
	if r.Failure != "" {
		return secret.Secret{}, time.Time{}, Errorf(Unavailable, KeyBlockedWeChat, "account %s: %s", d.AppID, r.Failure)
	}
	return r.Tokens.Access, r.Now.Add(r.Tokens.Life), nil
}
