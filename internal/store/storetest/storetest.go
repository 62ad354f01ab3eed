// Package storetest holds every promise of [onboard.Store] as a test, so that
// each engine is held to the same ones. It knows no SQL.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Run tests a store. open returns one or several stores of the same platform on
// one new and empty database; with several the races run across them.
func Run(t *testing.T, open func(testing.TB) []onboard.Store) {
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"AttemptRoundTrip", (*suite).attemptRoundTrip},
		{"AttemptLookups", (*suite).attemptLookups},
		{"AttemptsBySession", (*suite).attemptsBySession},
		{"AccountsBySession", (*suite).accountsBySession},
		{"ClaimOpened", (*suite).claimOpened},
		{"SaveInvite", (*suite).saveInvite},
		{"Blocked", (*suite).blocked},
		{"Handoff", (*suite).handoff},
		{"SaveArrival", (*suite).saveArrival},
		{"SaveArrivalRace", (*suite).saveArrivalRace},
		{"ArrivalMovesAttempt", (*suite).arrivalMovesAttempt},
		{"ClaimArrivals", (*suite).claimArrivals},
		{"ClaimArrivalsOfCode", (*suite).claimArrivalsOfCode},
		{"ClaimArrivalsRace", (*suite).claimArrivalsRace},
		{"FinishArrivals", (*suite).finishArrivals},
		{"ReviveArrival", (*suite).reviveArrival},
		{"ReviveParked", (*suite).reviveParked},
		{"ReviveArrivalRace", (*suite).reviveArrivalRace},
		{"ClaimExchange", (*suite).claimExchange},
		{"ClaimExchangeRace", (*suite).claimExchangeRace},
		{"ClaimExchangeHandoffRace", (*suite).claimExchangeHandoffRace},
		{"FinishExchange", (*suite).finishExchange},
		{"FinishExchangeFenced", (*suite).finishExchangeFenced},
		{"FinishExchangeOrder", (*suite).finishExchangeOrder},
		{"FinishExchangeClocks", (*suite).finishExchangeClocks},
		{"FinishExchangeStanding", (*suite).finishExchangeStanding},
		{"FinishExchangeTokens", (*suite).finishExchangeTokens},
		{"FinishExchangeGrants", (*suite).finishExchangeGrants},
		{"FinishExchangeRace", (*suite).finishExchangeRace},
		{"MoveResult", (*suite).moveResult},
		{"MoveResultRecovered", (*suite).moveResultRecovered},
		{"Profile", (*suite).profile},
		{"ClaimUnprofiled", (*suite).claimUnprofiled},
		{"Pictures", (*suite).pictures},
		{"PicturesRace", (*suite).picturesRace},
		{"SaveRevoked", (*suite).saveRevoked},
		{"SaveRevokedUnknown", (*suite).saveRevokedUnknown},
		{"SaveGone", (*suite).saveGone},
		{"SaveRescan", (*suite).saveRescan},
		{"ClaimDue", (*suite).claimDue},
		{"ClaimDueOrder", (*suite).claimDueOrder},
		{"AccessInDoubt", (*suite).accessInDoubt},
		{"ClaimDueRace", (*suite).claimDueRace},
		{"ClaimAccount", (*suite).claimAccount},
		{"SaveRefreshed", (*suite).saveRefreshed},
		{"SaveRefreshedFenced", (*suite).saveRefreshedFenced},
		{"SaveRefreshedFailures", (*suite).saveRefreshedFailures},
		{"KeptTokens", (*suite).keptTokens},
		{"Holdings", (*suite).holdings},
		{"SaveRecovered", (*suite).saveRecovered},
		{"SweepState", (*suite).sweepState},
		{"SetBack", (*suite).setBack},
		{"Tickets", (*suite).tickets},
		{"PlatformToken", (*suite).platformToken},
		{"PlatformTokenRace", (*suite).platformTokenRace},
		{"Links", (*suite).links},
		{"LinkRace", (*suite).linkRace},
		{"Health", (*suite).health},
		{"CanceledContext", (*suite).canceledContext},
	} {
		t.Run(test.name, func(t *testing.T) {
			stores := open(t)
			test.run(&suite{T: t, Store: stores[0], stores: stores, ctx: t.Context()})
		})
	}
}

