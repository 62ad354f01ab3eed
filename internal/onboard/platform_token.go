package onboard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
	"usher/internal/secret"
)

// How the platform's own credentials are kept. A token lives two hours and the
// official example fetches a new one after 1 h 50 min.
const (
	platformRenew   = 110 * time.Minute
	platformMargin  = time.Minute      // a token this close to its end is not used any more
	platformForced  = time.Minute      // between two fetches that refused tokens caused
	platformLease   = 30 * time.Second // for the process that fetches
	ticketSilence   = 30 * time.Minute // after which the push is asked to start again
	ticketAskAgain  = 30 * time.Minute
	ticketAskAtOnce = time.Minute // while there is no usable ticket at all
)

// platform is what this process remembers of the platform's credentials.
type platform struct {
	mu      sync.Mutex
	token   PlatformToken
	pending *fetch
	askedAt time.Time   // when the ticket push was last asked to start
	refused []time.Time // when tokens were refused although their time was not over
	// atEase is false while an attempt may be blocked for a cause that ends by
	// itself; another process may have blocked it before this one started.
	atEase bool
}

// fetch is a request for a token that several callers wait for.
type fetch struct {
	done  chan struct{}
	token PlatformToken
	err   error
}

// withPlatformToken runs call with a token that is good as far as we know. When
// WeChat refuses the token, a new one is fetched and call runs once more, never
// a third time: endless retries have burned whole daily quotas.
func (s *Service) withPlatformToken(ctx context.Context, call func(secret.Secret) error) error {
	t, err := s.platformToken(ctx, secret.Secret{})
	if err != nil {
		return err
	}
	err = call(t.Value)
	if up, ok := errors.AsType[*UpstreamError](err); !ok || up.Reaction != RefreshPlatform {
		return err
	}
	s.refusedToken(ctx)
	t, fetchErr := s.platformToken(ctx, t.Value)
	if fetchErr != nil {
		return fmt.Errorf("%w (after %w)", fetchErr, err)
	}
	return call(t.Value)
}

// How often platform tokens may be refused before their time before somebody is told.
const (
	refusedOften  = 3
	refusedWithin = 10 * time.Minute
)

// refusedToken says so when tokens do not last, which is what happens where two
// programs that do not know of one another fetch them for one platform.
func (s *Service) refusedToken(ctx context.Context) {
	s.platform.mu.Lock()
	defer s.platform.mu.Unlock()
	now := s.now()
	s.platform.refused = append(s.platform.refused, now)
	first := s.platform.refused[max(0, len(s.platform.refused)-refusedOften)]
	if len(s.platform.refused) >= refusedOften && now.Sub(first) <= refusedWithin {
		s.log.ErrorContext(ctx, "platform tokens are refused again and again; does another program fetch tokens for this platform?")
		s.platform.refused = nil
	}
}

// platformToken returns a live token other than refused. Callers that need a new
// one at the same time share one fetch.
func (s *Service) platformToken(ctx context.Context, refused secret.Secret) (PlatformToken, error) {
	s.platform.mu.Lock()
	if t := s.platform.token; usable(t, refused, s.now()) {
		s.platform.mu.Unlock()
		return t, nil
	}
	f := s.platform.pending
	if f == nil {
		f = &fetch{done: make(chan struct{})}
		s.platform.pending = f
		s.work.Go(func() {
			// Detached: the person who pressed the button may leave, the others wait on.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), platformLease/2)
			defer cancel()
			f.err = rescue.Do(func() (err error) { // whoever waits must hear the end in every case
				f.token, err = s.obtainPlatformToken(ctx, refused)
				return err
			})
			s.platform.mu.Lock()
			s.platform.pending = nil
			if f.err == nil {
				s.platform.token = f.token
			}
			s.platform.mu.Unlock()
			close(f.done)
		})
	}
	s.platform.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return PlatformToken{}, ctx.Err()
	}
}

func usable(t PlatformToken, refused secret.Secret, now time.Time) bool {
	return !t.Value.Empty() && t.Value != refused && now.Before(t.ExpiresAt.Add(-platformMargin))
}

