package storetest

import (
	"fmt"
	"slices"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

func (s *adminSuite) adminRoundTrip() {
	a := admin.Admin{
		ID: "A", Name: "陈晓", Role: admin.Owner, Password: "$argon2id$…", TOTP: secret.New("TOTPKEY"), NextTOTP: secret.New("NEXTKEY"), TOTPStep: 7,
		Recovery: []string{"h1", "h2"}, CreatedAt: t0, Version: 1,
	}
	s.ok(s.CreateAdmin(s.ctx, a))
	s.same("AdminByID", pass(s.AdminByID(s.ctx, "A"))(s), a)
	s.same("AdminByKey", pass(s.AdminByKey(s.ctx, admin.NameKey("陈晓 ")))(s), a)
	a.Name, a.Role, a.Password, a.TOTP, a.NextTOTP, a.Recovery = "陈晓刚", admin.Owner, "$other", secret.Secret{}, secret.New("THIRD"), nil
	s.ok(s.SaveAdmin(s.ctx, a))
	a.Version = 2
	s.ok(s.SaveSignedIn(s.ctx, "A", at(time.Hour)))
	a.SignedInAt = at(time.Hour)
	s.same("AdminByKey of the new name", pass(s.AdminByKey(s.ctx, "陈晓刚"))(s), a)
	s.same("Admins", pass(s.Admins(s.ctx))(s), []admin.Admin{a})
	_, err := s.AdminByKey(s.ctx, "陈晓")
	s.fails("AdminByKey of the former name", err, onboard.ErrNoRow)
	_, err = s.AdminByID(s.ctx, "nobody")
	s.fails("AdminByID(nobody)", err, onboard.ErrNoRow)
}

func (s *adminSuite) adminNames() {
	s.person("A", admin.Owner)
	err := s.CreateAdmin(s.ctx, admin.Admin{ID: "B", Name: "NAME a", Role: admin.Viewer, CreatedAt: t0, Version: 1})
	s.fails("CreateAdmin of a name that differs by case", err, admin.ErrTaken)
	taken := 0
	results := make([]error, 8)
	s.race(8, func(i int, st admin.Store) error {
		results[i] = st.CreateAdmin(s.ctx, admin.Admin{ID: fmt.Sprint("R", i), Name: "same", Role: admin.Viewer, CreatedAt: t0, Version: 1})
		return nil
	})
	for _, err := range results {
		if err != nil {
			s.fails("CreateAdmin", err, admin.ErrTaken)
			taken++
		}
	}
	s.same("refused of 8 with one name", taken, 7)
}

func (s *adminSuite) adminFenced() {
	a := s.person("A", admin.Owner)
	s.ok(s.SaveAdmin(s.ctx, a))
	a.Name = "late"
	s.fails("SaveAdmin of an older version", s.SaveAdmin(s.ctx, a), onboard.ErrFenced)
	s.same("the name", pass(s.AdminByID(s.ctx, "A"))(s).Name, "Name A")
}

func (s *adminSuite) lastOwner() {
	viewer := s.person("V", admin.Viewer)
	s.ok(s.SaveAdmin(s.ctx, viewer)) // there is no owner to lose
	a := s.person("A", admin.Owner)
	s.ok(s.CreateAdmin(s.ctx, admin.Admin{ID: "I", Name: "invited", Role: admin.Owner, CreatedAt: t0, Version: 1})) // no password yet
	gone := a
	gone.Role = admin.Operator
	s.fails("the last owner's role", s.SaveAdmin(s.ctx, gone), admin.ErrLastOwner)
	gone = a
	gone.RemovedAt = at(time.Hour)
	s.fails("the last owner's end", s.SaveAdmin(s.ctx, gone), admin.ErrLastOwner)
	s.same("the last owner", pass(s.AdminByID(s.ctx, "A"))(s), a)
	s.person("B", admin.Owner)
	s.ok(s.SaveAdmin(s.ctx, gone))
}

// lastOwnerRace has six owners remove one another at once: one is left.
func (s *adminSuite) lastOwnerRace() {
	var all []admin.Admin
	for i := range 6 {
		all = append(all, s.person(fmt.Sprint("O", i), admin.Owner))
	}
	errs := make([]error, 6)
	s.race(6, func(i int, st admin.Store) error {
		next := all[(i+1)%6]
		next.RemovedAt = at(time.Hour)
		errs[i] = st.SaveAdmin(s.ctx, next)
		return nil
	})
	refused := 0
	for _, err := range errs {
		if err != nil {
			s.fails("SaveAdmin", err, admin.ErrLastOwner)
			refused++
		}
	}
	if left := pass(s.Admins(s.ctx))(s); len(left) != 1 || refused != 1 {
		s.Errorf("of six owners who removed one another %d are left and %d was refused, want 1 and 1", len(left), refused)
	}
}

func (s *adminSuite) enrollment() {
	s.person("A", admin.Owner)
	a := admin.Admin{ID: "B", Name: "b", Role: admin.Viewer, TOTP: secret.New("K"), Recovery: []string{"r"}, CreatedAt: t0, Version: 1}
	s.ok(s.CreateAdmin(s.ctx, a))
	s.session("h", "B")
	e := admin.Enrollment{Hash: "one", AdminID: "B", CreatedAt: t0, ExpiresAt: at(time.Hour)}
	s.ok(s.SaveEnrollment(s.ctx, e))
	s.same("Enrollment", pass(s.Enrollment(s.ctx, "one", t0))(s), e)
	_, err := s.Enrollment(s.ctx, "one", at(time.Hour))
	s.fails("Enrollment at its end", err, onboard.ErrNoRow)
	e.Hash = "two"
	s.ok(s.SaveEnrollment(s.ctx, e))
	_, err = s.UseEnrollment(s.ctx, "one", admin.Admin{Password: "$new"}, at(time.Minute))
	s.fails("UseEnrollment of one that was replaced", err, onboard.ErrNoRow)
	got := pass(s.UseEnrollment(s.ctx, "two", admin.Admin{Password: "$new"}, at(time.Minute)))(s)
	a.Password, a.TOTP, a.Recovery, a.Version = "$new", secret.Secret{}, nil, 2
	s.same("UseEnrollment", got, a)
	s.same("the admin", pass(s.AdminByID(s.ctx, "B"))(s), a)
	_, _, err = s.SessionByHash(s.ctx, "h")
	s.fails("a session from before", err, onboard.ErrNoRow)
	_, err = s.UseEnrollment(s.ctx, "two", admin.Admin{Password: "$third"}, at(time.Minute))
	s.fails("UseEnrollment again", err, onboard.ErrNoRow)
	s.ok(s.SaveEnrollment(s.ctx, admin.Enrollment{Hash: "first", CreatedAt: t0, ExpiresAt: at(time.Hour)}))
	_, err = s.Enrollment(s.ctx, "first", t0)
	s.fails("a token for the first owner beside an admin", err, onboard.ErrNoRow)
}

func (s *adminSuite) firstOwnerRace() {
	for i := range 8 {
		s.ok(s.SaveEnrollment(s.ctx, admin.Enrollment{Hash: fmt.Sprint("e", i), CreatedAt: t0, ExpiresAt: at(time.Hour)}))
	}
	errs := make([]error, 16)
	s.race(16, func(i int, st admin.Store) error {
		_, errs[i] = st.UseEnrollment(s.ctx, fmt.Sprint("e", i%8), admin.Admin{
			ID: fmt.Sprint("O", i), Name: fmt.Sprint("owner ", i), Role: admin.Owner, Password: "$", CreatedAt: t0, Version: 1,
		}, at(time.Minute))
		return nil
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			s.fails("UseEnrollment", err, onboard.ErrNoRow)
		}
	}
	s.same("first owners", []int{won, len(pass(s.Admins(s.ctx))(s))}, []int{1, 1})
}

func (s *adminSuite) totpStepRace() {
	s.person("A", admin.Owner)
	won := s.winners(8, func(st admin.Store) (bool, error) { return st.ClaimTOTPStep(s.ctx, "A", 100) })
	s.same("claims of one step that won", won, 1)
	s.same("an earlier step", pass(s.ClaimTOTPStep(s.ctx, "A", 99))(s), false)
	s.same("a later step", pass(s.ClaimTOTPStep(s.ctx, "A", 101))(s), true)
	s.same("the version", pass(s.AdminByID(s.ctx, "A"))(s).Version, int64(1))
}

func (s *adminSuite) recoveryRace() {
	a := admin.Admin{ID: "A", Name: "a", Role: admin.Owner, Password: "$", Recovery: []string{"x", "y", "z"}, CreatedAt: t0, Version: 1}
	s.ok(s.CreateAdmin(s.ctx, a))
	won := s.winners(8, func(st admin.Store) (bool, error) { return st.ClaimRecovery(s.ctx, "A", "y") })
	s.same("claims of one code that won", won, 1)
	s.same("a code that is none", pass(s.ClaimRecovery(s.ctx, "A", "q"))(s), false)
	s.same("codes left", pass(s.AdminByID(s.ctx, "A"))(s).Recovery, []string{"x", "z"})
}

// winners counts the claims out of n at once that were told they won.
func (s *adminSuite) winners(n int, claim func(admin.Store) (bool, error)) int {
	s.Helper()
	won := make([]bool, n)
	s.race(n, func(i int, st admin.Store) (err error) {
		won[i], err = claim(st)
		return err
	})
	return len(slices.DeleteFunc(won, func(w bool) bool { return !w }))
}
