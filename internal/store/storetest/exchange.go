package storetest

import (
	"fmt"
	"time"

	"usher/internal/onboard"
)

func (s *suite) finishExchange() {
	s.saveAttempt("a")
	s.ok(s.SaveBlocked(s.ctx, "a", onboard.KeyBlockedWeChat, t0))
	yes := &onboard.Confirm{Need: true, Can: true}
	a := arrived("wx1", func(a *onboard.Arrived) {
		a.Grants = onboard.Grants{{ID: 17, Confirm: yes}, {ID: 1}, {ID: 17}}
		a.AttemptID, a.Verdict, a.Wanted = "a", onboard.Missing, []onboard.PermissionID{1, 18}
		a.Missing, a.Added, a.Removed = []onboard.PermissionID{18}, []onboard.PermissionID{17}, []onboard.PermissionID{2}
	})
	s.same("superseded", s.authorize("x", a), false)
	s.same("Account", s.account("wx1"), onboard.Account{
		AppID: "wx1", Standing: onboard.Active, Grants: onboard.Grants{{ID: 1}, {ID: 17, Confirm: yes}}, Wanted: a.Wanted,
		AuthorizedAt: a.At, AccessExpiresAt: a.Now.Add(2 * time.Hour), RefreshedAt: a.Now, CreatedAt: a.Now, UpdatedAt: a.Now,
	})
	s.same("Credentials", s.credentials("wx1"), onboard.Credentials{
		AppID: "wx1", Access: a.Tokens.Access, AccessExpiresAt: a.Now.Add(2 * time.Hour), Refresh: a.Tokens.Refresh, Standing: onboard.Active,
	})
	got := s.attempt("a")
	want := attempt("a")
	want.FinishedAt, want.Verdict, want.AppID, want.Version = a.Now, a.Verdict, "wx1", 3
	want.Missing, want.Added, want.Removed = a.Missing, a.Added, a.Removed
	s.same("Attempt", got, want)
	s.same("the first authorization in the history", len(must(s.GrantChanges(s.ctx, "wx1", 9))(s)), 0)
	_, err := s.Credentials(s.ctx, "nope")
	s.fails("Credentials(nope)", err, onboard.ErrNoRow)
	_, err = s.Account(s.ctx, "nope")
	s.fails("Account(nope)", err, onboard.ErrNoRow)

	// A finished attempt keeps its first end.
	s.authorize("y", arrived("wx2", func(a *onboard.Arrived) { a.AttemptID = "a" }))
	s.same("Attempt after a second end", s.attempt("a"), got)
}

func (s *suite) finishExchangeFenced() {
	s.saveAttempt("a")
	lost := s.claim("x", "", 0, time.Minute)
	held := s.claim("x", "", time.Minute, 2*time.Minute)
	a := arrived("wx1", func(a *onboard.Arrived) { a.CodeHash, a.Fence, a.AttemptID = "x", lost.Fence, "a" })
	_, err := s.FinishExchange(s.ctx, a)
	s.fails("FinishExchange of a lost claim", err, onboard.ErrFenced)
	_, err = s.Account(s.ctx, "wx1")
	s.fails("Account after it", err, onboard.ErrNoRow)
	s.same("Attempt after it", s.attempt("a"), attempt("a"))
	a.Fence = held.Fence
	must(s.FinishExchange(s.ctx, a))(s)
	_, err = s.FinishExchange(s.ctx, a)
	s.fails("FinishExchange twice", err, onboard.ErrFenced)
	a.CodeHash = "never claimed"
	_, err = s.FinishExchange(s.ctx, a)
	s.fails("FinishExchange without a claim", err, onboard.ErrFenced)
}

