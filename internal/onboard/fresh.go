package onboard

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
	"usher/internal/secret"
)

const (
	// Before a token's end refreshes are spread between these two by AppID, so that a
	// herd never forms. WeChat may be away for 20 minutes and then refuse a few times.
	leadLeast    = 25 * time.Minute
	leadMost     = 60 * time.Minute
	dueBatch     = 50
	duesAtOnce   = 8
	dueLease     = 2 * time.Minute  // longer than a whole batch may take
	callTime     = 12 * time.Second // longer than one call to WeChat may take
	provenFailed = 72 * time.Hour   // of failures before a listed account is asked to scan again
	retryFirst   = time.Minute      // after a failed refresh,
	retryMost    = 10 * time.Minute // doubling up to this
)

// dueAt returns when the token of appID, which lives for life from now, should
// be refreshed. Tokens that live shorter than usual are refreshed at half their life.
func dueAt(appID AppID, now time.Time, life time.Duration) time.Time {
	h := fnv.New64a()
	_, _ = h.Write([]byte(appID)) // never fails
	lead := leadLeast + time.Duration(h.Sum64()>>1)%(leadMost-leadLeast)
	return now.Add(max(life-lead, life/2))
}

// KeepFresh refreshes every account whose time has come. Failures of the platform
// as a whole are never counted against an account. While the store is unverified
// it waits: the sweep brings the right tokens, and old ones would only be refused.
func (s *Service) KeepFresh(ctx context.Context) error {
	if unverified, err := s.unverified(ctx); err != nil || unverified {
		return err
	}
	for {
		now := s.now()
		batch := s.wechat.room(apiRefresh, dueBatch)
		if batch == 0 { // what is due stays due, and is not claimed in vain
			return nil
		}
		due, err := s.store.ClaimDue(ctx, now, now.Add(dueLease), batch)
		if err != nil || len(due) == 0 {
			return err
		}
		failpoint.Hit("refresh.after_claim")
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			results []Refreshed
			slots   = make(chan struct{}, duesAtOnce)
		)
		for _, d := range due {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				r, ended := s.refresh(ctx, d, now.Add(dueLease))
				if ended {
					return
				}
				mu.Lock()
				results = append(results, r)
				mu.Unlock()
			})
		}
		wg.Wait()
		if err := s.saveRefreshed(ctx, results); err != nil {
			return err
		}
		if len(due) < batch || ctx.Err() != nil {
			return nil
		}
	}
}

// saveRefreshed stores what was fetched even when ctx just ended: an answer of
// WeChat is never thrown away.
func (s *Service) saveRefreshed(ctx context.Context, results []Refreshed) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	failpoint.Hit("refresh.before_save")
	fenced, err := s.store.SaveRefreshed(ctx, results)
	failpoint.Hit("refresh.after_save")
	for _, r := range results {
		s.tokens.drop(r.AppID)
	}
	if len(fenced) > 0 {
		// The merchants authorized again meanwhile, which brought newer tokens.
		s.log.InfoContext(ctx, "refreshes came too late and were not stored", "count", len(fenced))
	}
	return err
}

// refresh gets new tokens for one account that is leased until end. ended is true
// when the claim has ended already: what WeChat's list told was stored, the
// merchant must authorize again, or so much time passed that another process may
// have the account by now.
func (s *Service) refresh(ctx context.Context, d Due, end time.Time) (r Refreshed, ended bool) {
	r = Refreshed{AppID: d.AppID, Fence: d.Fence, WasDueAt: d.DueAt}
	err := rescue.Do(func() (err error) {
		r.Tokens, ended, err = s.renew(ctx, d, end)
		return err
	})
	if ended {
		return r, true
	}
	r.Now = s.now()
	if err == nil {
		r.DueAt = dueAt(d.AppID, r.Now, r.Tokens.Life)
		return r, false
	}
	r.Tokens = Tokens{}
	r.Failure, r.Platform = reason(err), platformWide(err)
	r.DueAt = r.Now.Add(backoff(d.Failures+1, retryFirst, retryMost))
	s.log.WarnContext(ctx, "refreshing a token failed", append(rescue.Attrs(err), "appid", string(d.AppID), "failures", d.Failures+1, "platform", r.Platform)...)
	return r, false
}

