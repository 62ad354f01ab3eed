package storetest

import (
	"context"
	"testing"

	"usher/internal/admin"
)

// RunAdmin tests the console's side of a store, as Run does the merchants' side. The
// stores also are onboard.Stores of the same database.
func RunAdmin(t *testing.T, open func(testing.TB) []admin.Store) {
	for _, test := range []struct {
		name string
		run  func(*adminSuite)
	}{
		{"AdminRoundTrip", (*adminSuite).adminRoundTrip},
		{"AdminNames", (*adminSuite).adminNames},
		{"AdminFenced", (*adminSuite).adminFenced},
		{"LastOwner", (*adminSuite).lastOwner},
		{"LastOwnerRace", (*adminSuite).lastOwnerRace},
		{"RemoveEndsEverything", (*adminSuite).removeEndsEverything},
		{"Enrollment", (*adminSuite).enrollment},
		{"FirstOwnerRace", (*adminSuite).firstOwnerRace},
		{"TOTPStepRace", (*adminSuite).totpStepRace},
		{"RecoveryRace", (*adminSuite).recoveryRace},
		{"Sessions", (*adminSuite).sessions},
		{"PruneSessions", (*adminSuite).pruneSessions},
		{"Flash", (*adminSuite).flash},
		{"ClaimTry", (*adminSuite).claimTry},
		{"ClaimTryRace", (*adminSuite).claimTryRace},
		{"AuditFilter", (*adminSuite).auditFilter},
		{"AuditRace", (*adminSuite).auditRace},
		{"Settings", (*adminSuite).settings},
		{"SettingsRace", (*adminSuite).settingsRace},
		{"PlatformSecrets", (*adminSuite).platformSecrets},
		{"Logo", (*adminSuite).logo},
		{"PruneArrivals", (*adminSuite).pruneArrivals},
		{"Invites", (*adminSuite).invites},
		{"Resent", (*adminSuite).resent},
		{"Decision", (*adminSuite).decision},
		{"Overview", (*adminSuite).overview},
		{"Events", (*adminSuite).events},
		{"ListAccounts", (*adminSuite).listAccounts},
		{"ListPages", (*adminSuite).listPages},
		{"ListFilters", (*adminSuite).listFilters},
		{"ListSearch", (*adminSuite).listSearch},
		{"ListHostile", (*adminSuite).listHostile},
		{"ListFollows", (*adminSuite).listFollows},
		{"SeenSets", (*adminSuite).seenSets},
		{"Notes", (*adminSuite).notes},
		{"Tags", (*adminSuite).tags},
		{"TagRace", (*adminSuite).tagRace},
		{"Hidden", (*adminSuite).hidden},
		{"AccountState", (*adminSuite).accountState},
		{"AccountEvents", (*adminSuite).accountEvents},
		{"AttemptsOf", (*adminSuite).attemptsOf},
		{"AuditOf", (*adminSuite).auditOf},
		{"Pulse", (*adminSuite).pulse},
		{"PulseRace", (*adminSuite).pulseRace},
		{"Checks", (*adminSuite).checks},
		{"TicketTimes", (*adminSuite).ticketTimes},
		{"Load", (*adminSuite).load},
		{"Usage", (*adminSuite).usage},
	} {
		t.Run(test.name, func(t *testing.T) {
			stores := open(t)
			test.run(&adminSuite{T: t, Store: stores[0], stores: stores, ctx: t.Context()})
		})
	}
}

// adminSuite is one promise under test.
type adminSuite struct {
	*testing.T
	admin.Store
	stores []admin.Store
	ctx    context.Context
}

func (s *adminSuite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// pass is must for an adminSuite.
func pass[T any](v T, err error) func(*adminSuite) T {
	return func(s *adminSuite) T {
		s.Helper()
		s.ok(err)
		return v
	}
}

func (s *adminSuite) same(what string, got, want any) {
	s.Helper()
	(&suite{T: s.T}).same(what, got, want)
}

func (s *adminSuite) fails(what string, err, want error) {
	s.Helper()
	(&suite{T: s.T}).fails(what, err, want)
}

// race calls fn n times at once, over all stores, and waits.
func (s *adminSuite) race(n int, fn func(i int, st admin.Store) error) {
	s.Helper()
	begin, ended := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-begin
			ended <- fn(i, s.stores[i%len(s.stores)])
		}()
	}
	close(begin)
	for range n {
		if err := <-ended; err != nil {
			s.Error(err)
		}
	}
}

// person makes an admin who has a password.
func (s *adminSuite) person(id string, role admin.Role) admin.Admin {
	s.Helper()
	a := admin.Admin{ID: id, Name: "Name " + id, Role: role, Password: "$hash", CreatedAt: t0, Version: 1}
	s.ok(s.CreateAdmin(s.ctx, a))
	return a
}
