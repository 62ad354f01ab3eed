package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

func dues(due []onboard.Due) (out []onboard.AppID) {
	for _, d := range due {
		out = append(out, d.AppID)
	}
	return out
}

func (s *suite) claimDue() {
	for i, due := range []time.Duration{3, 1, 2, 60} {
		s.authorize(fmt.Sprint(i), arrived(onboard.AppID(fmt.Sprint("wx", i)), func(a *onboard.Arrived) {
			a.DueAt = at(due * time.Minute)
			if i == 2 {
				a.Standing = onboard.Quarantined
			}
		}))
	}
	s.authorize("no api", arrived("wx no api", func(a *onboard.Arrived) { a.Tokens, a.DueAt = onboard.Tokens{}, at(time.Minute) }))
	claim := func(now, until time.Duration, limit int) []onboard.Due {
		s.Helper()
		return must(s.ClaimDue(s.ctx, at(now), at(until), limit))(s)
	}
	s.same("before any is due", dues(claim(time.Minute-1e6, time.Hour, 9)), []onboard.AppID(nil))
	first := claim(5*time.Minute, 7*time.Minute, 2)
	s.same("the soonest", dues(first), []onboard.AppID{"wx1", "wx2"})
	d := first[0]
	s.same("Due", []any{d.Refresh, d.Failures, d.EndsAt}, []any{secret.New("refresh 1"), 0, at(time.Second).Add(2 * time.Hour)})
	s.same("those that are free", dues(claim(5*time.Minute, 7*time.Minute, 9)), []onboard.AppID{"wx0"})
	again := claim(7*time.Minute, 9*time.Minute, 9)
	s.same("when the leases have ended", dues(again), []onboard.AppID{"wx1", "wx2", "wx0"})
	if again[0].Fence <= d.Fence {
		s.Errorf("Fence went from %d to %d, want it to grow", d.Fence, again[0].Fence)
	}
}

// claimDueOrder has many accounts due at once, as after an outage.
func (s *suite) claimDueOrder() {
	for id, life := range map[string]time.Duration{"wx9": 9, "wx3": 3, "wx5": 5, "wx61": 61, "wx120": 120} { // minutes
		s.authorize(id, arrived(onboard.AppID(id), func(a *onboard.Arrived) {
			a.Tokens.Life, a.DueAt = life*time.Minute, at(time.Minute)
		}))
	}
	due := must(s.ClaimDue(s.ctx, at(6*time.Minute), at(time.Hour), 3))(s)
	s.same("the one that ends next first", dues(due), []onboard.AppID{"wx9", "wx61", "wx120"})
	due = must(s.ClaimDue(s.ctx, at(6*time.Minute), at(time.Hour), 3))(s)
	s.same("those that have ended", dues(due), []onboard.AppID{"wx3", "wx5"})
}

// claimDueRace has eight workers lease 60 accounts at once.
func (s *suite) claimDueRace() {
	const n = 60
	for i := range n {
		s.authorize(fmt.Sprint(i), arrived(onboard.AppID(fmt.Sprint("wx", i))))
	}
	var mu sync.Mutex
	times := map[onboard.AppID]int{}
	count := func(due []onboard.Due) {
		mu.Lock()
		defer mu.Unlock()
		for _, d := range due {
			times[d.AppID]++
		}
	}
	s.race(8, func(_ int, st onboard.Store) error {
		for {
			due, err := st.ClaimDue(s.ctx, at(2*time.Hour), at(3*time.Hour), 7)
			if err != nil || len(due) == 0 {
				return err
			}
			count(due)
		}
	})
	count(must(s.ClaimDue(s.ctx, at(2*time.Hour), at(3*time.Hour), n))(s)) // what all of them lost to one another
	s.same("accounts leased", len(times), n)
	for id, k := range times {
		if k != 1 {
			s.Errorf("account %s was leased %d times, want once", id, k)
		}
	}
}

func (s *suite) claimAccount() {
	s.authorize("x", arrived("wx1"))
	d, ok, err := s.ClaimAccount(s.ctx, "wx1", t0, at(time.Minute))
	s.ok(err)
	s.same("ClaimAccount", []any{ok, d.AppID, d.Refresh.Reveal()}, []any{true, onboard.AppID("wx1"), "refresh 1"})
	_, ok, err = s.ClaimAccount(s.ctx, "wx1", at(time.Minute-1e6), at(time.Hour))
	s.ok(err)
	s.same("while another holds it", ok, false)
	s.same("ClaimDue while one holds it", len(must(s.ClaimDue(s.ctx, at(time.Minute-1e6), at(time.Hour), 9))(s)), 0)
	_, _, err = s.ClaimAccount(s.ctx, "nope", t0, at(time.Minute))
	s.fails("ClaimAccount(nope)", err, onboard.ErrNoRow)

	var won sync.Map
	s.race(8, func(i int, st onboard.Store) error {
		_, ok, err := st.ClaimAccount(s.ctx, "wx1", at(time.Minute), at(time.Hour))
		if ok {
			won.Store(i, true)
		}
		return err
	})
	winners := 0
	won.Range(func(any, any) bool { winners++; return true })
	s.same("winners", winners, 1)
}

