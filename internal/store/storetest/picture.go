package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"usher/internal/onboard"
)

func (s *suite) pictures() {
	for i := range 3 {
		s.authorize(fmt.Sprint(i), arrived(onboard.AppID(fmt.Sprint("wx", i))))
	}
	profile := func(id onboard.AppID, source string) {
		s.Helper()
		s.ok(s.SaveProfile(s.ctx, id, onboard.Profile{HeadImageURL: source}, t0))
	}
	claim := func(now, before time.Duration, limit int) []onboard.WantedPicture {
		s.Helper()
		return must(s.ClaimPictures(s.ctx, at(now), at(before), limit))(s)
	}
	s.same("without profiles", len(claim(time.Minute, 0, 9)), 0)
	profile("wx0", "a")
	profile("wx1", "b")
	profile("wx2", "")
	a, b := onboard.WantedPicture{AppID: "wx0", Source: "a"}, onboard.WantedPicture{AppID: "wx1", Source: "b"}
	first := append(claim(time.Minute, 0, 1), claim(time.Minute, 0, 9)...)
	slices.SortFunc(first, func(x, y onboard.WantedPicture) int { return int(x.AppID[2]) - int(y.AppID[2]) })
	s.same("ClaimPictures", first, []onboard.WantedPicture{a, b})
	s.same("tried just now", len(claim(time.Minute, time.Minute, 9)), 0)

	s.ok(s.SavePicture(s.ctx, a, "hash", []byte{0, 1, 2}))
	s.ok(s.SavePicture(s.ctx, b, "", nil)) // refused
	s.same("pictures", []string{s.account("wx0").Picture, s.account("wx1").Picture}, []string{"hash", ""})
	s.same("Picture", must(s.Picture(s.ctx, "hash"))(s), []byte{0, 1, 2})
	_, err := s.Picture(s.ctx, "")
	s.fails("Picture of nobody", err, onboard.ErrNoRow)
	s.same("all are done", len(claim(time.Hour, time.Hour, 9)), 0)

	profile("wx0", "a") // the same again
	s.same("nothing new", len(claim(time.Hour, time.Hour, 9)), 0)
	profile("wx0", "new")
	s.same("the old one until then", s.account("wx0").Picture, "hash")
	s.ok(s.SavePicture(s.ctx, a, "late", []byte{9})) // of a profile that is history
	s.same("a late picture", s.account("wx0").Picture, "hash")
	_, err = s.Picture(s.ctx, "late")
	s.fails("Picture that came late", err, onboard.ErrNoRow)
	renewed := onboard.WantedPicture{AppID: "wx0", Source: "new"}
	s.same("another one", claim(time.Hour, time.Hour, 9), []onboard.WantedPicture{renewed})
	s.ok(s.SavePicture(s.ctx, renewed, "next", []byte{3}))
	s.same("Picture", s.account("wx0").Picture, "next")
	_, err = s.Picture(s.ctx, "hash")
	s.fails("Picture that nobody has any more", err, onboard.ErrNoRow)

	// Two accounts with one picture: it stays while either has it.
	profile("wx1", "new")
	s.ok(s.SavePicture(s.ctx, onboard.WantedPicture{AppID: "wx1", Source: "new"}, "next", []byte{3}))
	profile("wx0", "")
	s.same("no picture any more", s.account("wx0").Picture, "")
	profile("wx0", "third")
	s.ok(s.SavePicture(s.ctx, onboard.WantedPicture{AppID: "wx0", Source: "third"}, "third", []byte{4}))
	s.same("the picture of the other", must(s.Picture(s.ctx, "next"))(s), []byte{3})

	profile("wx2", "never")
	tries := 0
	for len(claim(time.Duration(tries+2)*time.Hour, time.Duration(tries+2)*time.Hour, 9)) > 0 {
		if tries++; tries > 20 {
			s.Fatal("ClaimPictures never gives up")
		}
	}
	s.same("tries", tries > 1, true)
	profile("wx2", "never again")
	s.same("a new one is tried", len(claim(99*time.Hour, 99*time.Hour, 9)), 1)
}

func (s *suite) picturesRace() {
	for i := range 20 {
		id := onboard.AppID(fmt.Sprint("wx", i))
		s.authorize(fmt.Sprint(i), arrived(id))
		s.ok(s.SaveProfile(s.ctx, id, onboard.Profile{HeadImageURL: "x"}, t0))
	}
	var mu sync.Mutex
	claimed := map[onboard.AppID]int{}
	s.race(8, func(_ int, st onboard.Store) error {
		for {
			rows, err := st.ClaimPictures(s.ctx, at(time.Minute), at(0), 3)
			if err != nil || len(rows) == 0 {
				return err
			}
			mu.Lock()
			for _, w := range rows {
				claimed[w.AppID]++
			}
			mu.Unlock()
		}
	})
	for id, n := range claimed {
		if n != 1 {
			s.Errorf("%s was claimed %d times", id, n)
		}
	}
	s.same("claimed", len(claimed), 20)
}

func (s *suite) accountsBySession() {
	finished := func(id, session string, appID onboard.AppID, verdict onboard.Verdict, at time.Time) {
		s.saveAttempt(id, func(a *onboard.Attempt) {
			a.Session, a.AppID, a.Verdict, a.FinishedAt = session, appID, verdict, at
		})
	}
	finished("a", "mine", "wx1", onboard.Connected, at(time.Minute))
	finished("b", "mine", "wx2", onboard.Missing, at(2*time.Minute))
	finished("c", "mine", "wx1", onboard.Already, at(3*time.Minute))
	finished("d", "mine", "wx9", onboard.WrongAccount, at(4*time.Minute))
	finished("e", "other", "wx3", onboard.Connected, at(5*time.Minute))
	finished("f", "", "wx4", onboard.Connected, at(6*time.Minute))
	s.saveAttempt("open", func(a *onboard.Attempt) { a.Session = "mine" })
	// A phone that began nothing but was handed off.
	s.ok(s.SaveHandoff(s.ctx, onboard.Handoff{ID: "h", AttemptID: "e", Channel: onboard.H5, CodeHash: "hc", StateHash: "hs", Session: "phone", MintedAt: t0, ExpiresAt: at(time.Hour)}))
	s.ok(s.SaveHandoff(s.ctx, onboard.Handoff{ID: "i", AttemptID: "d", Channel: onboard.H5, CodeHash: "ic", StateHash: "is", Session: "phone", MintedAt: t0, ExpiresAt: at(time.Hour)}))
	for session, want := range map[string][]onboard.AppID{
		"mine": {"wx1", "wx2"}, "other": {"wx3"}, "phone": {"wx3"}, "": nil, "nobody": nil,
	} {
		s.same(fmt.Sprintf("AccountsBySession(%q)", session), must(s.AccountsBySession(s.ctx, session, 9))(s), want)
	}
	s.same("AccountsBySession(mine, 1)", must(s.AccountsBySession(s.ctx, "mine", 1))(s), []onboard.AppID{"wx1"})
}
