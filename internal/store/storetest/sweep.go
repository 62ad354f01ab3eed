package storetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// kept is the kept refresh tokens of an account, newest first.
func (s *suite) kept(id onboard.AppID) string {
	s.Helper()
	var all []string
	for _, v := range must(s.KeptTokens(s.ctx, id))(s) {
		all = append(all, v.Reveal())
	}
	return strings.Join(all, " ")
}

// keptTokens: a replaced refresh token stays until one that came later has
// worked, and not more than four of them.
func (s *suite) keptTokens() {
	s.authorize("0", arrived("wx1", func(a *onboard.Arrived) { a.Tokens = tokens("a0", "r0") }))
	s.same("kept of the first", s.kept("wx1"), "")
	now := 2 * time.Hour
	refresh := func(t onboard.Tokens, failure string) {
		s.Helper()
		now += time.Hour
		d, ok, err := s.ClaimAccount(s.ctx, "wx1", at(now), at(now+time.Minute))
		s.ok(err)
		s.same("ClaimAccount", ok, true)
		r := onboard.Refreshed{AppID: "wx1", Fence: d.Fence, Tokens: t, WasDueAt: d.DueAt, DueAt: at(now), Now: at(now), Failure: failure}
		s.same("fenced", len(must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{r}))(s)), 0)
	}
	for i := 1; i <= 6; i++ {
		s.authorize(fmt.Sprint(i), arrived("wx1", func(a *onboard.Arrived) {
			a.At, a.Now = wechat(time.Duration(i)*time.Minute), at(time.Duration(i)*time.Minute)
			a.Tokens = tokens("a", fmt.Sprint("r", i))
		}))
	}
	s.same("kept after six authorizations", s.kept("wx1"), "r5 r4 r3 r2")
	refresh(onboard.Tokens{}, "61023")
	s.same("kept after a failure", s.kept("wx1"), "r5 r4 r3 r2")
	refresh(tokens("b", "r7"), "")
	s.same("kept after r6 worked and brought r7", s.kept("wx1"), "r6")
	refresh(tokens("c", "r7"), "")
	s.same("kept after r7 worked", s.kept("wx1"), "")
	refresh(tokens("d", "r8"), "")
	refresh(tokens("e", ""), "")
	s.same("kept after r8 worked and brought none", s.kept("wx1"), "")
	late := onboard.Refreshed{AppID: "wx1", Fence: 1, Tokens: tokens("late", "late"), DueAt: at(now), Now: at(now)}
	s.same("fenced", len(must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{late}))(s)), 1)
	s.same("kept after a late write", s.kept("wx1"), "")
	s.same("kept of an unknown account", s.kept("nope"), "")
}

func (s *suite) holdings() {
	s.same("Holdings of nothing", len(must(s.Holdings(s.ctx))(s)), 0)
	s.authorize("1", arrived("wx1"))
	s.authorize("2", arrived("wx2", func(a *onboard.Arrived) { a.Tokens, a.LocalTime = onboard.Tokens{}, true }))
	s.authorize("3", arrived("wx3", func(a *onboard.Arrived) { a.Standing = onboard.Quarantined }))
	s.ok(second(s.SaveRevoked(s.ctx, "wx4", wechat(time.Minute), at(time.Minute))))
	want := []onboard.Holding{
		{AppID: "wx1", Standing: onboard.Active, AuthorizedAt: wechat(0), Refresh: secret.New("refresh 1")},
		{AppID: "wx2", Standing: onboard.Active, AuthorizedAt: wechat(0), LocalTime: true, NoAPI: true},
		{AppID: "wx3", Standing: onboard.Quarantined, AuthorizedAt: wechat(0), Refresh: secret.New("refresh 1")},
		{AppID: "wx4", Standing: onboard.Revoked, RevokedAt: wechat(time.Minute)},
	}
	s.same("Holdings", must(s.Holdings(s.ctx))(s), want)
}

