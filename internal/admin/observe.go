package admin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Kinds of beats.
const (
	beatCall    = "call"
	beatFailed  = "call_failed"
	beatPreAuth = "pre_auth_code"
	beatRefused = "push_refused." // and the class of the refusal
)

// pulseMemory is for how long beats are kept: a day, whatever the time of day.
const pulseMemory = 49 * time.Hour

// pulse is what this process noticed since it was last saved. It holds counts,
// codes and times, never content.
type pulse struct {
	mu     sync.Mutex
	beats  map[beatKey]Beat
	checks map[CheckName]Check
	saving sync.Mutex // one at a time, so that what failed to be saved is not overtaken
}

type beatKey struct {
	minute int64
	kind   string
}

func (p *pulse) beat(kind string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(Beat{Minute: now.Truncate(time.Minute), Kind: kind, N: 1, LastAt: now})
}

// add counts; the caller holds mu.
func (p *pulse) add(b Beat) {
	if p.beats == nil {
		p.beats = map[beatKey]Beat{}
	}
	key := beatKey{b.Minute.UnixMilli(), b.Kind}
	b.N += p.beats[key].N
	p.beats[key] = b
}

// found adds what was found out; the caller holds mu.
func (p *pulse) found(all ...Check) {
	if p.checks == nil {
		p.checks = map[CheckName]Check{}
	}
	for _, c := range all {
		if before, known := p.checks[c.Name]; known {
			c = before.join(c)
		}
		p.checks[c.Name] = c
	}
}

// take empties p in an order that two processes share, so that they cannot wait for
// one another.
func (p *pulse) take() ([]Beat, []Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	beats, checks := slices.Collect(maps.Values(p.beats)), slices.Collect(maps.Values(p.checks))
	p.beats, p.checks = nil, nil
	slices.SortFunc(beats, func(a, b Beat) int { return cmp.Or(a.Minute.Compare(b.Minute), cmp.Compare(a.Kind, b.Kind)) })
	slices.SortFunc(checks, func(a, b Check) int { return cmp.Compare(a.Name, b.Name) })
	return beats, checks
}

// SavePulse stores what was noticed since the last time. What cannot be stored is
// kept for the next time.
func (s *Service) SavePulse(ctx context.Context) error {
	s.pulse.saving.Lock()
	defer s.pulse.saving.Unlock()
	beats, checks := s.pulse.take()
	if len(beats) == 0 && len(checks) == 0 {
		return nil
	}
	err := s.store.SavePulse(ctx, beats, checks, s.now().Add(-pulseMemory))
	if err == nil {
		return nil
	}
	s.pulse.mu.Lock()
	defer s.pulse.mu.Unlock()
	for _, b := range beats {
		s.pulse.add(b)
	}
	later := s.pulse.checks
	s.pulse.checks = nil
	s.pulse.found(checks...)
	s.pulse.found(slices.Collect(maps.Values(later))...)
	return err
}

// PushRefused counts a push that was refused; class says why.
func (s *Service) PushRefused(class string) { s.pulse.beat(beatRefused+class, s.now()) }

// called notes the outcome of one call.
func (s *Service) called(api string, err error) {
	now := s.now()
	all := findings(api, err, now, s.secretInUse())
	if len(all) == 0 {
		return
	}
	s.pulse.beat(beatCall, now)
	if failed(err) {
		s.pulse.beat(beatFailed, now)
	}
	s.pulse.mu.Lock()
	defer s.pulse.mu.Unlock()
	s.pulse.found(all...)
}

// secretInUse is the fingerprint of the AppSecret.
func (s *Service) secretInUse() string { return s.Fingerprint(s.Platform().Secret) }

// Observe returns to as it is, with the outcome of every call noted.
func (s *Service) Observe(to onboard.OpenPlatform) onboard.OpenPlatform {
	return &observed{OpenPlatform: to, s: s}
}

// observed notes outcomes on the way.
type observed struct {
	onboard.OpenPlatform
	s *Service
}

func (o *observed) StartPushTicket(ctx context.Context) error {
	if o.s.Platform().Secret.Empty() { // WeChat can only refuse it
		return onboard.Errorf(onboard.Unavailable, onboard.KeyBlockedCredentials, "no AppSecret is set")
	}
	err := o.OpenPlatform.StartPushTicket(ctx)
	o.s.called("api_start_push_ticket", err)
	return err
}

func (o *observed) PlatformToken(ctx context.Context, ticket secret.Secret) (secret.Secret, time.Duration, error) {
	token, life, err := o.OpenPlatform.PlatformToken(ctx, ticket)
	o.s.called("api_component_token", err)
	return token, life, err
}

func (o *observed) PreAuthCode(ctx context.Context, token secret.Secret) (secret.Secret, time.Duration, error) {
	code, life, err := o.OpenPlatform.PreAuthCode(ctx, token)
	o.s.called("api_create_preauthcode", err)
	if err == nil {
		o.s.pulse.beat(beatPreAuth, o.s.now())
	}
	return code, life, err
}

func (o *observed) Exchange(ctx context.Context, token, code secret.Secret) (onboard.Authorization, error) {
	a, err := o.OpenPlatform.Exchange(ctx, token, code)
	o.s.called("api_query_auth", err)
	return a, err
}

func (o *observed) Refresh(ctx context.Context, token secret.Secret, appID onboard.AppID, refresh secret.Secret) (onboard.Tokens, error) {
	t, err := o.OpenPlatform.Refresh(ctx, token, appID, refresh)
	o.s.called("api_authorizer_token", err)
	return t, err
}

func (o *observed) Profile(ctx context.Context, token secret.Secret, appID onboard.AppID) (onboard.Profile, onboard.Grants, secret.Secret, error) {
	p, g, refresh, err := o.OpenPlatform.Profile(ctx, token, appID)
	o.s.called("api_get_authorizer_info", err)
	return p, g, refresh, err
}

func (o *observed) Authorizers(ctx context.Context, token secret.Secret, offset, count int) ([]onboard.Authorizer, int, error) {
	rows, total, err := o.OpenPlatform.Authorizers(ctx, token, offset, count)
	o.s.called("api_get_authorizer_list", err)
	return rows, total, err
}

func (o *observed) Quota(ctx context.Context, token secret.Secret, path string) (onboard.Usage, error) {
	u, err := o.OpenPlatform.Quota(ctx, token, path)
	o.s.called("openapi/quota/get", err)
	return u, err
}

func (o *observed) ClearQuota(ctx context.Context) error {
	err := o.OpenPlatform.ClearQuota(ctx)
	o.s.called("clear_quota/v2", err)
	return err
}
