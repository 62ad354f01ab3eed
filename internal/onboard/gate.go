package onboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"usher/internal/rescue"
	"usher/internal/secret"
)

// When an endpoint of WeChat is left alone, and for how long.
const (
	gateFailures = 5                // calls in a row without a readable answer
	gateFirst    = time.Second      // then it is called once after this,
	gateMost     = 30 * time.Second // doubling up to this, so that we are back soon after WeChat is
	dayQuota     = 30 * time.Minute // after 45009: until one call is served again, which it is the next day at the latest
	minuteQuota  = time.Minute      // after 45011, and up to half as much more
	addressPause = 5 * time.Minute  // for every endpoint, after WeChat refused our address
	busyTries    = 3                // calls for one purpose while WeChat says that it is busy (-1)
	busyPause    = 200 * time.Millisecond
)

// The names of the endpoints in [UpstreamError].
const (
	apiStartPush   = "api_start_push_ticket"
	apiToken       = "api_component_token"
	apiPreAuth     = "api_create_preauthcode"
	apiExchange    = "api_query_auth"
	apiRefresh     = "api_authorizer_token"
	apiProfile     = "api_get_authorizer_info"
	apiAuthorizers = "api_get_authorizer_list"
)

// gate stands before WeChat. An endpoint that does not answer, or whose quota is
// used up, is left alone for a while; then one call finds out whether it is back.
// A call that is not made fails like the last one that was, with nothing spent.
type gate struct {
	OpenPlatform
	now func() time.Time
	log *slog.Logger

	mu        sync.Mutex
	endpoints map[string]*endpoint
	// address is closed for all while WeChat refuses the address we call from.
	address endpoint
}

// endpoint is what the gate knows of one.
type endpoint struct {
	failures int // in a row
	closings int // in a row
	until    time.Time
	probing  bool // the one call that finds out is under way
	last     *UpstreamError
}

// closed returns the error of a call that is not to be made at now. Where one
// call may find out, it is this one.
func (e *endpoint) closed(now time.Time) error {
	if e.until.IsZero() {
		return nil
	}
	if !now.Before(e.until) && !e.probing {
		e.probing = true
		return nil
	}
	up := *e.last
	up.Unknown = false
	up.Err = fmt.Errorf("not called until %s because: %w", e.until.UTC().Format(time.TimeOnly), e.last.Err)
	return &up
}

func (e *endpoint) close(now time.Time, wait time.Duration, last *UpstreamError) {
	e.closings++
	e.until, e.last = now.Add(wait), last
}

type probeKey struct{}

// probing marks the few calls by which upkeep finds out each minute whether WeChat
// serves us again. Only a quota stops them.
func probing(ctx context.Context) context.Context { return context.WithValue(ctx, probeKey{}, true) }

// enter asks for leave to call api.
func (g *gate) enter(ctx context.Context, api string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	e := g.endpoint(api)
	if ctx.Value(probeKey{}) != nil && (e.last == nil || e.last.Reaction != Quota) {
		return nil
	}
	if err := e.closed(now); err != nil {
		return err
	}
	if err := g.address.closed(now); err != nil {
		e.probing = false
		return err
	}
	return nil
}

func (g *gate) endpoint(api string) *endpoint {
	if g.endpoints == nil {
		g.endpoints = make(map[string]*endpoint)
	}
	if g.endpoints[api] == nil {
		g.endpoints[api] = &endpoint{}
	}
	return g.endpoints[api]
}

// leave takes note of what became of a call of api.
func (g *gate) leave(ctx context.Context, api string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, now := g.endpoint(api), g.now()
	e.probing, g.address.probing = false, false
	up, refused := errors.AsType[*UpstreamError](err)
	switch {
	case err != nil && (!refused || up.Code == 0 && errors.Is(ctx.Err(), context.Canceled)):
		// The caller left. Nothing is known.
	case refused && now.Before(e.until):
		// It began before the others that closed the gate.
	case refused && up.Code == 45011:
		e.close(now, minuteQuota+rand.N(minuteQuota/2), up)
		g.log.ErrorContext(ctx, "the calls of a minute are used up", "api", api, "again", e.until)
	case refused && up.Reaction == Quota:
		e.close(now, dayQuota, up)
		g.log.ErrorContext(ctx, "the calls of a day are used up; resetting the quota is for a person to decide", "api", api, "again", e.until)
	case refused && blockedBy(up) == KeyBlockedIP:
		g.address.close(now, addressPause, up)
		g.log.ErrorContext(ctx, "WeChat refuses our address", "api", api, "address", up.IP, "again", g.address.until)
	case refused && (up.Code == 0 || up.Code == -1):
		if e.failures++; e.failures < gateFailures && e.until.IsZero() {
			return
		}
		e.close(now, backoff(e.closings+1, gateFirst, gateMost), up)
		if e.closings == 1 {
			g.log.WarnContext(ctx, "WeChat does not answer; it is called less", "api", api, "err", err)
		}
	default: // WeChat serves us, whatever it says
		if !e.until.IsZero() || !g.address.until.IsZero() {
			g.log.InfoContext(ctx, "WeChat answers again", "api", api)
		}
		*e, g.address = endpoint{}, endpoint{}
	}
}

