package storetest

import (
	"fmt"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

func (s *adminSuite) settings() {
	_, err := s.Store.Settings(s.ctx)
	s.fails("Settings before the first change", err, onboard.ErrNoRow)
	c := admin.Settings{
		Brand: "青禾云", Contact: "400", Logo: "abc", InviteOnly: true, DeskLife: 20 * time.Minute, InviteLife: 48 * time.Hour,
		Wanted: []onboard.PermissionID{17, 18}, Language: "en", EventDays: 30, ReturnHosts: []string{"a.example.com"}, TrustInvites: true,
		UpdatedAt: at(time.Hour), UpdatedBy: "陈晓",
	}
	s.ok(s.SaveSettings(s.ctx, c))
	c.Version = 1
	s.same("Settings", pass(s.Store.Settings(s.ctx))(s), c)
	late := c
	late.Version = 0
	s.fails("SaveSettings as if there were none", s.SaveSettings(s.ctx, late), onboard.ErrFenced)
	s.ok(s.SaveSettings(s.ctx, c))
	s.fails("SaveSettings of an older version", s.SaveSettings(s.ctx, c), onboard.ErrFenced)
	s.same("the version", pass(s.Store.Settings(s.ctx))(s).Version, int64(2))
}

func (s *adminSuite) settingsRace() {
	for version := range int64(3) {
		won := s.winners(8, func(st admin.Store) (bool, error) {
			err := st.SaveSettings(s.ctx, admin.Settings{Brand: "x", Version: version, UpdatedAt: t0})
			if err != nil {
				s.fails("SaveSettings", err, onboard.ErrFenced)
			}
			return err == nil, nil
		})
		s.same("changes of one version that won", won, 1)
	}
}

func (s *adminSuite) platformSecrets() {
	s.same("PlatformSecrets of a new database", len(pass(s.PlatformSecrets(s.ctx))(s)), 0)
	s.ok(s.SavePlatformSecret(s.ctx, admin.AESKey, secret.New("one"), "陈晓", t0))
	s.ok(s.SavePlatformSecret(s.ctx, admin.PushToken, secret.New("two"), "陈晓", t0))
	s.ok(s.SavePlatformSecret(s.ctx, admin.AESKey, secret.New("three"), "王", at(time.Hour)))
	want := map[admin.CredentialName]admin.Credential{
		admin.AESKey:    {Value: secret.New("three"), UpdatedAt: at(time.Hour), UpdatedBy: "王"},
		admin.PushToken: {Value: secret.New("two"), UpdatedAt: t0, UpdatedBy: "陈晓"},
	}
	s.same("PlatformSecrets", pass(s.PlatformSecrets(s.ctx))(s), want)
	s.ok(s.SavePlatformSecret(s.ctx, admin.PushToken, secret.Secret{}, "王", t0))
	delete(want, admin.PushToken)
	s.same("PlatformSecrets after one was removed", pass(s.PlatformSecrets(s.ctx))(s), want)
}

func (s *adminSuite) logo() {
	picture := []byte("\x89PNG\r\n\x1a\n\x00\xff")
	s.ok(s.SaveLogo(s.ctx, "h", picture))
	s.ok(s.SaveLogo(s.ctx, "h", picture))
	s.same("Logo", pass(s.Logo(s.ctx, "h"))(s), picture)
	_, err := s.Logo(s.ctx, "other")
	s.fails("Logo(other)", err, onboard.ErrNoRow)
}

func (s *adminSuite) pruneArrivals() {
	st, ok := s.Store.(onboard.Store)
	if !ok {
		s.Fatalf("%T is no onboard.Store", s.Store)
	}
	outcomes := []onboard.Outcome{onboard.Handled, onboard.Parked, onboard.Ignored, "", onboard.Attached}
	for i := range outcomes {
		a := onboard.Arrival{Digest: fmt.Sprint("d", i), Type: "unauthorized", AppID: "wx1", CreatedAt: t0, ReceivedAt: t0}
		if isNew := pass(st.SaveArrival(s.ctx, a))(s); !isNew {
			s.Fatal("an arrival is not new")
		}
	}
	claimed := pass(st.ClaimArrivals(s.ctx, at(time.Minute), at(2*time.Minute), 10, ""))(s)
	var ends []onboard.ArrivalEnd
	for _, a := range claimed {
		var i int
		fmt.Sscanf(a.Digest, "d%d", &i)
		ends = append(ends, onboard.ArrivalEnd{ID: a.ID, Fence: a.Fence, Outcome: outcomes[i], RetryAt: at(time.Hour)})
	}
	s.ok(st.FinishArrivals(s.ctx, ends, at(time.Minute)))
	s.same("PruneArrivals of what is not old", pass(s.PruneArrivals(s.ctx, at(time.Minute), 10))(s), int64(0))
	s.same("PruneArrivals, two at most", pass(s.PruneArrivals(s.ctx, at(time.Hour), 2))(s), int64(2))
	s.same("PruneArrivals, the rest", pass(s.PruneArrivals(s.ctx, at(time.Hour), 2))(s), int64(1))
	h := pass(st.Health(s.ctx, at(time.Hour)))(s)
	s.same("what waits and what is parked", []int{h.Waiting, h.Parked}, []int{1, 1})
}