func (s *suite) saveRefreshed() {
	for _, id := range []onboard.AppID{"wx1", "wx2", "wx3"} {
		s.authorize(string(id), arrived(id))
	}
	due := must(s.ClaimDue(s.ctx, at(2*time.Hour), at(3*time.Hour), 9))(s)
	s.same("due", len(due), 3)
	var results []onboard.Refreshed
	now := at(2*time.Hour + time.Second)
	for _, d := range due {
		r := onboard.Refreshed{AppID: d.AppID, Fence: d.Fence, Tokens: tokens("new access", ""), WasDueAt: d.DueAt, DueAt: now.Add(time.Hour), Now: now}
		switch d.AppID {
		case "wx2":
			r.Tokens.Refresh = secret.New("refresh 1") // as before
		case "wx3":
			r.Tokens.Refresh = secret.New("refresh 2")
		}
		results = append(results, r)
	}
	s.same("fenced", len(must(s.SaveRefreshed(s.ctx, results))(s)), 0)
	for _, id := range []onboard.AppID{"wx1", "wx2", "wx3"} {
		a, c := s.account(id), s.credentials(id)
		s.same(string(id), []any{a.RefreshedAt, a.Failures, a.UpdatedAt, c.Access.Reveal(), c.AccessExpiresAt}, []any{now, 0, now, "new access", now.Add(2 * time.Hour)})
	}
	s.same("due again", len(must(s.ClaimDue(s.ctx, now.Add(time.Hour-1e6), now.Add(2*time.Hour), 9))(s)), 0)
	for _, d := range must(s.ClaimDue(s.ctx, now.Add(time.Hour), now.Add(2*time.Hour), 9))(s) {
		want := []string{"refresh 1", ""}
		if d.AppID == "wx3" {
			want = []string{"refresh 2", "refresh 1"}
		}
		s.same("refresh tokens of "+string(d.AppID), []string{d.Refresh.Reveal(), s.kept(d.AppID)}, want)
	}
	s.same("of no result", len(must(s.SaveRefreshed(s.ctx, nil))(s)), 0)
}

// saveRefreshedFenced: a late answer changes nothing, and spoils nothing else.
func (s *suite) saveRefreshedFenced() {
	s.authorize("1", arrived("wx1"))
	s.authorize("2", arrived("wx2"))
	s.authorize("3", arrived("wx3"))
	late := map[onboard.AppID]int64{}
	for _, d := range must(s.ClaimDue(s.ctx, at(2*time.Hour), at(3*time.Hour), 9))(s) {
		late[d.AppID] = d.Fence
	}
	d, ok, err := s.ClaimAccount(s.ctx, "wx1", at(3*time.Hour), at(4*time.Hour)) // wx1: another worker has it now
	s.ok(err)
	s.same("ClaimAccount", ok, true)
	// wx2: the merchant authorized again meanwhile; both of its tokens are new.
	s.authorize("again", arrived("wx2", func(a *onboard.Arrived) { a.At, a.Tokens = wechat(time.Hour), tokens("access 2", "refresh 2") }))
	var results []onboard.Refreshed
	for _, id := range []onboard.AppID{"wx1", "wx2", "wx3", "nope"} {
		results = append(results, onboard.Refreshed{AppID: id, Fence: late[id], Tokens: tokens("late access", "late refresh"), DueAt: at(9 * time.Hour), Now: at(3 * time.Hour)})
	}
	s.same("fenced", must(s.SaveRefreshed(s.ctx, results))(s), []onboard.AppID{"wx1", "wx2", "nope"})
	for id, want := range map[onboard.AppID]string{"wx1": "access 1", "wx2": "access 2", "wx3": "late access"} {
		s.same("Access of "+string(id), s.credentials(id).Access.Reveal(), want)
	}
	results[0].Fence = d.Fence
	s.same("fenced for the present holder", len(must(s.SaveRefreshed(s.ctx, results[:1]))(s)), 0)
}