// suite is one promise under test.
type suite struct {
	*testing.T
	onboard.Store
	stores []onboard.Store
	ctx    context.Context
}

// t0 has a fraction of a second, as our clock does.
var t0 = time.Date(2026, 11, 22, 10, 0, 0, 250_000_000, time.UTC)

// at is a moment by our clock, wechat the same by WeChat's, in whole seconds.
func at(d time.Duration) time.Time     { return t0.Add(d) }
func wechat(d time.Duration) time.Time { return t0.Add(d).Truncate(time.Second) }

// ok ends the test on an error.
func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// must passes a value through, or ends the test on an error: must(f())(s).
func must[T any](v T, err error) func(*suite) T {
	return func(s *suite) T {
		s.Helper()
		s.ok(err)
		return v
	}
}

// same compares two values and names what was asked.
func (s *suite) same(what string, got, want any) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

// fails checks which error came.
func (s *suite) fails(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s = %v, want %v", what, err, want)
	}
}

// race calls fn n times at once, over all stores, and waits.
func (s *suite) race(n int, fn func(i int, st onboard.Store) error) {
	s.Helper()
	var wg sync.WaitGroup
	begin := make(chan struct{})
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = fn(i, s.stores[i%len(s.stores)])
		})
	}
	close(begin)
	wg.Wait()
	s.ok(errors.Join(errs...))
}

func attempt(id string) onboard.Attempt {
	return onboard.Attempt{
		ID: id, PhoneCode: "P" + id, AuthType: onboard.AllAccounts, Language: "zh-CN",
		CreatedAt: t0, ExpiresAt: at(onboard.DeskLife), Version: 1,
	}
}

func (s *suite) saveAttempt(id string, change ...func(*onboard.Attempt)) onboard.Attempt {
	s.Helper()
	a := attempt(id)
	for _, f := range change {
		f(&a)
	}
	s.ok(s.SaveAttempt(s.ctx, a))
	return a
}

func (s *suite) saveHandoff(id, attemptID string) onboard.Handoff {
	s.Helper()
	h := onboard.Handoff{
		ID: id, AttemptID: attemptID, Channel: onboard.H5, CodeHash: "code of " + id, StateHash: "state of " + id,
		Session: "session", MintedAt: at(time.Minute), ExpiresAt: at(11 * time.Minute),
	}
	s.ok(s.SaveHandoff(s.ctx, h))
	return h
}

func (s *suite) attempt(id string) onboard.Attempt {
	s.Helper()
	return must(s.Attempt(s.ctx, id))(s)
}

func (s *suite) account(id onboard.AppID) onboard.Account {
	s.Helper()
	return must(s.Account(s.ctx, id))(s)
}

func (s *suite) credentials(id onboard.AppID) onboard.Credentials {
	s.Helper()
	return must(s.Credentials(s.ctx, id))(s)
}

func grants(ids ...onboard.PermissionID) onboard.Grants {
	g := make(onboard.Grants, 0, len(ids))
	for _, id := range ids {
		g = append(g, onboard.Grant{ID: id})
	}
	return g
}

func tokens(access, refresh string) onboard.Tokens {
	return onboard.Tokens{Access: secret.New(access), Life: 2 * time.Hour, Refresh: secret.New(refresh)}
}

// arrived is an ordinary first authorization by a push.
func arrived(appID onboard.AppID, change ...func(*onboard.Arrived)) onboard.Arrived {
	a := onboard.Arrived{
		AppID: appID, Grants: grants(1, 17), Tokens: tokens("access 1", "refresh 1"), At: wechat(0),
		Standing: onboard.Active, DueAt: at(80 * time.Minute), Now: at(time.Second), Verdict: onboard.Connected,
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

// authorize does one exchange of a code of its own.
func (s *suite) authorize(code string, a onboard.Arrived) (superseded bool) {
	s.Helper()
	claim := must(s.ClaimExchange(s.ctx, code, "", a.Now, a.Now.Add(time.Minute)))(s)
	if !claim.Won {
		s.Fatalf("ClaimExchange(%q) = %+v, want won", code, claim)
	}
	a.CodeHash, a.Fence = code, claim.Fence
	superseded, err := s.FinishExchange(s.ctx, a)
	s.ok(err)
	return superseded
}
