package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

const nobody = onboard.AppID("wx00000000000fffff")

func (s *adminSuite) notes() {
	id := s.listed(1, "店")
	s.same("of none", len(pass(s.Notes(s.ctx, id, 9))(s)), 0)
	var want []admin.Note
	for i := range 3 {
		n := admin.Note{At: at(time.Duration(i) * time.Hour), Author: "陈晓", Text: fmt.Sprintf("note %d\nof two lines", i)}
		s.ok(s.SaveNote(s.ctx, id, n))
		want = append([]admin.Note{n}, want...)
	}
	s.same("Notes", pass(s.Notes(s.ctx, id, 9))(s), want)
	s.same("the newest two", pass(s.Notes(s.ctx, id, 2))(s), want[:2])
	s.fails("SaveNote of nobody", s.SaveNote(s.ctx, nobody, want[0]), onboard.ErrNoRow)
	s.same("found by", s.found(admin.AccountFilter{Query: "lines"}), []int{1})
}

func (s *adminSuite) tags() {
	a, b := s.listed(1, "a"), s.listed(2, "b")
	tag := func(name string, limit int, ids ...onboard.AppID) int {
		s.Helper()
		return pass(s.SaveTag(s.ctx, ids, name, "陈晓", limit, at(time.Hour)))(s)
	}
	s.same("two accounts and nobody", tag("vip", 2, a, b, nobody), 2)
	s.same("again", tag("vip", 2, a, b), 0)
	s.same("one more", tag("east", 2, a), 1)
	s.same("at the limit", tag("west", 2, a, b), 1)
	s.same("Tags", pass(s.Tags(s.ctx, 9))(s), []string{"east", "vip", "west"})
	s.same("Tags, two", pass(s.Tags(s.ctx, 2))(s), []string{"east", "vip"})
	s.same("of a", pass(s.AccountState(s.ctx, a))(s).Listed.Tags, []string{"east", "vip"})
	s.same("DropTag", pass(s.DropTag(s.ctx, a, "vip", at(2*time.Hour)))(s), true)
	s.same("DropTag again", pass(s.DropTag(s.ctx, a, "vip", at(2*time.Hour)))(s), false)
	_, err := s.DropTag(s.ctx, nobody, "vip", t0)
	s.fails("DropTag of nobody", err, onboard.ErrNoRow)
	s.same("of a afterwards", pass(s.AccountState(s.ctx, a))(s).Listed.Tags, []string{"east"})
	s.same("who has vip", s.found(admin.AccountFilter{Tag: "vip"}), []int{2})
}

// tagRace: however many tag at once, the limit holds, and the row shows every tag.
func (s *adminSuite) tagRace() {
	id := s.listed(1, "a")
	const limit = 4
	var tagged atomic.Int64
	s.race(12, func(i int, st admin.Store) error {
		n, err := st.SaveTag(s.ctx, []onboard.AppID{id}, fmt.Sprintf("tag %02d", i), "", limit, t0)
		tagged.Add(int64(n))
		return err
	})
	s.same("tagged", tagged.Load(), int64(limit))
	s.same("in the row", len(pass(s.AccountState(s.ctx, id))(s).Listed.Tags), limit)
}

func (s *adminSuite) hidden() {
	id := s.listed(1, "a")
	hide := func(hidden bool) bool {
		s.Helper()
		return pass(s.SaveHidden(s.ctx, id, hidden, at(time.Hour)))(s)
	}
	s.same("hide", hide(true), true)
	s.same("hide again", hide(true), false)
	s.same("the list", s.found(admin.AccountFilter{}), []int(nil))
	s.same("the hidden", s.found(admin.AccountFilter{Hidden: true}), []int{1})
	s.same("counts", len(pass(s.CountAccounts(s.ctx))(s)), 0)
	m := s.merchants()
	s.ok(m.SaveProfile(s.ctx, id, onboard.Profile{Nickname: "b"}, at(2*time.Hour)))
	s.same("a change does not show it", s.found(admin.AccountFilter{}), []int(nil))
	s.same("show", hide(false), true)
	s.same("the list again", s.found(admin.AccountFilter{Query: "b"}), []int{1})
	_, err := s.SaveHidden(s.ctx, nobody, true, t0)
	s.fails("SaveHidden of nobody", err, onboard.ErrNoRow)
}

