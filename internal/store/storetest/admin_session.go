package storetest

import (
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func (s *adminSuite) session(hash, adminID string, change ...func(*admin.Session)) admin.Session {
	s.Helper()
	v := admin.Session{
		ID: "id of " + hash, Hash: hash, AdminID: adminID, CreatedAt: t0, SeenAt: t0, EndsAt: at(admin.SessionLife),
		Address: "192.0.2.1", Browser: "Test",
	}
	for _, f := range change {
		f(&v)
	}
	s.ok(s.SaveSession(s.ctx, v))
	return v
}

func (s *adminSuite) removeEndsEverything() {
	s.person("A", admin.Owner)
	b := s.person("B", admin.Viewer)
	s.session("h", "B")
	s.ok(s.SaveEnrollment(s.ctx, admin.Enrollment{Hash: "e", AdminID: "B", CreatedAt: t0, ExpiresAt: at(time.Hour)}))
	b.RemovedAt = at(time.Minute)
	s.ok(s.SaveAdmin(s.ctx, b))
	_, err := s.AdminByID(s.ctx, "B")
	s.fails("AdminByID of one removed", err, onboard.ErrNoRow)
	_, _, err = s.SessionByHash(s.ctx, "h")
	s.fails("SessionByHash of one removed", err, onboard.ErrNoRow)
	_, err = s.Enrollment(s.ctx, "e", at(time.Minute))
	s.fails("Enrollment of one removed", err, onboard.ErrNoRow)
	b.Version++
	s.fails("SaveAdmin of one removed", s.SaveAdmin(s.ctx, b), onboard.ErrFenced)
}

func (s *adminSuite) sessions() {
	a, b := s.person("A", admin.Owner), s.person("B", admin.Viewer)
	v := s.session("h1", "A")
	s.session("h2", "A", func(v *admin.Session) { v.SeenAt = at(time.Minute) })
	s.session("h3", "B", func(v *admin.Session) { v.Pending = true })
	got, who, err := s.SessionByHash(s.ctx, "h1")
	s.ok(err)
	s.same("SessionByHash", []any{got, who}, []any{v, a})
	got, who, err = s.SessionByHash(s.ctx, "h3")
	s.ok(err)
	s.same("SessionByHash of another", []any{got.Pending, who}, []any{true, b})
	_, _, err = s.SessionByHash(s.ctx, "h9")
	s.fails("SessionByHash(unknown)", err, onboard.ErrNoRow)
	s.ok(s.TouchSession(s.ctx, "h1", at(time.Hour)))
	s.ok(s.TouchSession(s.ctx, "h1", at(time.Minute))) // late, and does not turn back
	var order []string
	for _, v := range pass(s.Sessions(s.ctx, "A"))(s) {
		order = append(order, v.Hash)
	}
	s.same("Sessions, the last used first", order, []string{"h1", "h2"})
	s.same("EndSession of somebody else's", pass(s.EndSession(s.ctx, "B", "id of h1"))(s), false)
	s.same("EndSession", pass(s.EndSession(s.ctx, "A", "id of h1"))(s), true)
	s.same("EndSession again", pass(s.EndSession(s.ctx, "A", "id of h1"))(s), false)
	s.session("h4", "A")
	s.same("EndSessions but one", pass(s.EndSessions(s.ctx, "A", "id of h4"))(s), int64(1))
	s.same("EndSessions", pass(s.EndSessions(s.ctx, "A", ""))(s), int64(1))
	_, _, err = s.SessionByHash(s.ctx, "h3")
	s.ok(err)
}

func (s *adminSuite) pruneSessions() {
	s.person("A", admin.Owner)
	s.session("old", "A", func(v *admin.Session) { v.EndsAt = at(time.Minute) })
	s.session("new", "A")
	s.ok(s.SaveEnrollment(s.ctx, admin.Enrollment{Hash: "e", AdminID: "A", CreatedAt: t0, ExpiresAt: at(time.Minute)}))
	none := func(int) time.Duration { return 0 }
	_, err := s.ClaimTry(s.ctx, []string{"k"}, t0, time.Hour, none)
	s.ok(err)
	s.ok(s.SaveKnown(s.ctx, "far", t0))
	s.ok(s.SaveKnown(s.ctx, "near", t0))
	s.ok(s.SaveKnown(s.ctx, "near", at(time.Hour)))
	s.same("Known", []bool{pass(s.Known(s.ctx, "far", t0))(s), pass(s.Known(s.ctx, "far", at(time.Minute)))(s), pass(s.Known(s.ctx, "none", t0))(s)}, []bool{true, false, false})
	s.ok(s.PruneSessions(s.ctx, at(2*time.Hour), at(time.Hour), at(time.Minute)))
	s.same("Known after pruning", []bool{pass(s.Known(s.ctx, "far", t0))(s), pass(s.Known(s.ctx, "near", t0))(s)}, []bool{false, true})
	_, _, err = s.SessionByHash(s.ctx, "old")
	s.fails("a session that ended", err, onboard.ErrNoRow)
	_, _, err = s.SessionByHash(s.ctx, "new")
	s.ok(err)
	_, err = s.Enrollment(s.ctx, "e", t0)
	s.fails("an enrollment that ended", err, onboard.ErrNoRow)
}

func (s *adminSuite) flash() {
	s.person("A", admin.Owner)
	s.session("h", "A")
	s.same("TakeFlash of nothing", pass(s.TakeFlash(s.ctx, "h"))(s), "")
	s.ok(s.SaveFlash(s.ctx, "h", "said"))
	v, _, err := s.SessionByHash(s.ctx, "h")
	s.ok(err)
	s.same("the session's flash", v.Flash, "said")
	s.same("TakeFlash", pass(s.TakeFlash(s.ctx, "h"))(s), "said")
	s.same("TakeFlash again", pass(s.TakeFlash(s.ctx, "h"))(s), "")
	s.same("TakeFlash of no session", pass(s.TakeFlash(s.ctx, "none"))(s), "")
}

// steps waits a minute after every second try.
func steps(n int) time.Duration {
	if n%2 == 0 {
		return time.Minute
	}
	return 0
}

func (s *adminSuite) claimTry() {
	try := func(now time.Time, keys ...string) time.Time {
		s.Helper()
		return pass(s.ClaimTry(s.ctx, keys, now, time.Hour, steps))(s)
	}
	s.same("the first try", try(t0, "a", "b"), time.Time{})
	s.same("the second", try(t0, "a", "c"), time.Time{})
	until := at(time.Minute).Truncate(time.Millisecond)
	s.same("the third, too early", try(at(time.Second), "a", "d"), until)
	s.same("a key that only met one that waits is not counted", try(at(time.Second), "d"), time.Time{})
	s.same("another key", try(at(time.Second), "b"), time.Time{})
	s.same("in time", try(until, "a"), time.Time{})
	s.ok(s.ForgiveTry(s.ctx, nil, []string{"a"}))
	s.same("after one was taken back, the third", try(until, "a"), time.Time{})
	s.same("the fourth", try(until, "a"), time.Time{})
	s.same("the fifth, too early", try(until, "a"), until.Add(time.Minute))
	s.ok(s.ForgiveTry(s.ctx, []string{"a"}, nil))
	s.same("after all were cleared", try(until, "a"), time.Time{})
	s.same("after an hour of quiet one begins anew", try(at(3*time.Hour), "a"), time.Time{})
	s.same("and has the second", try(at(3*time.Hour), "a"), time.Time{})
	s.same("and waits", try(at(3*time.Hour), "a"), at(3*time.Hour+time.Minute).Truncate(time.Millisecond))
}

// claimTryRace has many guess at once: two get through, as if they had come in turn.
func (s *adminSuite) claimTryRace() {
	through := s.winners(16, func(st admin.Store) (bool, error) {
		until, err := st.ClaimTry(s.ctx, []string{"name", "network"}, t0, time.Hour, steps)
		return until.IsZero(), err
	})
	s.same("tries of 16 at once that got through", through, 2)
}
