package storetest

import (
	"fmt"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// onboarding is the merchants' side of the same store.
func (s *adminSuite) onboarding() onboard.Store {
	s.Helper()
	st, ok := s.Store.(onboard.Store)
	if !ok {
		s.Fatalf("%T is no onboard.Store", s.Store)
	}
	return st
}

// invited stores an invite made i minutes after t0 that lives for a day.
func (s *adminSuite) invited(id string, i int, change ...func(*onboard.Attempt)) {
	s.Helper()
	a := attempt(id)
	a.InviteCode, a.InvitedBy, a.CreatedAt = "I"+id, "陈晓", at(time.Duration(i)*time.Minute)
	a.ExpiresAt = a.CreatedAt.Add(24 * time.Hour)
	for _, f := range change {
		f(&a)
	}
	s.ok(s.onboarding().SaveAttempts(s.ctx, []onboard.Attempt{a}))
}

func names(page admin.InvitePage) (ids string) {
	for _, r := range page.Rows {
		ids += r.ID
	}
	return ids
}

func (s *adminSuite) invites() {
	now := at(25 * time.Hour)
	s.invited("a", 0, func(a *onboard.Attempt) { a.Recipient = "山茶花 Tea" })                                  // expired
	s.invited("b", 1, func(a *onboard.Attempt) { a.InvitedBy = "" })                                         // expired, a merchant's own
	s.invited("c", 2, func(a *onboard.Attempt) { a.ExpiresAt = now.Add(time.Hour); a.Reference = "Shop_7" }) // waits
	s.invited("d", 3, func(a *onboard.Attempt) { a.FinishedAt, a.AppID = at(time.Hour), "wx00000000000000dd" })
	s.invited("e", 4, func(a *onboard.Attempt) { a.CanceledAt = at(time.Hour) })
	s.invited("f", 5, func(a *onboard.Attempt) { a.CanceledAt, a.FinishedAt = at(time.Hour), at(2*time.Hour) })
	s.invited("g", 6, func(a *onboard.Attempt) { a.Batch, a.BizAppID = "one", "wx00000000000000aa" })
	s.invited("h", 6, func(a *onboard.Attempt) { a.Batch, a.ExpiresAt = "one", now }) // ends just now: expired
	s.invited("z", 7, func(a *onboard.Attempt) { a.InviteCode = "" })                 // no invite at all
	for _, tt := range []struct {
		q    admin.InviteQuery
		want string
	}{
		{admin.InviteQuery{}, "hgfedcba"},
		{admin.InviteQuery{State: admin.InviteWaiting}, "c"},
		{admin.InviteQuery{State: admin.InviteExpired}, "hgba"},
		{admin.InviteQuery{State: admin.InviteLapsed}, "hga"},
		{admin.InviteQuery{State: admin.InviteDone}, "fd"},
		{admin.InviteQuery{State: admin.InviteCanceled}, "e"},
		{admin.InviteQuery{Query: "tea"}, "a"},
		{admin.InviteQuery{Query: "茶花"}, "a"},
		{admin.InviteQuery{Query: "shop_7"}, "c"},
		{admin.InviteQuery{Query: "shop%"}, ""},
		{admin.InviteQuery{Query: "shopX7"}, ""},
		{admin.InviteQuery{Query: "WX00000000000000"}, "gd"},
		{admin.InviteQuery{Query: "wx00000000000000", State: admin.InviteDone}, "d"},
		{admin.InviteQuery{Batch: "one"}, "hg"},
		{admin.InviteQuery{Batch: "one", Query: "wx0"}, "g"},
		{admin.InviteQuery{Batch: "one", State: admin.InviteWaiting}, ""},
		{admin.InviteQuery{Batch: "two"}, ""},
		{admin.InviteQuery{Query: "' OR 1=1 --"}, ""},
	} {
		tt.q.Size = 10
		page := pass(s.ListInvites(s.ctx, tt.q, now))(s)
		s.same(fmt.Sprintf("ListInvites(%+v)", tt.q), names(page), tt.want)
		s.same("the page behind the last", page.Next, admin.InviteCursor{})
	}
	// Page by page, and across rows of one moment.
	for _, q := range []admin.InviteQuery{{Size: 1}, {Size: 3}, {Size: 8}, {Size: 2, State: admin.InviteExpired}, {Size: 1, Batch: "one"}, {Size: 1, Query: "wx0"}} {
		all := names(pass(s.ListInvites(s.ctx, admin.InviteQuery{Size: 10, State: q.State, Batch: q.Batch, Query: q.Query}, now))(s))
		var got string
		for {
			page := pass(s.ListInvites(s.ctx, q, now))(s)
			got += names(page)
			if page.Next.Zero() {
				break
			}
			q.After = admin.ParseInviteCursor(page.Next.String())
		}
		s.same(fmt.Sprintf("ListInvites(%+v), all pages", q), got, all)
	}
	if _, err := s.ListInvites(s.ctx, admin.InviteQuery{State: "odd", Size: 1}, now); err == nil {
		s.Error("ListInvites of a state that is none = nil, want an error")
	}
	s.same("CountInvites", pass(s.CountInvites(s.ctx, now, 10))(s), 1)
	s.same("CountInvites earlier", pass(s.CountInvites(s.ctx, at(time.Hour), 10))(s), 5)
	s.same("CountInvites up to a limit", pass(s.CountInvites(s.ctx, at(time.Hour), 2))(s), 2)
	s.same("CountLapsed", pass(s.CountLapsed(s.ctx, now, 10))(s), 3)
	s.same("CountLapsed up to a limit", pass(s.CountLapsed(s.ctx, now, 2))(s), 2)
	s.same("CountLapsed long after", pass(s.CountLapsed(s.ctx, now.Add(admin.LapsedFor), 10))(s), 1)
}

// resent and canceled are promises of onboard.Store that only invites have.
func (s *adminSuite) resent() {
	st := s.onboarding()
	s.invited("a", 0)
	s.invited("done", 1, func(a *onboard.Attempt) { a.FinishedAt = at(time.Hour) })
	s.invited("desk", 2, func(a *onboard.Attempt) { a.InviteCode = "" })
	end := at(72 * time.Hour)
	for id, want := range map[string]bool{"a": true, "done": false, "desk": false, "none": false} {
		s.same("SaveResent of "+id, pass(st.SaveResent(s.ctx, id, end))(s), want)
	}
	a := pass(st.Attempt(s.ctx, "a"))(s)
	s.same("the end and the version", []any{a.ExpiresAt, a.Version}, []any{end.UTC(), int64(2)})
	won := s.winners(8, func(other admin.Store) (bool, error) {
		return other.(onboard.Store).SaveCanceled(s.ctx, "a", at(time.Hour))
	})
	s.same("calls that canceled", won, 1)
	a = pass(st.Attempt(s.ctx, "a"))(s)
	s.same("what is canceled", []any{a.CanceledAt, a.ExpiresAt, a.Version}, []any{at(time.Hour), at(time.Hour), int64(3)})
	s.same("SaveResent of what is canceled", pass(st.SaveResent(s.ctx, "a", end))(s), false)
	s.same("SaveCanceled of what is done", pass(st.SaveCanceled(s.ctx, "done", at(time.Hour)))(s), false)
	s.invited("late", 3)
	s.same("SaveCanceled of what has expired", pass(st.SaveCanceled(s.ctx, "late", at(48*time.Hour)))(s), true)
	s.same("it keeps its end", pass(st.Attempt(s.ctx, "late"))(s).ExpiresAt, at(24*time.Hour+3*time.Minute))
}

// decision is SaveDecision and what the list says after it.
func (s *adminSuite) decision() {
	st := s.onboarding()
	merchants := &suite{T: s.T, Store: st, stores: []onboard.Store{st}, ctx: s.ctx}
	for i, standing := range []onboard.Standing{onboard.Quarantined, onboard.Active} {
		merchants.authorize(fmt.Sprint(i), arrived(onboard.AppID(fmt.Sprint("wx", i)), func(a *onboard.Arrived) { a.Standing = standing }))
	}
	status := func(id onboard.AppID) admin.Status {
		s.Helper()
		return pass(s.AccountState(s.ctx, id))(s).Listed.Status
	}
	s.same("the status of what is put aside", status("wx0"), admin.Undecided)
	_, err := st.SaveDecision(s.ctx, "wx9", true, at(time.Hour))
	s.fails("SaveDecision on nobody", err, onboard.ErrNoRow)
	s.same("SaveDecision on an account that is served", pass(st.SaveDecision(s.ctx, "wx1", false, at(time.Hour)))(s), false)
	won := s.winners(8, func(other admin.Store) (bool, error) {
		return other.(onboard.Store).SaveDecision(s.ctx, "wx0", false, at(time.Hour))
	})
	s.same("refusals that counted", won, 1)
	s.same("the status of what is refused", status("wx0"), admin.Refused)
	due := pass(st.ClaimDue(s.ctx, at(100*time.Hour), at(101*time.Hour), 10))(s)
	s.same("accounts to refresh", len(due), 1) // wx1
	s.same("a second thought", pass(st.SaveDecision(s.ctx, "wx0", true, at(2*time.Hour)))(s), true)
	s.same("the status of what is accepted", status("wx0"), admin.Fine)
	due = pass(st.ClaimDue(s.ctx, at(2*time.Hour), at(3*time.Hour), 10))(s)
	s.same("an accepted account is due at once", len(due) == 1 && due[0].AppID == "wx0", true)
	s.same("SaveDecision once more", pass(st.SaveDecision(s.ctx, "wx0", true, at(2*time.Hour)))(s), false)
}

func (s *adminSuite) overview() {
	st := s.onboarding()
	merchants := &suite{T: s.T, Store: st, stores: []onboard.Store{st}, ctx: s.ctx}
	s.same("PlatformTimes of a new database", pass(s.PlatformTimes(s.ctx))(s), admin.PlatformTimes{})
	for i := range 3 {
		pass(st.SaveTicket(s.ctx, onboard.Ticket{Value: tokens("a", "b").Access, CreatedAt: wechat(time.Duration(i) * time.Minute), ReceivedAt: at(time.Duration(i) * time.Minute)}))(s)
	}
	fence, ok, err := st.ClaimPlatformToken(s.ctx, at(0), at(time.Minute))
	s.ok(err)
	s.same("ClaimPlatformToken", ok, true)
	s.ok(st.SavePlatformToken(s.ctx, onboard.PlatformToken{Value: tokens("a", "b").Access, FetchedAt: at(0), ExpiresAt: at(2 * time.Hour), Fence: fence}))
	s.same("PlatformTimes", pass(s.PlatformTimes(s.ctx))(s), admin.PlatformTimes{Ticket: at(2 * time.Minute), TokenEnds: at(2 * time.Hour)})

	for i, key := range []onboard.Key{onboard.KeyBlockedIP, onboard.KeyBlockedIP, onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat} {
		id := fmt.Sprint("a", i)
		merchants.saveAttempt(id)
		s.ok(st.SaveBlocked(s.ctx, id, key, at(time.Duration(i)*time.Minute)))
	}
	merchants.authorize("1", arrived("wx1", func(a *onboard.Arrived) { a.AttemptID = "a3" })) // went on after all
	want := map[onboard.Key]time.Time{onboard.KeyBlockedIP: at(time.Minute), onboard.KeyBlockedQuota: at(2 * time.Minute)}
	got := map[onboard.Key]time.Time{}
	for _, b := range pass(s.Blocks(s.ctx, t0.Add(-time.Hour)))(s) {
		got[b.Key] = b.At
	}
	s.same("Blocks", got, want)
	s.same("Blocks after the last", len(pass(s.Blocks(s.ctx, at(time.Hour)))(s)), 0)

	s.same("CountParked of none", pass(s.CountParked(s.ctx, 10))(s), 0)
	for i := range 3 {
		pass(st.SaveArrival(s.ctx, onboard.Arrival{Digest: fmt.Sprint("d", i), Type: "unauthorized", AppID: "wx1", CreatedAt: t0, ReceivedAt: t0}))(s)
	}
	var ends []onboard.ArrivalEnd
	for _, a := range pass(st.ClaimArrivals(s.ctx, at(time.Minute), at(2*time.Minute), 10, ""))(s) {
		ends = append(ends, onboard.ArrivalEnd{ID: a.ID, Fence: a.Fence, Outcome: onboard.Parked})
	}
	s.ok(st.FinishArrivals(s.ctx, ends, at(time.Minute)))
	s.same("CountParked", pass(s.CountParked(s.ctx, 10))(s), 3)
	s.same("CountParked up to a limit", pass(s.CountParked(s.ctx, 2))(s), 2)
}
