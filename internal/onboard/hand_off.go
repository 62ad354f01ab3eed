package onboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

// HandOff mints a pre-authorization code for one press of a button and returns
// the address of WeChat's page. Presses of the same session within two seconds
// get the same address, so that a double tap is harmless. When WeChat does not
// let us, the attempt says why and the error is Unavailable.
func (s *Service) HandOff(ctx context.Context, id string, ch Channel, session string) (string, error) {
	key := string(ch) + " " + id + " " + session
	return s.minted.do(key, s.now, func() (string, error) {
		state := newToken()
		a, code, _, err := s.mint(ctx, id, ch, state, session)
		if err != nil {
			return "", err
		}
		return s.wechat.Link(LinkRequest{
			Channel: ch, PreAuthCode: code.Reveal(), RedirectURL: s.publicURL + "/cb/" + state,
			AuthType: a.AuthType, BizAppID: a.BizAppID, Wanted: a.Wanted,
		}), nil
	})
}

// PluginLink is what a Mini Program with WeChat's service-provider plug-in needs.
type PluginLink struct {
	PreAuthCode secret.Secret
	AuthType    AuthType
	BizAppID    AppID
	ExpiresIn   time.Duration
}

// PluginHandOff mints a pre-authorization code for WeChat's plug-in. There is no
// redirect: the account arrives by the push alone.
func (s *Service) PluginHandOff(ctx context.Context, id string) (PluginLink, error) {
	a, code, life, err := s.mint(ctx, id, Plugin, "", "")
	if err != nil {
		return PluginLink{}, err
	}
	return PluginLink{PreAuthCode: code, AuthType: a.AuthType, BizAppID: a.BizAppID, ExpiresIn: life}, nil
}

// mint gets one code and stores the hand-off before the code leaves us, so that
// the push which names it always finds its attempt.
func (s *Service) mint(ctx context.Context, id string, ch Channel, state, session string) (Attempt, secret.Secret, time.Duration, error) {
	a, err := s.Attempt(ctx, id)
	if err != nil {
		return a, secret.Secret{}, 0, err
	}
	now := s.now()
	switch {
	case !a.FinishedAt.IsZero():
		return a, secret.Secret{}, 0, Errorf(Expired, KeyUsed, "attempt %s is finished", id)
	case !now.Before(a.ExpiresAt):
		return a, secret.Secret{}, 0, Errorf(Expired, KeyExpired, "attempt %s ended at %v", id, a.ExpiresAt)
	}
	var code secret.Secret
	var life time.Duration
	err = s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		code, life, err = s.wechat.PreAuthCode(ctx, token)
		return err
	})
	if err != nil {
		return a, secret.Secret{}, 0, s.block(ctx, id, err)
	}
	failpoint.Hit("handoff.after_http")
	h := Handoff{
		ID: newID(), AttemptID: id, Channel: ch, CodeHash: s.hasher.Hash(purposePreAuth, code.Reveal()),
		Session: s.sessionHash(session), MintedAt: now, ExpiresAt: now.Add(life),
	}
	if state != "" {
		h.StateHash = s.hasher.Hash(purposeState, state)
	}
	if err := s.store.SaveHandoff(ctx, h); err != nil {
		return a, secret.Secret{}, 0, err
	}
	failpoint.Hit("handoff.after_save")
	s.hub.wake(id)
	return a, code, life, nil
}

// block records on the attempt why it cannot go on and returns the error for the
// person, whose sentence is the same.
func (s *Service) block(ctx context.Context, id string, cause error) error {
	key := blockedBy(cause)
	if errors.Is(cause, context.Canceled) {
		return cause // the person left; nothing is wrong
	}
	if err := s.store.SaveBlocked(ctx, id, key, s.now()); err != nil {
		s.log.ErrorContext(ctx, "recording a block failed", "attempt", id, "err", err)
	}
	s.setAtEase(false)
	s.hub.wake(id)
	return Errorf(Unavailable, key, "hand-off of attempt %s: %w", id, cause)
}

// blockedBy names the sentence for a failure of the platform as a whole.
func blockedBy(err error) Key {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == Unavailable {
		return e.Key
	}
	up, ok := errors.AsType[*UpstreamError](err)
	if !ok {
		return KeyBlockedWeChat
	}
	switch up.Reaction {
	case AwaitTicket:
		return KeyBlockedTicket
	case Quota:
		return KeyBlockedQuota
	case Configure:
		switch up.Code {
		case 61004, 40164, 40090, 45035:
			return KeyBlockedIP
		case 61028, 61029:
			return KeyBlockedUnpublished
		}
		return KeyBlockedCredentials
	}
	return KeyBlockedWeChat
}

// minted remembers, for two seconds and in memory only, the address that a press
// of a button led to, and joins presses that happen at once.
type minted struct {
	mu    sync.Mutex
	links map[string]*mintedLink
}

type mintedLink struct {
	ready chan struct{}
	link  string
	err   error
	at    time.Time
}

const doubleTap = 2 * time.Second

func (m *minted) do(key string, now func() time.Time, mint func() (string, error)) (string, error) {
	m.mu.Lock()
	if m.links == nil {
		m.links = make(map[string]*mintedLink)
	}
	at := now()
	for k, l := range m.links { // few: each lives two seconds
		if at.Sub(l.at) >= doubleTap && k != key {
			delete(m.links, k)
		}
	}
	if l, ok := m.links[key]; ok && at.Sub(l.at) < doubleTap {
		m.mu.Unlock()
		<-l.ready
		return l.link, l.err
	}
	l := &mintedLink{ready: make(chan struct{}), at: at}
	m.links[key] = l
	m.mu.Unlock()

	l.link, l.err = mint()
	if l.err != nil { // a failed press must not answer for the next one
		m.mu.Lock()
		if m.links[key] == l {
			delete(m.links, key)
		}
		m.mu.Unlock()
	}
	close(l.ready)
	return l.link, l.err
}
