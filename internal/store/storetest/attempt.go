package storetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"usher/internal/onboard"
)

// attemptRoundTrip holds that every field survives, to the millisecond.
func (s *suite) attemptRoundTrip() {
	full := onboard.Attempt{
		ID: "full", PhoneCode: "7K3M9Q2X", InviteCode: "INVITE0001", Recipient: "王小明 <x>", AuthType: onboard.SalesAssistants,
		BizAppID: "wx1", Wanted: []onboard.PermissionID{17, 18}, Language: "en", Session: "s",
		CreatedAt: t0, ExpiresAt: at(1), OpenedAt: at(2 * time.Second), HandedOffAt: at(3 * time.Second), CodeEndsAt: at(4 * time.Second),
		ArrivedAt: at(5 * time.Second), FinishedAt: at(6 * time.Second), Verdict: onboard.Missing, AppID: "wx2",
		Missing: []onboard.PermissionID{3}, Added: []onboard.PermissionID{4}, Removed: []onboard.PermissionID{5, 6},
		Blocked: onboard.KeyBlockedIP, BlockedAt: at(7 * time.Second), RevokedAt: at(8 * time.Second), Version: 9, Invited: true,
	}
	full.ExpiresAt = at(time.Millisecond)
	for _, want := range []onboard.Attempt{full, attempt("plain")} {
		s.ok(s.SaveAttempt(s.ctx, want))
		s.same("Attempt("+want.ID+")", s.attempt(want.ID), want)
	}
	if err := s.SaveAttempt(s.ctx, attempt("plain")); err == nil {
		s.Error("SaveAttempt of an id that is there = nil, want an error")
	}
}

func (s *suite) attemptLookups() {
	want := s.saveAttempt("a", func(a *onboard.Attempt) { a.InviteCode = "I" })
	s.saveAttempt("b")
	s.same("AttemptByPhoneCode", must(s.AttemptByPhoneCode(s.ctx, "Pa"))(s), want)
	s.same("AttemptByInviteCode", must(s.AttemptByInviteCode(s.ctx, "I"))(s), want)
	for _, code := range []string{"", "nope", "I", "a"} {
		_, err := s.AttemptByPhoneCode(s.ctx, code)
		s.fails(fmt.Sprintf("AttemptByPhoneCode(%q)", code), err, onboard.ErrNoRow)
	}
	for _, code := range []string{"", "nope", "Pa"} { // "" must not find an attempt that is no invite
		_, err := s.AttemptByInviteCode(s.ctx, code)
		s.fails(fmt.Sprintf("AttemptByInviteCode(%q)", code), err, onboard.ErrNoRow)
	}
	_, err := s.Attempt(s.ctx, "nope")
	s.fails("Attempt(nope)", err, onboard.ErrNoRow)
}

func (s *suite) attemptsBySession() {
	for i := range 5 {
		s.saveAttempt(fmt.Sprint(i), func(a *onboard.Attempt) {
			a.Session, a.CreatedAt = "mine", at(time.Duration(i)*time.Second)
		})
	}
	s.saveAttempt("other", func(a *onboard.Attempt) { a.Session = "other" })
	s.saveAttempt("none")
	ids := func(session string, limit int) (ids []string) {
		for _, a := range must(s.AttemptsBySession(s.ctx, session, limit))(s) {
			ids = append(ids, a.ID)
		}
		return ids
	}
	s.same("AttemptsBySession(mine, 3)", ids("mine", 3), []string{"4", "3", "2"})
	s.same("AttemptsBySession(other, 3)", ids("other", 3), []string{"other"})
	s.same("AttemptsBySession of nobody", ids("", 3), []string(nil))
}

func (s *suite) claimOpened() {
	s.saveAttempt("a")
	var first atomic.Int64
	s.race(8, func(i int, st onboard.Store) error {
		won, err := st.ClaimOpened(s.ctx, "a", at(time.Second))
		if won {
			first.Add(1)
		}
		return err
	})
	s.same("ClaimOpened won", first.Load(), int64(1))
	a := s.attempt("a")
	s.same("OpenedAt", a.OpenedAt, at(time.Second))
	s.same("Version", a.Version, int64(2))
	s.same("ClaimOpened(nope)", must(s.ClaimOpened(s.ctx, "nope", t0))(s), false)
}

func (s *suite) saveInvite() {
	s.saveAttempt("a")
	got := must(s.SaveInvite(s.ctx, "a", "CODE1", "王", at(onboard.InviteLife)))(s)
	s.same("SaveInvite", got, s.attempt("a"))
	s.same("SaveInvite code, recipient, end", []any{got.InviteCode, got.Recipient, got.ExpiresAt, got.Version}, []any{"CODE1", "王", at(onboard.InviteLife), int64(2)})
	got = must(s.SaveInvite(s.ctx, "a", "CODE2", "李", at(time.Hour)))(s)
	s.same("a second SaveInvite", []any{got.InviteCode, got.Recipient, got.ExpiresAt}, []any{"CODE1", "李", at(onboard.InviteLife)})
	s.same("AttemptByInviteCode", must(s.AttemptByInviteCode(s.ctx, "CODE1"))(s).ID, "a")

	done := s.saveAttempt("done", func(a *onboard.Attempt) { a.FinishedAt, a.Verdict = at(time.Second), onboard.Connected })
	s.same("SaveInvite of a finished attempt", must(s.SaveInvite(s.ctx, "done", "CODE3", "", at(time.Hour)))(s), done)
	_, err := s.SaveInvite(s.ctx, "nope", "CODE4", "", at(time.Hour))
	s.fails("SaveInvite(nope)", err, onboard.ErrNoRow)

	s.saveAttempt("race")
	codes := make([]string, 8)
	s.race(8, func(i int, st onboard.Store) error {
		a, err := st.SaveInvite(s.ctx, "race", fmt.Sprint("RACE", i), "", at(time.Hour))
		codes[i] = a.InviteCode
		return err
	})
	if slices.Sort(codes); codes[0] == "" || codes[0] != codes[7] {
		s.Errorf("SaveInvite at once gave the codes %q, want one", codes)
	}
}

