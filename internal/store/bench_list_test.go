package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/store"
)

// BenchmarkListAccounts reads pages of 50 out of 100,000 accounts, with the total, as
// the console does. The floor is one account read by its key in the same run: only the
// ratio says something. The last lines are the worst there is, a search or a filter
// that is neither rare nor frequent, for which the column is walked.
func BenchmarkListAccounts(b *testing.B) {
	const n = 100_000
	s := openAt(b, filepath.Join(b.TempDir(), "usher.db"), newRing(b))
	start := time.Now()
	seedListed(b, s, n)
	b.Logf("%d accounts in %v", n, time.Since(start).Round(time.Second))
	list := func(name string, q admin.AccountQuery, least int) {
		b.Run(name, func(b *testing.B) {
			if q.Size == 0 {
				q.Size = 50
			}
			if q.Sort == "" {
				q.Sort = admin.ByChange
			}
			for b.Loop() {
				page, err := s.ListAccounts(context.Background(), q)
				if err != nil || len(page.Rows) < least {
					b.Fatal(len(page.Rows), err)
				}
			}
		})
	}
	b.Run("floor", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Account(context.Background(), benchID(i%n)); err != nil {
				b.Fatal(err)
			}
		}
	})
	middle := func(sort admin.Sort) admin.Cursor {
		return admin.Cursor{Text: fmt.Sprintf("shop %06d", n/2), Number: t0.UnixMilli(), AppID: benchID(n / 2)}
	}
	list("all", admin.AccountQuery{}, 50)
	list("all by name", admin.AccountQuery{Sort: admin.ByName}, 50)
	list("all from the middle", admin.AccountQuery{Sort: admin.ByName, After: middle(admin.ByName)}, 50)
	list("search of one", admin.AccountQuery{AccountFilter: admin.AccountFilter{Query: "shop 054321"}}, 1)
	list("search of an AppID", admin.AccountQuery{AccountFilter: admin.AccountFilter{Query: string(benchID(77_777))}}, 1)
	list("search of none", admin.AccountQuery{AccountFilter: admin.AccountFilter{Query: "zzz"}}, 0)
	list("search of all", admin.AccountQuery{AccountFilter: admin.AccountFilter{Query: "shop"}}, 50)
	list("missing, 1 in 1000", admin.AccountQuery{AccountFilter: admin.AccountFilter{Missing: 18}}, 50)
	list("missing, 1 in 3", admin.AccountQuery{AccountFilter: admin.AccountFilter{Missing: 19}}, 50)
	list("acting", admin.AccountQuery{AccountFilter: admin.AccountFilter{Acting: true}}, 50)
	list("status and name", admin.AccountQuery{AccountFilter: admin.AccountFilter{Status: admin.Incomplete, Query: "shop 0543"}}, 1)
	list("tag", admin.AccountQuery{AccountFilter: admin.AccountFilter{Tag: "vip"}}, 50)
	list("worst: two frequent conditions that exclude each other", admin.AccountQuery{AccountFilter: admin.AccountFilter{Missing: 19, Status: admin.Fine}}, 0)
	list("worst: a word of frequent pieces that is nowhere", admin.AccountQuery{AccountFilter: admin.AccountFilter{Query: "shop shopshop"}}, 0)
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if counts, err := s.CountAccounts(context.Background()); err != nil || len(counts) == 0 {
				b.Fatal(counts, err)
			}
		}
	})
	b.Run("sets and tags", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.SeenSets(context.Background()); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Tags(context.Background(), 200); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// seedListed stores n accounts with names; one in three lacks set 19, one in a
// thousand set 18, and has a tag.
func seedListed(b *testing.B, s *store.Store, n int) {
	b.Helper()
	var next atomic.Int64
	ended := make(chan error)
	for range 64 {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					ended <- nil
					return
				}
				if err := seedOne(s, i); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for range 64 {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

func seedOne(s *store.Store, i int) error {
	ctx, id, code := context.Background(), benchID(i), fmt.Sprint("list ", i)
	now := t0.Add(time.Duration(i) * time.Second)
	c, err := s.ClaimExchange(ctx, code, "", now, now.Add(time.Minute))
	if err != nil {
		return err
	}
	a := onboard.Arrived{CodeHash: code, Fence: c.Fence, AppID: id, At: now, Now: now, DueAt: now.Add(time.Hour), Standing: onboard.Active, Tokens: benchTokens(id),
		Grants: onboard.Grants{{ID: 17}, {ID: 30}}, Wanted: []onboard.PermissionID{17, 30}}
	if i%3 == 0 {
		a.Wanted = append(a.Wanted, 19)
	}
	if i%1000 == 0 {
		a.Wanted = append(a.Wanted, 18)
	}
	if _, err := s.FinishExchange(ctx, a); err != nil {
		return err
	}
	p := onboard.Profile{Kind: onboard.MiniProgram, Nickname: fmt.Sprintf("shop %06d", i), OriginalID: fmt.Sprintf("gh_%012x", i), Principal: "杭州山茶花餐饮管理有限公司", Status: 1}
	if err := s.SaveProfile(ctx, id, p, now); err != nil || i%1000 != 0 {
		return err
	}
	_, err = s.SaveTag(ctx, []onboard.AppID{id}, "vip", "", 20, now)
	return err
}