// saveRecovered keeps to the order of events, ends a lease and leaves the
// grants' history.
func (s *suite) saveRecovered() {
	a := arrived("wx1", func(a *onboard.Arrived) { a.LocalTime = true })
	s.same("superseded", must(s.SaveRecovered(s.ctx, a))(s), false)
	got := s.account("wx1")
	s.same("account", []any{got.Standing, got.AuthorizedAt, got.LocalTime, got.NoAPI, s.credentials("wx1").Refresh.Reveal()},
		[]any{onboard.Active, wechat(0), true, false, "refresh 1"})
	d, ok, err := s.ClaimAccount(s.ctx, "wx1", at(time.Hour), at(2*time.Hour))
	s.ok(err)
	s.same("ClaimAccount", ok, true)
	a.Now, a.Tokens, a.Grants = at(time.Hour), tokens("access 2", "refresh 2"), grants(1, 18)
	s.same("superseded", must(s.SaveRecovered(s.ctx, a))(s), false)
	late := onboard.Refreshed{AppID: "wx1", Fence: d.Fence, Tokens: tokens("late", "late"), DueAt: at(time.Hour), Now: at(time.Hour)}
	s.same("a refresh that was under way is fenced", must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{late}))(s), []onboard.AppID{"wx1"})
	s.same("kept", s.kept("wx1"), "refresh 1")
	s.same("GrantChanges", len(must(s.GrantChanges(s.ctx, "wx1", 9))(s)), 1)
	// What is superseded by an authorization of the same minute is settled by a refresh.
	s.authorize("again", arrived("wx1", func(a *onboard.Arrived) {
		a.At, a.Now, a.Tokens, a.DueAt = wechat(time.Minute), at(time.Hour), tokens("access 3", "refresh 3"), at(5*time.Hour)
	}))
	a.Tokens = tokens("access 4", "refresh 4")
	s.same("superseded by a later one", must(s.SaveRecovered(s.ctx, a))(s), true)
	s.same("refresh token", s.credentials("wx1").Refresh.Reveal(), "refresh 3")
	s.same("kept", s.kept("wx1"), "refresh 4 refresh 2 refresh 1")
	s.same("due at once", dues(must(s.ClaimDue(s.ctx, at(time.Hour), at(2*time.Hour), 9))(s)), []onboard.AppID{"wx1"})
	s.same("SaveRevoked", must(s.SaveRevoked(s.ctx, "wx1", wechat(time.Hour), at(time.Hour)))(s), true)
	s.same("superseded by a withdrawal", must(s.SaveRecovered(s.ctx, a))(s), true)
	s.same("Standing", s.account("wx1").Standing, onboard.Revoked)
	a.At = wechat(2 * time.Hour)
	s.same("superseded", must(s.SaveRecovered(s.ctx, a))(s), false)
	s.same("Standing", s.account("wx1").Standing, onboard.Active)
}

func (s *suite) sweepState() {
	s.same("SweepState at first", must(s.SweepState(s.ctx))(s), onboard.SweepState{})
	if st, ok := s.Store.(interface {
		MarkUnverified(ctx context.Context) error
	}); ok {
		s.ok(st.MarkUnverified(s.ctx))
		s.same("SweepState after a restore", must(s.SweepState(s.ctx))(s), onboard.SweepState{Unverified: true})
	}
	s.ok(s.SaveSwept(s.ctx, at(0)))
	s.same("SweepState", must(s.SweepState(s.ctx))(s), onboard.SweepState{At: at(0)})
	s.ok(s.SaveSwept(s.ctx, at(time.Hour)))
	s.same("SweepState", must(s.SweepState(s.ctx))(s), onboard.SweepState{At: at(time.Hour)})
}

// saveGone goes by the authorization that was seen, not by clocks.
func (s *suite) saveGone() {
	local := func(a *onboard.Arrived) { a.At, a.LocalTime = at(3*time.Minute), true } // our clock is ahead
	s.authorize("1", arrived("wx1", local))
	s.same("SaveGone of another authorization", must(s.SaveGone(s.ctx, "wx1", t0, wechat(time.Minute), at(time.Hour)))(s), false)
	s.same("SaveGone", must(s.SaveGone(s.ctx, "wx1", at(3*time.Minute), wechat(time.Minute), at(time.Hour)))(s), true)
	a := s.account("wx1")
	s.same("account", []any{a.Standing, a.RevokedAt}, []any{onboard.Revoked, wechat(time.Minute)})
	s.same("SaveGone again", must(s.SaveGone(s.ctx, "wx1", at(3*time.Minute), wechat(time.Minute), at(time.Hour)))(s), false)
	s.same("superseded by a withdrawal", s.authorize("2", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(0) })), true)
	s.same("superseded", s.authorize("3", arrived("wx1", func(a *onboard.Arrived) { a.At, a.LocalTime = at(3*time.Minute), true })), false)
}
