package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/admin"
)

func (s *adminSuite) auditFilter() {
	var rows []admin.Entry
	for i, e := range []admin.Entry{
		{Actor: "陈晓", ActorID: "A", Action: "invite.create", Target: "wx1"},
		{Actor: "陈晓", ActorID: "A", Action: "invite.revoke", Target: "wx1", Before: "{}", After: "x", Address: "192.0.2.1", RequestID: "R"},
		{Actor: "王", ActorID: "B", Action: "account.stop", Target: "wx2"},
		{Action: "account_x", Target: "100%"},
	} {
		e.At = at(time.Duration(i) * time.Hour).Truncate(time.Millisecond)
		got := pass(s.AppendAudit(s.ctx, e))(s)
		e.Seq, e.Prev = int64(i+1), ""
		if i > 0 {
			e.Prev = rows[i-1].Hash
		}
		e.Hash = e.Sum(e.Prev)
		s.same("AppendAudit", got, e)
		rows = append(rows, e)
	}
	newest := func(is ...int) (want []admin.Entry) {
		for _, i := range is {
			want = append(want, rows[i-1])
		}
		return want
	}
	for _, tt := range []struct {
		f    admin.Filter
		want []admin.Entry
	}{
		{admin.Filter{Limit: 10}, newest(4, 3, 2, 1)},
		{admin.Filter{Limit: 2}, newest(4, 3)},
		{admin.Filter{Limit: 10, Before: 3}, newest(2, 1)},
		{admin.Filter{Limit: 10, Actor: "陈晓"}, newest(2, 1)},
		{admin.Filter{Limit: 10, Actor: "陈"}, nil},
		{admin.Filter{Limit: 10, Action: "invite."}, newest(2, 1)},
		{admin.Filter{Limit: 10, Action: "account_"}, newest(4)},
		{admin.Filter{Limit: 10, Target: "wx"}, newest(3, 2, 1)},
		{admin.Filter{Limit: 10, Target: "%"}, nil},
		{admin.Filter{Limit: 10, Target: "100%"}, newest(4)},
		{admin.Filter{Limit: 10, Target: "' OR 1=1 --"}, nil},
		{admin.Filter{Limit: 10, From: rows[1].At, Until: rows[3].At}, newest(3, 2)},
	} {
		s.same(fmt.Sprintf("Audit(%+v)", tt.f), pass(s.Audit(s.ctx, tt.f))(s), tt.want)
	}
	s.same("AuditAfter", pass(s.AuditAfter(s.ctx, 2, 1))(s), newest(3))
	seq, hash, err := s.AuditHead(s.ctx)
	s.ok(err)
	s.same("AuditHead", []any{seq, hash}, []any{int64(4), rows[3].Hash})
	actions, actors, err := s.AuditActions(s.ctx)
	s.ok(err)
	slices.Sort(actors)
	s.same("AuditActions", []any{strings.Join(actions, " "), strings.Join(actors, " ")}, []any{"account.stop account_x invite.create invite.revoke", "王 陈晓"})
}

// auditRace appends from everywhere at once: the chain has no gap and no fork.
func (s *adminSuite) auditRace() {
	s.race(40, func(i int, st admin.Store) error {
		_, err := st.AppendAudit(s.ctx, admin.Entry{At: at(time.Duration(i) * time.Millisecond), Action: "x.y", Target: fmt.Sprint(i)})
		return err
	})
	rows := pass(s.AuditAfter(s.ctx, 0, 100))(s)
	s.same("rows", len(rows), 40)
	prev := ""
	for i, e := range rows {
		if e.Seq != int64(i+1) || e.Prev != prev || e.Hash != e.Sum(prev) {
			s.Fatalf("row %d does not follow from the one before: %+v", i+1, e)
		}
		prev = e.Hash
	}
}