// accountState: the log of refreshes keeps a day, and the next one is known unless
// the account is stopped.
func (s *adminSuite) accountState() {
	_, err := s.AccountState(s.ctx, nobody)
	s.fails("AccountState of nobody", err, onboard.ErrNoRow)
	id := s.listed(1, "a")
	m := s.merchants()
	refresh := func(d time.Duration, failure string) {
		s.Helper()
		due, ok, err := m.ClaimAccount(s.ctx, id, at(d), at(d+time.Minute))
		if err != nil || !ok {
			s.Fatal(ok, err)
		}
		r := onboard.Refreshed{AppID: id, Fence: due.Fence, WasDueAt: due.DueAt, Now: at(d), DueAt: at(d + 30*time.Minute), Failure: failure}
		if failure == "" {
			r.Tokens = tokens("access 2", "")
		}
		must(m.SaveRefreshed(s.ctx, []onboard.Refreshed{r}))(m)
	}
	refresh(2*time.Hour, "")
	for i := range 5 {
		refresh(4*time.Hour+time.Duration(i)*time.Minute, "api_authorizer_token -1")
	}
	refresh(5*time.Hour, "")
	state := pass(s.AccountState(s.ctx, id))(s)
	s.same("due", state.DueAt, at(5*time.Hour+30*time.Minute))
	s.same("Refreshes", state.Refreshes, []admin.Refresh{
		{First: at(time.Minute), At: at(time.Minute), Times: 1},
		{First: at(2 * time.Hour), At: at(2 * time.Hour), Times: 1},
		{First: at(4 * time.Hour), At: at(4*time.Hour + 4*time.Minute), Times: 5, Reason: "api_authorizer_token -1"},
		{First: at(5 * time.Hour), At: at(5 * time.Hour), Times: 1},
	})
	must(m.SaveStopped(s.ctx, id, true, at(6*time.Hour)))(m)
	s.same("due while stopped", pass(s.AccountState(s.ctx, id))(s).DueAt.IsZero(), true)
	must(m.SaveStopped(s.ctx, id, false, at(6*time.Hour)))(m)
	refresh(40*time.Hour, "")
	s.same("after days", len(pass(s.AccountState(s.ctx, id))(s).Refreshes), 1)
}

func (s *adminSuite) accountEvents() {
	m := s.merchants()
	id := s.listed(1, "a")
	m.saveAttempt("t")
	m.authorize("again", arrived(id, func(a *onboard.Arrived) {
		a.AttemptID, a.At, a.Now = "t", wechat(time.Hour), at(time.Hour)
	}))
	due, _, err := m.ClaimAccount(s.ctx, id, at(2*time.Hour), at(3*time.Hour))
	s.ok(err)
	s.ok(m.SaveRescan(s.ctx, id, due.Fence, "api_authorizer_token 61023", at(2*time.Hour)))
	must(m.SaveRevoked(s.ctx, id, wechat(3*time.Hour), at(4*time.Hour)))(m)
	want := []admin.StoredEvent{
		{At: wechat(3 * time.Hour), Kind: admin.AccountRevoked},
		{At: at(2 * time.Hour), Kind: admin.AccountRescan, Detail: "api_authorizer_token 61023"},
		{At: wechat(time.Hour), Kind: admin.AccountAuthorized, Detail: "t"},
		{At: wechat(time.Minute), Kind: admin.AccountAuthorized},
	}
	s.same("AccountEvents", pass(s.AccountEvents(s.ctx, id, 9))(s), want)
	s.same("the newest", pass(s.AccountEvents(s.ctx, id, 1))(s), want[:1])
	s.same("of nobody", len(pass(s.AccountEvents(s.ctx, nobody, 9))(s)), 0)
}

// attemptsOf: those that asked for the account and those that brought it, each once.
func (s *adminSuite) attemptsOf() {
	m := s.merchants()
	id := listID(1)
	begun := func(name string, d time.Duration, biz onboard.AppID) {
		m.saveAttempt(name, func(a *onboard.Attempt) { a.CreatedAt, a.BizAppID = at(d), biz })
	}
	begun("asked", time.Minute, id)
	begun("asked and brought", 2*time.Minute, id)
	begun("brought", 3*time.Minute, "")
	begun("other", 4*time.Minute, listID(2))
	begun("none", 5*time.Minute, "")
	for i, name := range []string{"asked and brought", "brought"} {
		m.authorize(name, arrived(id, func(a *onboard.Arrived) { a.AttemptID, a.At = name, wechat(time.Duration(i+1)*time.Hour) }))
	}
	names := func(limit int) (all []string) {
		for _, a := range pass(s.AttemptsOf(s.ctx, id, limit))(s) {
			all = append(all, a.ID)
		}
		return all
	}
	s.same("AttemptsOf", names(9), []string{"brought", "asked and brought", "asked"})
	s.same("the newest", names(1), []string{"brought"})
}

func (s *adminSuite) auditOf() {
	for i, target := range []string{"wx1", "wx2", "wx1", "wx11"} {
		pass(s.AppendAudit(s.ctx, admin.Entry{At: at(time.Duration(i) * time.Minute), Action: "account.note", Target: target}))(s)
	}
	var seqs []int64
	for _, e := range pass(s.AuditOf(s.ctx, "wx1", 9))(s) {
		seqs = append(seqs, e.Seq)
	}
	s.same("AuditOf", seqs, []int64{3, 1})
	s.same("the newest", len(pass(s.AuditOf(s.ctx, "wx1", 1))(s)), 1)
}