// obtainPlatformToken takes the stored token when another process was faster,
// and otherwise fetches one under a lease.
func (s *Service) obtainPlatformToken(ctx context.Context, refused secret.Secret) (PlatformToken, error) {
	for {
		now := s.now()
		stored, err := s.store.PlatformToken(ctx)
		if err != nil && !errors.Is(err, ErrNoRow) {
			return PlatformToken{}, err
		}
		if usable(stored, refused, now) {
			return stored, nil
		}
		if !refused.Empty() && stored.Value == refused && now.Sub(stored.FetchedAt) < platformForced {
			return PlatformToken{}, &UpstreamError{API: "api_component_token", Reaction: Backoff,
				Err: fmt.Errorf("a token fetched %v ago was refused; another holder may be fetching tokens for this platform", now.Sub(stored.FetchedAt).Round(time.Second))}
		}
		fence, ok, err := s.store.ClaimPlatformToken(ctx, now, now.Add(platformLease))
		if err != nil {
			return PlatformToken{}, err
		}
		if ok {
			// Another process may have fetched and let go between the read and the claim.
			if stored, err := s.store.PlatformToken(ctx); err == nil && usable(stored, refused, now) {
				return stored, s.store.SavePlatformToken(ctx, PlatformToken{Fence: fence})
			}
			t, err := s.fetchPlatformToken(ctx, fence)
			if !errors.Is(err, ErrFenced) {
				return t, err
			}
			continue
		}
		select { // another process is fetching
		case <-ctx.Done():
			return PlatformToken{}, &UpstreamError{API: "api_component_token", Reaction: Backoff, Err: ctx.Err()}
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// fetchPlatformToken exchanges the newest ticket, and the one before it when
// WeChat refuses the newest. It ends the lease in every case.
func (s *Service) fetchPlatformToken(ctx context.Context, fence int64) (PlatformToken, error) {
	t := PlatformToken{Fence: fence}
	failpoint.Hit("platform.after_claim")
	err := func() error {
		tickets, err := s.store.Tickets(ctx)
		if err != nil {
			return err
		}
		var refusal error
		for i, ticket := range tickets {
			if i == 2 || s.now().Sub(ticket.ReceivedAt) >= TicketLife {
				break
			}
			at := s.now()
			value, life, err := s.wechat.PlatformToken(ctx, ticket.Value)
			if err == nil {
				t.Value, t.FetchedAt, t.ExpiresAt = value, at, at.Add(life)
				return nil
			}
			refusal = err
			if up, ok := errors.AsType[*UpstreamError](err); !ok || up.Reaction != AwaitTicket {
				return err
			}
		}
		s.askForTicket(ctx, ticketAskAtOnce)
		if refusal == nil {
			refusal = errors.New("no ticket from WeChat in the last 12 hours")
		}
		return Errorf(Unavailable, KeyBlockedTicket, "platform token: %w", refusal)
	}()
	failpoint.Hit("platform.after_http")
	// The lease must end although the caller's time may be over.
	saveCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if saveErr := s.store.SavePlatformToken(saveCtx, t); saveErr != nil && err == nil {
		return PlatformToken{}, saveErr
	}
	failpoint.Hit("platform.after_save")
	if err != nil {
		return PlatformToken{}, err
	}
	if err := s.goOn(ctx); err != nil {
		s.log.ErrorContext(ctx, "letting blocked attempts go on failed", "err", err)
	}
	return t, nil
}

// goOn lets blocked attempts go on, because WeChat has just served us.
func (s *Service) goOn(ctx context.Context) error {
	s.setAtEase(true) // first: who is blocked from now on says so after it is stored
	ids, err := s.store.ClearBlocked(ctx, []Key{KeyBlockedTicket, KeyBlockedCredentials, KeyBlockedIP, KeyBlockedWeChat}, s.now())
	if err != nil {
		s.setAtEase(false)
	}
	s.hub.wake(ids...)
	return err
}

func (s *Service) setAtEase(yes bool) {
	s.platform.mu.Lock()
	s.platform.atEase = yes
	s.platform.mu.Unlock()
}

// probe asks WeChat for one row of its list where attempts may be blocked, so
// that their pages go on when WeChat answers again or our address is allowed.
func (s *Service) probe(ctx context.Context) error {
	s.platform.mu.Lock()
	atEase := s.platform.atEase
	s.platform.mu.Unlock()
	if atEase {
		return nil
	}
	err := s.withPlatformToken(ctx, func(token secret.Secret) error {
		_, _, err := s.wechat.Authorizers(ctx, token, 0, 1)
		return err
	})
	if err != nil {
		return fmt.Errorf("WeChat does not serve us yet: %w", err)
	}
	return s.goOn(ctx)
}

// askForTicket starts the push unless it was asked for less than atMost ago.
func (s *Service) askForTicket(ctx context.Context, atMost time.Duration) {
	now := s.now()
	s.platform.mu.Lock()
	wait := !s.platform.askedAt.IsZero() && now.Sub(s.platform.askedAt) < atMost
	if !wait {
		s.platform.askedAt = now
	}
	s.platform.mu.Unlock()
	if wait {
		return
	}
	if err := s.wechat.StartPushTicket(ctx); err != nil {
		s.log.WarnContext(ctx, "asking WeChat to start ticket pushes failed", "err", err)
		return
	}
	s.log.InfoContext(ctx, "asked WeChat to start ticket pushes")
}

// KeepPlatform keeps the platform's own credentials: it asks for tickets when
// none came for 30 minutes and fetches a new token after 1 h 50 min. In between
// it finds out whether blocked attempts can go on.
func (s *Service) KeepPlatform(ctx context.Context) error {
	ctx = probing(ctx)
	now := s.now()
	tickets, err := s.store.Tickets(ctx)
	if err != nil {
		return err
	}
	if len(tickets) == 0 || now.Sub(tickets[0].ReceivedAt) >= TicketLife {
		s.askForTicket(ctx, ticketAskAtOnce)
		return nil
	}
	if now.Sub(tickets[0].ReceivedAt) >= ticketSilence {
		s.askForTicket(ctx, ticketAskAgain)
	}
	stored, err := s.store.PlatformToken(ctx)
	switch {
	case errors.Is(err, ErrNoRow):
	case err != nil:
		return err
	case now.Sub(stored.FetchedAt) < platformRenew && usable(stored, secret.Secret{}, now):
		return s.probe(ctx)
	}
	_, err = s.renewPlatformToken(ctx, stored)
	return err
}

// renewPlatformToken fetches a token although the stored one still works.
func (s *Service) renewPlatformToken(ctx context.Context, stored PlatformToken) (PlatformToken, error) {
	s.platform.mu.Lock()
	if s.platform.token.Value == stored.Value {
		s.platform.token = PlatformToken{} // the next caller joins the fetch below
	}
	s.platform.mu.Unlock()
	return s.platformToken(ctx, stored.Value)
}