// finishExchangeOrder: the newest authorization wins, in whatever order they end.
func (s *suite) finishExchangeOrder() {
	s.saveAttempt("old")
	s.authorize("new", arrived("wx1", func(a *onboard.Arrived) { a.At, a.Tokens = wechat(time.Minute), tokens("access 2", "refresh 2") }))
	before := s.account("wx1")
	superseded := s.authorize("old", arrived("wx1", func(a *onboard.Arrived) { a.AttemptID, a.Grants = "old", grants(99) }))
	s.same("superseded", superseded, true)
	s.same("Account", s.account("wx1"), before)
	s.same("Access", s.credentials("wx1").Access.Reveal(), "access 2")
	s.same("the exchange", s.claim("old", "", time.Hour, 2*time.Hour).Done, true)
	s.same("its attempt", []any{s.attempt("old").Verdict, s.attempt("old").AppID}, []any{onboard.Connected, onboard.AppID("wx1")})
	s.same("history", len(must(s.GrantChanges(s.ctx, "wx1", 9))(s)), 0)
	same := s.authorize("same", arrived("wx1", func(a *onboard.Arrived) { a.At, a.Tokens = wechat(time.Minute), tokens("access 3", "refresh 3") }))
	s.same("superseded by the same second", same, false)
	s.same("Access", s.credentials("wx1").Access.Reveal(), "access 3")
}

// finishExchangeClocks: a push of the same second as a redirect, whose time has
// a fraction, is not older than it.
func (s *suite) finishExchangeClocks() {
	s.authorize("redirect", arrived("wx1", func(a *onboard.Arrived) { a.At, a.LocalTime = at(0), true }))
	s.same("LocalTime", s.account("wx1").LocalTime, true)
	s.same("superseded", s.authorize("push", arrived("wx1", func(a *onboard.Arrived) { a.Tokens = tokens("access 2", "refresh 2") })), false)
	s.same("AuthorizedAt, LocalTime", []any{s.account("wx1").AuthorizedAt, s.account("wx1").LocalTime}, []any{wechat(0), false})
	s.same("superseded", s.authorize("earlier", arrived("wx1", func(a *onboard.Arrived) { a.At = wechat(-time.Second) })), true)
}

// finishExchangeStanding is the table of standings.
func (s *suite) finishExchangeStanding() {
	tests := []struct{ before, comes, want onboard.Standing }{
		{"", onboard.Active, onboard.Active},
		{"", onboard.Quarantined, onboard.Quarantined},
		{onboard.Active, onboard.Quarantined, onboard.Active},
		{onboard.Quarantined, onboard.Active, onboard.Active},
		{onboard.Quarantined, onboard.Quarantined, onboard.Quarantined},
		{onboard.Revoked, onboard.Active, onboard.Active},
		{onboard.Revoked, onboard.Quarantined, onboard.Quarantined},
		{onboard.NeedsRescan, onboard.Active, onboard.Active},
		{onboard.NeedsRescan, onboard.Quarantined, onboard.Quarantined},
	}
	for i, tt := range tests {
		id := onboard.AppID(fmt.Sprint("wx", i))
		switch tt.before {
		case onboard.Active, onboard.Quarantined:
			s.authorize(fmt.Sprint("before ", i), arrived(id, func(a *onboard.Arrived) { a.Standing = tt.before }))
		case onboard.Revoked:
			s.authorize(fmt.Sprint("before ", i), arrived(id))
			s.same("SaveRevoked", must(s.SaveRevoked(s.ctx, id, wechat(time.Second), at(time.Minute)))(s), true)
		case onboard.NeedsRescan:
			s.authorize(fmt.Sprint("before ", i), arrived(id))
			d, _, err := s.ClaimAccount(s.ctx, id, t0, at(time.Minute))
			s.ok(err)
			s.ok(s.SaveRescan(s.ctx, id, d.Fence, "61023", at(time.Minute)))
		}
		again := arrived(id, func(a *onboard.Arrived) {
			a.Standing, a.At, a.Tokens = tt.comes, wechat(time.Hour), tokens("access 2", "refresh 2")
		})
		s.same("superseded", s.authorize(fmt.Sprint("again ", i), again), false)
		a, c := s.account(id), s.credentials(id)
		s.same(fmt.Sprintf("%q then %q", tt.before, tt.comes), []any{a.Standing, a.RevokedAt, a.LastError, c.Access.Reveal(), c.Refresh.Reveal()},
			[]any{tt.want, time.Time{}, "", "access 2", "refresh 2"})
		_, ok, err := s.ClaimAccount(s.ctx, id, at(time.Hour), at(2*time.Hour))
		s.ok(err)
		s.same("it is kept fresh", ok, true)
	}
}

