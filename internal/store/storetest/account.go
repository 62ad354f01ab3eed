package storetest

import (
	"fmt"
	"slices"
	"time"

	"usher/internal/onboard"
)

func (s *suite) profile() {
	s.authorize("x", arrived("wx1"))
	want := onboard.Profile{
		Kind: onboard.MiniProgram, Nickname: "小店 <b>\u202e", HeadImageURL: "https://wx.qlogo.cn/x", OriginalID: "gh_1", Alias: "shop",
		Principal: "个人", Signature: "s\n", QRCodeURL: "https://mmbiz.qpic.cn/x", ServiceType: 1, Verification: -1, Status: 16, RegisterType: 5,
		Categories: []onboard.Category{{First: "餐饮", Second: "点餐"}},
	}
	before, tokens := s.account("wx1"), s.credentials("wx1")
	s.ok(s.SaveProfile(s.ctx, "wx1", want, at(time.Minute)))
	before.Profile, before.ProfileAt, before.UpdatedAt = want, at(time.Minute), at(time.Minute)
	s.same("Account", s.account("wx1"), before)
	s.same("Credentials", s.credentials("wx1"), tokens)
	s.fails("SaveProfile(nope)", s.SaveProfile(s.ctx, "nope", want, t0), onboard.ErrNoRow)
	s.authorize("y", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(time.Hour) }))
	s.same("Profile after authorizing again", s.account("wx1").Profile, want)
}

func (s *suite) claimUnprofiled() {
	for i := range 5 {
		s.authorize(fmt.Sprint(i), arrived(onboard.AppID(fmt.Sprint("wx", i))))
	}
	s.ok(s.SaveProfile(s.ctx, "wx0", onboard.Profile{Nickname: "n"}, t0))
	must(s.SaveRevoked(s.ctx, "wx1", wechat(time.Second), t0))(s)
	claim := func(now, before time.Duration, limit int) []onboard.AppID {
		s.Helper()
		ids := must(s.ClaimUnprofiled(s.ctx, at(now), at(before), limit))(s)
		slices.Sort(ids)
		return ids
	}
	first := claim(time.Minute, 0, 2)
	s.same("ClaimUnprofiled, two", len(first), 2)
	rest := claim(time.Minute, 0, 9)
	all := append(first, rest...)
	slices.Sort(all)
	s.same("all without a profile", all, []onboard.AppID{"wx2", "wx3", "wx4"})
	s.same("tried just now", len(claim(time.Minute, time.Minute, 9)), 0)
	s.same("tried before", claim(2*time.Minute, time.Minute+1e6, 9), all)
}

func (s *suite) saveRevoked() {
	s.saveAttempt("a")
	s.saveAttempt("open")
	s.authorize("x", arrived("wx1", func(a *onboard.Arrived) { a.AttemptID, a.At, a.LocalTime = "a", at(0), true }))
	before := s.attempt("a")
	revoke := func(at time.Time) bool {
		s.Helper()
		return must(s.SaveRevoked(s.ctx, "wx1", at, t0.Add(time.Minute)))(s)
	}
	s.same("a withdrawal before the authorization", revoke(wechat(-time.Second)), false)
	s.same("Standing", s.account("wx1").Standing, onboard.Active)
	d, _, err := s.ClaimAccount(s.ctx, "wx1", t0, at(time.Minute))
	s.ok(err)

	s.same("a withdrawal of the same second", revoke(wechat(0)), true)
	a := s.account("wx1")
	s.same("Account", []any{a.Standing, a.RevokedAt, a.UpdatedAt, a.Grants}, []any{onboard.Revoked, wechat(0), t0.Add(time.Minute), grants(1, 17)})
	s.same("Credentials", []any{s.credentials("wx1").Standing, s.credentials("wx1").Refresh.Reveal()}, []any{onboard.Revoked, "refresh 1"})
	got := s.attempt("a")
	s.same("Attempt", []any{got.RevokedAt, got.Version}, []any{wechat(0), before.Version + 1})
	s.same("an attempt without an account", s.attempt("open"), attempt("open"))

	s.same("again", revoke(wechat(0)), false)
	s.same("its attempt again", s.attempt("a"), got)
	fenced := must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{{AppID: "wx1", Fence: d.Fence, Tokens: tokens("late", "late"), DueAt: t0, Now: t0}}))(s)
	s.same("a refresh that was under way", fenced, []onboard.AppID{"wx1"})
	s.same("due", len(must(s.ClaimDue(s.ctx, at(48*time.Hour), at(49*time.Hour), 9))(s)), 0)
	_, ok, err := s.ClaimAccount(s.ctx, "wx1", at(48*time.Hour), at(49*time.Hour))
	s.ok(err)
	s.same("ClaimAccount", ok, false)

	s.same("a later withdrawal", revoke(wechat(time.Hour)), false)
	s.same("an authorization between both", s.authorize("y", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(time.Minute) })), true)
	s.same("Standing", s.account("wx1").Standing, onboard.Revoked)
	s.same("an authorization after both", s.authorize("z", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(2 * time.Hour) })), false)
	s.same("Standing", s.account("wx1").Standing, onboard.Active)
}

// saveRevokedUnknown: a withdrawal overtakes the authorization.
func (s *suite) saveRevokedUnknown() {
	s.same("SaveRevoked", must(s.SaveRevoked(s.ctx, "wx1", wechat(time.Minute), at(time.Minute)))(s), true)
	s.same("Standing", s.account("wx1").Standing, onboard.Revoked)
	s.same("an older authorization", s.authorize("x", arrived("wx1")), true)
	s.same("Standing", s.account("wx1").Standing, onboard.Revoked)
	s.same("a newer one", s.authorize("y", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(time.Hour) })), false)
	s.same("Account", []any{s.account("wx1").Standing, s.account("wx1").Grants}, []any{onboard.Active, grants(1, 17)})
	s.same("the first authorization in the history", len(must(s.GrantChanges(s.ctx, "wx1", 9))(s)), 0)
}

func (s *suite) saveRescan() {
	s.authorize("x", arrived("wx1"))
	d, _, err := s.ClaimAccount(s.ctx, "wx1", t0, at(time.Minute))
	s.ok(err)
	s.fails("SaveRescan of a lost claim", s.SaveRescan(s.ctx, "wx1", d.Fence-1, "61023", t0), onboard.ErrFenced)
	s.same("Standing", s.account("wx1").Standing, onboard.Active)
	s.ok(s.SaveRescan(s.ctx, "wx1", d.Fence, "api_authorizer_token 61023", at(time.Minute)))
	a := s.account("wx1")
	s.same("Account", []any{a.Standing, a.LastError, a.UpdatedAt}, []any{onboard.NeedsRescan, "api_authorizer_token 61023", at(time.Minute)})
	s.same("due", len(must(s.ClaimDue(s.ctx, at(48*time.Hour), at(49*time.Hour), 9))(s)), 0)
	s.same("revoking it", must(s.SaveRevoked(s.ctx, "wx1", wechat(time.Hour), at(time.Hour)))(s), true)
}