// accessInDoubt: when two answers for one account were under way at once, WeChat may
// have ended the access token that is stored, so the account is refreshed at once.
func (s *suite) accessInDoubt() {
	authorize := func(code string, id onboard.AppID, now time.Duration, refresh string) {
		s.Helper()
		s.authorize(code, arrived(id, func(a *onboard.Arrived) {
			a.At, a.Now, a.DueAt = wechat(now), at(now), at(3*time.Hour)
			a.Tokens = tokens("access "+code, refresh)
		}))
	}
	for _, id := range []onboard.AppID{"wx1", "wx2", "wx3", "wx4", "wx5", "wx6", "wx7"} {
		authorize("first "+string(id), id, 0, "refresh")
	}
	authorize("at once", "wx1", time.Minute, "refresh")
	authorize("much later", "wx2", 10*time.Minute, "refresh")
	s.same("one that is older", s.authorize("late", arrived("wx3", func(a *onboard.Arrived) {
		a.At, a.Now, a.Tokens = wechat(-time.Minute), at(time.Minute), tokens("access late", "refresh")
	})), true)
	s.same("one that is older, without tokens", s.authorize("empty", arrived("wx4", func(a *onboard.Arrived) {
		a.At, a.Now, a.Tokens = wechat(-time.Minute), at(time.Minute), onboard.Tokens{}
	})), true)
	late := onboard.Refreshed{AppID: "wx5", Fence: -1, Tokens: tokens("access stale", "refresh"), DueAt: at(3 * time.Hour), Now: at(time.Minute)}
	s.same("fenced", must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{late}))(s), []onboard.AppID{"wx5"})

	// A call that was under way then does not settle it, and one that began later does.
	refresh := func(id onboard.AppID, meanwhile func()) {
		s.Helper()
		d, ok, err := s.ClaimAccount(s.ctx, id, at(time.Minute), at(3*time.Minute))
		s.ok(err)
		s.same("ClaimAccount of "+string(id), ok, true)
		meanwhile()
		s.same("fenced", len(must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{{AppID: id, Fence: d.Fence, WasDueAt: d.DueAt,
			Tokens: tokens("third access", "refresh"), DueAt: at(3 * time.Hour), Now: at(2 * time.Minute)}}))(s)), 0)
	}
	refuse := func(id onboard.AppID) {
		late.AppID = id
		s.same("fenced", must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{late}))(s), []onboard.AppID{id})
	}
	refresh("wx6", func() { refuse("wx6") })
	refuse("wx7")
	refresh("wx7", func() {})
	got := dues(must(s.ClaimDue(s.ctx, at(20*time.Minute), at(time.Hour), 9))(s))
	slices.Sort(got)
	s.same("due", got, []onboard.AppID{"wx1", "wx3", "wx5", "wx6"})
}

func (s *suite) saveRefreshedFailures() {
	s.authorize("x", arrived("wx1"))
	now := 2 * time.Hour
	save := func(r onboard.Refreshed) onboard.Account {
		s.Helper()
		now += time.Hour
		d, ok, err := s.ClaimAccount(s.ctx, "wx1", at(now), at(now+time.Minute))
		s.ok(err)
		s.same("ClaimAccount", ok, true)
		r.AppID, r.Fence, r.WasDueAt, r.Now, r.DueAt = "wx1", d.Fence, d.DueAt, at(now), at(now+time.Minute)
		s.same("fenced", len(must(s.SaveRefreshed(s.ctx, []onboard.Refreshed{r}))(s)), 0)
		return s.account("wx1")
	}
	for i := 1; i <= 2; i++ {
		a := save(onboard.Refreshed{Failure: fmt.Sprint("61023 ", i)})
		s.same("after a failure", []any{a.Failures, a.LastError, a.RefreshedAt}, []any{i, fmt.Sprint("61023 ", i), at(time.Second)})
	}
	a := save(onboard.Refreshed{Failure: "no ticket", Platform: true})
	s.same("after a failure of the platform", []any{a.Failures, a.LastError}, []any{2, "61023 2"})
	due := must(s.ClaimDue(s.ctx, at(now+time.Minute), at(now+time.Minute+1e6), 9))(s)
	if len(due) != 1 || due[0].Failures != 2 || due[0].Refresh.Reveal() != "refresh 1" {
		s.Errorf("ClaimDue = %+v, want the account with 2 failures and its token", due)
	}
	a = save(onboard.Refreshed{Tokens: tokens("access 2", "")})
	s.same("after a success", []any{a.Failures, a.LastError, a.RefreshedAt}, []any{0, "", at(now)})
}