func (s *suite) blocked() {
	s.saveAttempt("a")
	s.saveAttempt("b")
	s.saveAttempt("c")
	s.saveAttempt("done", func(a *onboard.Attempt) { a.FinishedAt = t0 })
	for id, key := range map[string]onboard.Key{
		"a": onboard.KeyBlockedTicket, "b": onboard.KeyBlockedIP, "c": onboard.KeyBlockedQuota, "done": onboard.KeyBlockedIP,
	} {
		s.ok(s.SaveBlocked(s.ctx, id, key, at(time.Second)))
	}
	a := s.attempt("a")
	s.same("Blocked", []any{a.Blocked, a.BlockedAt, a.Version}, []any{onboard.KeyBlockedTicket, at(time.Second), int64(2)})
	s.same("Blocked of a finished attempt", s.attempt("done").Blocked, onboard.Key(""))

	ids := must(s.ClearBlocked(s.ctx, []onboard.Key{onboard.KeyBlockedTicket, onboard.KeyBlockedIP}, at(time.Minute)))(s)
	slices.Sort(ids)
	s.same("ClearBlocked", ids, []string{"a", "b"})
	a = s.attempt("a")
	s.same("after ClearBlocked", []any{a.Blocked, a.BlockedAt, a.Version}, []any{onboard.Key(""), time.Time{}, int64(3)})
	s.same("Blocked by another key", s.attempt("c").Blocked, onboard.KeyBlockedQuota)
	s.same("ClearBlocked again", len(must(s.ClearBlocked(s.ctx, []onboard.Key{onboard.KeyBlockedIP, ""}, t0))(s)), 0)
	s.same("ClearBlocked of no key", len(must(s.ClearBlocked(s.ctx, nil, t0))(s)), 0)
}

func (s *suite) handoff() {
	s.saveAttempt("a")
	s.ok(s.SaveBlocked(s.ctx, "a", onboard.KeyBlockedIP, at(time.Second)))
	s.arrive("earlier", func(a *onboard.Arrival) { a.AttemptID = "a" })
	before := s.attempt("a")
	first := s.saveHandoff("h1", "a")
	a := s.attempt("a")
	s.same("attempt after SaveHandoff", []any{a.HandedOffAt, a.CodeEndsAt, a.Blocked, a.BlockedAt, a.ArrivedAt, a.Version},
		[]any{first.MintedAt, first.ExpiresAt, onboard.Key(""), time.Time{}, time.Time{}, before.Version + 1})
	plugin := onboard.Handoff{ID: "h2", AttemptID: "a", Channel: onboard.Plugin, CodeHash: "c2", MintedAt: at(time.Hour), ExpiresAt: at(2 * time.Hour)}
	s.ok(s.SaveHandoff(s.ctx, plugin))
	third := plugin
	third.ID, third.CodeHash, third.MintedAt = "h3", "c3", at(time.Hour-time.Minute)
	s.ok(s.SaveHandoff(s.ctx, third)) // a second one without a state

	s.same("HandoffByState", must(s.HandoffByState(s.ctx, first.StateHash))(s), first)
	s.same("HandoffByCode", must(s.HandoffByCode(s.ctx, "c2"))(s), plugin)
	s.same("Handoffs", must(s.Handoffs(s.ctx, "a"))(s), []onboard.Handoff{plugin, third, first})
	s.same("Handoffs(nope)", len(must(s.Handoffs(s.ctx, "nope"))(s)), 0)
	for _, hash := range []string{"", "nope"} { // "" must not find a plug-in's
		_, err := s.HandoffByState(s.ctx, hash)
		s.fails(fmt.Sprintf("HandoffByState(%q)", hash), err, onboard.ErrNoRow)
		_, err = s.HandoffByCode(s.ctx, hash)
		s.fails(fmt.Sprintf("HandoffByCode(%q)", hash), err, onboard.ErrNoRow)
	}
	again := plugin
	again.ID, again.AttemptID = "h4", "nope"
	s.fails("SaveHandoff without an attempt", s.SaveHandoff(s.ctx, again), onboard.ErrNoRow)
	version := s.attempt("a").Version
	again.AttemptID = "a"
	if err := s.SaveHandoff(s.ctx, again); err == nil {
		s.Error("SaveHandoff with a code that is there = nil, want an error")
	}
	s.same("Version after a hand-off that failed", s.attempt("a").Version, version)

	done := s.saveAttempt("done", func(a *onboard.Attempt) { a.FinishedAt, a.ArrivedAt = at(time.Second), at(time.Second) })
	s.saveHandoff("late", "done")
	s.same("ArrivedAt of a finished attempt", s.attempt("done").ArrivedAt, done.ArrivedAt)
}
