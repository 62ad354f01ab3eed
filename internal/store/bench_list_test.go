package store_test

import (
	"context"
	"fmt"
	"path/filepath"
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
	middle := admin.Cursor{Text: fmt.Sprintf("shop %06d", n/2), AppID: benchID(n / 2)}
	list("all", admin.AccountQuery{}, 50)
	list("all by name", admin.AccountQuery{Sort: admin.ByName}, 50)
	list("all from the middle", admin.AccountQuery{Sort: admin.ByName, After: middle}, 50)
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
	list("a thousand rows of a file", admin.AccountQuery{Size: 1000, NoTotal: true}, 1000)
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
	all := make([]onboard.Account, n)
	for i := range all {
		all[i] = onboard.Account{
			AppID: benchID(i), Standing: onboard.Active, Grants: onboard.Grants{{ID: 17}, {ID: 30}}, Wanted: []onboard.PermissionID{17, 30},
			AccessExpiresAt: t0.Add(time.Duration(i) * time.Millisecond),
			Profile: onboard.Profile{Kind: onboard.MiniProgram, Nickname: fmt.Sprintf("shop %06d", i), OriginalID: fmt.Sprintf("gh_%012x", i),
				Principal: "杭州山茶花餐饮管理有限公司", Status: 1},
		}
		if i%3 == 0 {
			all[i].Wanted = append(all[i].Wanted, 19)
		}
		if i%1000 == 0 {
			all[i].Wanted = append(all[i].Wanted, 18)
		}
	}
	if err := s.Fill(context.Background(), all, t0, "vip", func(i int) bool { return i%1000 == 0 }); err != nil {
		b.Fatal(err)
	}
}