// TryAgain lets every endpoint of WeChat be called at once: an operator has
// mended what kept us away, such as a quota that was reset.
func (s *Service) TryAgain() {
	s.wechat.mu.Lock()
	defer s.wechat.mu.Unlock()
	s.wechat.endpoints, s.wechat.address = nil, endpoint{}
}

// room is how many calls of api make sense now, at most n.
func (g *gate) room(api string, n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, e := range []*endpoint{g.endpoint(api), &g.address} {
		switch {
		case e.until.IsZero():
		case now.Before(e.until) || e.probing:
			return 0
		default:
			n = 1
		}
	}
	return n
}

// pass calls api through the gate. Where WeChat says that it is busy, which means
// that it did nothing, it is asked up to twice more, unless once says that it may
// not be.
func (g *gate) pass(ctx context.Context, api string, once bool, call func() error) error {
	for try := 1; ; try++ {
		if err := g.enter(ctx, api); err != nil {
			return err
		}
		err := rescue.Do(call) // or a panic in the one call that finds out would leave it out for ever
		up, ok := errors.AsType[*UpstreamError](err)
		again := ok && up.Code == -1 && !once && try < busyTries
		if !again {
			g.leave(ctx, api, err)
			return err
		}
		g.mu.Lock()
		g.endpoint(api).probing, g.address.probing = false, false
		g.mu.Unlock()
		timer := time.NewTimer(busyPause + rand.N(time.Duration(try)*2*busyPause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			g.leave(ctx, api, err)
			return err
		}
	}
}

// StartPushTicket implements [OpenPlatform].
func (g *gate) StartPushTicket(ctx context.Context) error {
	return g.pass(ctx, apiStartPush, true, func() error { return g.OpenPlatform.StartPushTicket(ctx) })
}

// PlatformToken implements [OpenPlatform].
func (g *gate) PlatformToken(ctx context.Context, ticket secret.Secret) (token secret.Secret, life time.Duration, err error) {
	err = g.pass(ctx, apiToken, false, func() (err error) {
		token, life, err = g.OpenPlatform.PlatformToken(ctx, ticket)
		return err
	})
	return token, life, err
}

// PreAuthCode implements [OpenPlatform].
func (g *gate) PreAuthCode(ctx context.Context, token secret.Secret) (code secret.Secret, life time.Duration, err error) {
	err = g.pass(ctx, apiPreAuth, false, func() (err error) {
		code, life, err = g.OpenPlatform.PreAuthCode(ctx, token)
		return err
	})
	return code, life, err
}

// Exchange implements [OpenPlatform]. A code that may be spent is not sent again
// from here: the arrival decides.
func (g *gate) Exchange(ctx context.Context, token, code secret.Secret) (auth Authorization, err error) {
	err = g.pass(ctx, apiExchange, true, func() (err error) {
		auth, err = g.OpenPlatform.Exchange(ctx, token, code)
		return err
	})
	return auth, err
}

// Refresh implements [OpenPlatform].
func (g *gate) Refresh(ctx context.Context, token secret.Secret, appID AppID, refresh secret.Secret) (t Tokens, err error) {
	err = g.pass(ctx, apiRefresh, false, func() (err error) {
		t, err = g.OpenPlatform.Refresh(ctx, token, appID, refresh)
		return err
	})
	return t, err
}

// Profile implements [OpenPlatform].
func (g *gate) Profile(ctx context.Context, token secret.Secret, appID AppID) (p Profile, grants Grants, refresh secret.Secret, err error) {
	err = g.pass(ctx, apiProfile, false, func() (err error) {
		p, grants, refresh, err = g.OpenPlatform.Profile(ctx, token, appID)
		return err
	})
	return p, grants, refresh, err
}

// Authorizers implements [OpenPlatform].
func (g *gate) Authorizers(ctx context.Context, token secret.Secret, offset, count int) (rows []Authorizer, total int, err error) {
	err = g.pass(ctx, apiAuthorizers, false, func() (err error) {
		rows, total, err = g.OpenPlatform.Authorizers(ctx, token, offset, count)
		return err
	})
	return rows, total, err
}