// finishExchangeTokens: an empty token never replaces a stored one, and the
// replaced refresh token is kept.
func (s *suite) finishExchangeTokens() {
	again := func(code string, t onboard.Tokens) (access, refresh, kept string) {
		s.Helper()
		s.authorize(code, arrived("wx1", func(a *onboard.Arrived) { a.Tokens = t }))
		d, ok, err := s.ClaimAccount(s.ctx, "wx1", at(24*time.Hour), at(25*time.Hour))
		s.ok(err)
		if ok {
			s.ok(second(s.SaveRefreshed(s.ctx, []onboard.Refreshed{{AppID: "wx1", Fence: d.Fence, WasDueAt: d.DueAt, DueAt: t0, Now: t0, Failure: "busy", Platform: true}})))
		}
		return s.credentials("wx1").Access.Reveal(), d.Refresh.Reveal(), s.kept("wx1")
	}
	steps := []struct {
		tokens                onboard.Tokens
		access, refresh, kept string
		noAPI                 bool
	}{
		{onboard.Tokens{}, "", "", "", true},
		{tokens("a1", "r1"), "a1", "r1", "", false},
		{tokens("a2", "r1"), "a2", "r1", "", false}, // the same refresh token again replaces nothing
		{tokens("a3", "r2"), "a3", "r2", "r1", false},
		{onboard.Tokens{}, "a3", "r2", "r1", false},
		{tokens("", "r3"), "a3", "r3", "r2 r1", false},
		{tokens("a4", ""), "a4", "r3", "r2 r1", false},
	}
	for i, tt := range steps {
		access, refresh, kept := again(fmt.Sprint(i), tt.tokens)
		s.same(fmt.Sprintf("tokens after step %d", i), []any{access, refresh, kept, s.account("wx1").NoAPI, s.credentials("wx1").NoAPI},
			[]any{tt.access, tt.refresh, tt.kept, tt.noAPI, tt.noAPI})
	}
	s.same("due without API", len(must(s.ClaimDue(s.ctx, at(48*time.Hour), at(49*time.Hour), 9))(s)), 1)
}

func second[T any](_ T, err error) error { return err }

func (s *suite) finishExchangeGrants() {
	for i, g := range []onboard.Grants{grants(1, 17), grants(1, 17), grants(1, 18, 19), nil} {
		now := at(time.Duration(i) * time.Minute)
		s.authorize(fmt.Sprint(i), arrived("wx1", func(a *onboard.Arrived) { a.Grants, a.Now = g, now }))
	}
	s.same("Grants", len(s.account("wx1").Grants), 0)
	want := []onboard.GrantChange{
		{At: at(3 * time.Minute), Removed: []onboard.PermissionID{1, 18, 19}},
		{At: at(2 * time.Minute), Added: []onboard.PermissionID{18, 19}, Removed: []onboard.PermissionID{17}},
	}
	s.same("GrantChanges", must(s.GrantChanges(s.ctx, "wx1", 9))(s), want)
	s.same("GrantChanges, one", must(s.GrantChanges(s.ctx, "wx1", 1))(s), want[:1])
	s.same("GrantChanges(nope)", len(must(s.GrantChanges(s.ctx, "nope", 9))(s)), 0)
}

// finishExchangeRace ends exchanges of one account at once: whatever the order,
// the newest authorization stays, whole.
func (s *suite) finishExchangeRace() {
	for round := range 5 {
		id := onboard.AppID(fmt.Sprint("wx", round))
		s.race(8, func(i int, st onboard.Store) error {
			code := fmt.Sprint(round, " ", i)
			c, err := st.ClaimExchange(s.ctx, code, "", t0, at(time.Minute))
			if err != nil {
				return err
			}
			_, err = st.FinishExchange(s.ctx, arrived(id, func(a *onboard.Arrived) {
				a.CodeHash, a.Fence, a.At = code, c.Fence, wechat(time.Duration(i)*time.Second)
				a.Tokens, a.Grants = tokens(fmt.Sprint("access ", i), fmt.Sprint("refresh ", i)), grants(onboard.PermissionID(i+1))
			}))
			return err
		})
		c := s.credentials(id)
		s.same("the newest", []any{c.Access.Reveal(), c.Refresh.Reveal(), s.account(id).Grants}, []any{"access 7", "refresh 7", grants(8)})
	}
}