// renew is refresh without what is to be stored of it.
func (s *Service) renew(ctx context.Context, d Due, end time.Time) (t Tokens, ended bool, err error) {
	if err := s.pace.wait(ctx); err != nil {
		return Tokens{}, false, err
	}
	failpoint.Hit("refresh.before_http")
	if s.late(ctx, end) {
		return Tokens{}, true, nil
	}
	t, err = s.refreshWith(ctx, d.AppID, d.Refresh)
	failpoint.Hit("refresh.after_http")
	if !refusesToken(err) {
		return t, false, err
	}
	if s.replacedMeanwhile(ctx, d) {
		return Tokens{}, true, nil
	}
	if err = s.verify(ctx, d, err); err == nil {
		s.tokens.drop(d.AppID)
		return Tokens{}, true, nil
	}
	return Tokens{}, s.replacedMeanwhile(ctx, d), err
}

// replacedMeanwhile reports whether another refresh token was stored since the
// claim, which ended it: the merchant authorized again while the old one was tried.
func (s *Service) replacedMeanwhile(ctx context.Context, d Due) bool {
	held, err := s.store.Credentials(ctx, d.AppID)
	return err == nil && !d.Refresh.Empty() && held.Refresh != d.Refresh
}

// late reports whether a lease that ends at end leaves no time for a call to
// WeChat: the process was stopped for a while, and woke up. Another one may be at
// it by now, and two calls for one token can make both answers worthless.
func (s *Service) late(ctx context.Context, end time.Time) bool {
	if s.now().Before(end.Add(-callTime)) {
		return false
	}
	s.log.WarnContext(ctx, "a lease ran out before it was used; was this process stopped?")
	return true
}

func (s *Service) refreshWith(ctx context.Context, appID AppID, refresh secret.Secret) (Tokens, error) {
	if refresh.Empty() { // an empty token is the usual cause of 61023; never send it
		return Tokens{}, &UpstreamError{API: "api_authorizer_token", Reaction: Reauthorize, Err: errors.New("no refresh token is stored")}
	}
	var t Tokens
	err := s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		t, err = s.wechat.Refresh(ctx, token, appID, refresh)
		return err
	})
	return t, err
}

// platformWide reports whether a failure says nothing about the account. A panic
// says that something about it is more than the program can bear.
func platformWide(err error) bool {
	if rescue.Is(err) {
		return false
	}
	up, ok := errors.AsType[*UpstreamError](err)
	if !ok {
		return true
	}
	switch up.Reaction {
	case Reauthorize, MissingScope, Show, Bug:
		return false
	}
	return true
}

// verify doubts WeChat's word that a refresh token is dead (61023, 61003): such
// answers are often false. The list decides whether the account is still ours;
// then every token that may be the right one is tried, and what one of them
// brings is stored. Only when the whole list lacks the account and its details are
// refused too, or nothing worked for three days, is the merchant asked to scan
// again. In both cases the claim has ended and the error is nil.
func (s *Service) verify(ctx context.Context, d Due, cause error) error {
	row, ok, err := s.listed(ctx, d.AppID, time.Minute)
	if err == nil && !ok { // a list that was read before the account was authorized proves no absence
		row, ok, err = s.listed(ctx, d.AppID, 0)
	}
	if err != nil {
		return err // nothing is proven
	}
	failpoint.Hit("verify.after_list")
	gone := false
	if ok {
		// With another token the merchant may have authorized again, so the grants
		// are read too.
		if _, err = s.restore(ctx, row); err == nil {
			failpoint.Hit("verify.after_refresh")
			return nil
		}
		cause = err
	} else if _, _, err = s.details(ctx, d.AppID); err != nil { // a list may be wrong about one account
		cause, gone = err, refusesToken(err)
	}
	if !gone && (!refusesToken(cause) || s.now().Sub(d.EndsAt) < provenFailed) {
		return cause
	}
	failpoint.Hit("verify.before_rescan")
	s.log.WarnContext(ctx, "a merchant has to authorize again", "appid", string(d.AppID), "listed", ok, "err", cause)
	if err := s.store.SaveRescan(ctx, d.AppID, d.Fence, reason(cause), s.now()); err != nil && !errors.Is(err, ErrFenced) {
		return err
	}
	failpoint.Hit("verify.after_rescan")
	return nil
}
