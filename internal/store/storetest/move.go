package storetest

import (
	"time"

	"usher/internal/onboard"
)

// moveResult: the push names another attempt than the redirect, and wins.
func (s *suite) moveResult() {
	s.saveAttempt("from")
	s.saveAttempt("to")
	s.saveHandoff("h", "from")
	s.arrive("redirect", func(a *onboard.Arrival) { a.AttemptID = "from" })
	s.authorize("x", arrived("wx1", func(a *onboard.Arrived) {
		a.AttemptID, a.Verdict, a.Standing = "from", onboard.WrongAccount, onboard.Quarantined
	}))
	before, tokens := s.attempt("from"), s.credentials("wx1")
	// What the domain knows when it moves: no tokens and no time.
	moved := onboard.Arrived{
		AppID: "wx1", Grants: grants(1, 17), Standing: onboard.Active, Verdict: onboard.Missing, Now: at(time.Hour),
		Wanted: []onboard.PermissionID{18}, Missing: []onboard.PermissionID{18},
	}
	s.ok(s.MoveResult(s.ctx, "x", "from", "to", moved))
	to := s.attempt("to")
	s.same("to", []any{to.FinishedAt, to.Verdict, to.AppID, to.Missing, to.Version},
		[]any{at(time.Hour), onboard.Missing, onboard.AppID("wx1"), moved.Missing, int64(2)})
	from := before
	from.FinishedAt, from.Verdict, from.AppID, from.ArrivedAt, from.Version = time.Time{}, "", "", time.Time{}, before.Version+1
	s.same("from", s.attempt("from"), from)
	a := s.account("wx1")
	s.same("account", []any{a.Standing, a.Wanted, a.AuthorizedAt}, []any{onboard.Active, moved.Wanted, wechat(0)})
	tokens.Standing = onboard.Active
	s.same("tokens", s.credentials("wx1"), tokens)
	s.same("the exchange names", s.claim("x", "", 2*time.Hour, 3*time.Hour).AttemptID, "to")

	// Moving once more, to an attempt that is finished, does nothing.
	s.saveAttempt("third")
	s.ok(s.MoveResult(s.ctx, "x", "third", "to", moved))
	s.same("to again", s.attempt("to"), to)
	s.same("third", s.attempt("third"), attempt("third"))
}

// moveResultRecovered: a code was spent without a stored answer, and another
// witness recovered what it had brought.
func (s *suite) moveResultRecovered() {
	s.saveAttempt("to")
	c := s.claim("x", "", 0, time.Minute)
	s.ok(s.FailExchange(s.ctx, "x", c.Fence, true, t0))
	s.ok(s.MoveResult(s.ctx, "x", "", "to", arrived("wx1")))
	s.same("Access", s.credentials("wx1").Access.Reveal(), "access 1")
	s.same("Standing", s.account("wx1").Standing, onboard.Active)
	s.same("Verdict", s.attempt("to").Verdict, onboard.Connected)
	done := s.claim("x", "", time.Hour, 2*time.Hour)
	s.same("the exchange", []any{done.Done, done.AppID, done.AttemptID}, []any{true, onboard.AppID("wx1"), "to"})

	// Without an attempt, or with one that is finished, the tokens count all the same.
	for _, to := range []string{"", "to"} {
		id := onboard.AppID("wx of " + to)
		s.ok(s.MoveResult(s.ctx, "x", "", to, arrived(id)))
		s.same("Access without an attempt", s.credentials(id).Access.Reveal(), "access 1")
	}
	s.same("AppID of the finished attempt", s.attempt("to").AppID, onboard.AppID("wx1"))
}
