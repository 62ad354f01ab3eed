package web

import (
	"net/http"
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// profileRoutes are what admins do about themselves.
func (s *Server) profileRoutes(r *adminRouter) {
	r.get(adminviews.ProfilePath, admin.Self, s.profile)
	r.post(adminviews.ProfilePath+"/password", admin.Self, s.changePassword)
	r.post(adminviews.ProfilePath+"/totp/offer", admin.Self, s.offerTOTP)
	r.get(adminviews.ProfilePath+"/totp", admin.Self, s.totp)
	r.get(adminviews.ProfilePath+"/totp.png", admin.Self, s.totpPicture)
	r.post(adminviews.ProfilePath+"/totp/confirm", admin.Self, s.confirmTOTP)
	r.post(adminviews.ProfilePath+"/totp/off", admin.Self, s.dropTOTP)
	r.post(adminviews.ProfilePath+"/sessions/end", admin.Self, s.endSession)
	r.post(adminviews.ProfilePath+"/sessions/end-others", admin.Self, s.endOtherSessions)
}

func (s *Server) profile(a *adminContext) error { return a.profilePage(http.StatusOK, nil) }

func (a *adminContext) profilePage(status int, faults adminviews.Faults) error {
	sessions, err := a.s.Console.Sessions(a.ctx(), a.Admin.ID)
	if err != nil {
		return err
	}
	return a.render(status, adminviews.Profile(adminviews.ProfilePage{
		Frame: a.frame(), Sessions: sessions, Current: a.Session.ID, Faults: faults,
	}))
}

func (s *Server) changePassword(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	var in admin.Entrance
	if value("password") != value("repeat") {
		err = onboard.Errorf(onboard.Invalid, admin.KeyRepeat, "two different passwords")
	} else {
		in, err = s.Console.ChangePassword(a.ctx(), value("present"), value("password"))
	}
	if fault, ok := a.fault(err, passwordField(err), in); ok {
		return a.profilePage(faultStatus(err), adminviews.Faults{fault})
	}
	if err != nil {
		return err
	}
	if err := s.adminSessions.set(a, in.Token); err != nil {
		return err
	}
	if a.Session, a.Admin, err = s.Console.Session(a.ctx(), in.Token); err != nil {
		return err
	}
	return a.done(adminviews.ProfilePath, i18n.ProfilePasswordSaved)
}

// passwordField is the field that an error of a new password is about.
func passwordField(err error) string {
	switch _, key := onboard.Explain(err); key {
	case admin.KeyRepeat:
		return "repeat"
	case admin.KeyPassword, admin.KeyBreached:
		return "password"
	}
	return "present"
}

func (s *Server) offerTOTP(a *adminContext) error {
	if err := s.Console.OfferTOTP(a.ctx()); err != nil {
		return err
	}
	return a.see(adminviews.ProfilePath + "/totp")
}

func (s *Server) totp(a *adminContext) error { return a.totpPage(http.StatusOK, nil) }

func (a *adminContext) totpPage(status int, faults adminviews.Faults) error {
	key := a.Admin.NextTOTP.Reveal()
	if key == "" {
		return a.see(adminviews.ProfilePath)
	}
	var groups []string
	for ; len(key) > 4; key = key[4:] {
		groups = append(groups, key[:4])
	}
	return a.render(status, adminviews.TOTP(adminviews.TOTPPage{Frame: a.frame(), Key: strings.Join(append(groups, key), " "), Faults: faults}))
}

// totpPicture is the code for the authenticator. It holds the key: it is drawn
// anew each time and kept nowhere.
func (s *Server) totpPicture(a *adminContext) error {
	if a.Admin.NextTOTP.Empty() {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "no second factor was offered")
	}
	picture, err := qrPNG(admin.TOTPLink(s.brand().FullName(), a.Admin.Name, a.Admin.NextTOTP))
	if err != nil {
		return err
	}
	return a.Blob(http.StatusOK, "image/png", picture)
}

func (s *Server) confirmTOTP(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	codes, in, err := s.Console.ConfirmTOTP(a.ctx(), value("totp_password"), value("totp_code"))
	field := "totp_password"
	if _, key := onboard.Explain(err); key == admin.KeyCode {
		field = "totp_code"
	}
	if fault, ok := a.fault(err, field, in); ok {
		return a.totpPage(faultStatus(err), adminviews.Faults{fault})
	}
	if err != nil {
		return err
	}
	return a.render(http.StatusOK, adminviews.Recovery(adminviews.RecoveryPage{Frame: a.frame(), Codes: codes}))
}

func (s *Server) dropTOTP(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	in, err := s.Console.DropTOTP(a.ctx(), value("totp_password"))
	if fault, ok := a.fault(err, "totp_password", in); ok {
		return a.profilePage(faultStatus(err), adminviews.Faults{fault})
	}
	if err != nil {
		return err
	}
	return a.done(adminviews.ProfilePath, i18n.ProfileTOTPDropped)
}

func (s *Server) endSession(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	if err := s.Console.EndSession(a.ctx(), value("id")); err != nil {
		return err
	}
	return a.done(adminviews.ProfilePath, i18n.ProfileEnded)
}

func (s *Server) endOtherSessions(a *adminContext) error {
	if err := s.Console.SignOutEverywhere(a.ctx(), a.Admin.ID); err != nil {
		return err
	}
	return a.done(adminviews.ProfilePath, i18n.ProfileEnded)
}
