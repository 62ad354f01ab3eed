package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/internal/secret"
	adminviews "usher/views/admin"
)

// settingsRoutes change how the site behaves.
func (s *Server) settingsRoutes(r *adminRouter) {
	r.get(adminviews.SettingsPath, admin.ManageSettings, s.settingsPage)
	r.post(adminviews.SettingsPath, admin.ManageSettings, s.saveSettings)
	r.post(adminviews.SettingsPath+"/logo", admin.ManageSettings, s.saveLogo)
	r.post(adminviews.SettingsPath+"/logo/remove", admin.ManageSettings, s.removeLogo)
	r.post(adminviews.SettingsPath+"/credentials/:name", admin.ManagePlatform, s.saveCredential)
	r.post(adminviews.SettingsPath+"/credentials/:name/remove", admin.ManagePlatform, s.removeCredential)
}

// typed writes settings as the form shows them.
func typed(c admin.Settings) adminviews.SettingsForm {
	sets := make([]string, len(c.Wanted))
	for i, id := range c.Wanted {
		sets[i] = strconv.Itoa(int(id))
	}
	return adminviews.SettingsForm{
		Version: c.Version, Brand: c.Brand, Contact: c.Contact, InviteOnly: c.InviteOnly, CheckInvites: !c.TrustInvites,
		DeskMinutes: strconv.Itoa(int(c.DeskLife / time.Minute)), InviteHours: strconv.Itoa(int(c.InviteLife / time.Hour)),
		Sets: strings.Join(sets, "|"), Language: c.Language, Days: strconv.Itoa(c.EventDays), Returns: strings.Join(c.ReturnHosts, "\n"),
	}
}

func (s *Server) settingsPage(a *adminContext) error {
	return a.settingsForm(http.StatusOK, typed(s.Console.Settings()), nil, nil)
}

func (a *adminContext) settingsForm(status int, form adminviews.SettingsForm, faults adminviews.Faults, meanwhile []adminviews.ChangedSetting) error {
	m := adminviews.SettingsPage{Frame: a.frame(), Form: form, Logo: a.s.brand().Logo, Faults: faults, Meanwhile: meanwhile}
	if a.may(admin.ManagePlatform) {
		all := a.s.Console.Credentials()
		for _, name := range admin.CredentialNames() {
			m.Credentials = append(m.Credentials, adminviews.CredentialLine{
				Name: name, Credential: admin.Credential{Fixed: all[name].Fixed, UpdatedAt: all[name].UpdatedAt, UpdatedBy: all[name].UpdatedBy},
				Fingerprint: a.s.Console.Fingerprint(all[name].Value),
			})
		}
	}
	return a.render(status, adminviews.Settings(m))
}

func (s *Server) saveSettings(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	form := adminviews.SettingsForm{
		Version: version(value), Brand: strings.TrimSpace(value("brand")), Contact: strings.TrimSpace(value("contact")),
		InviteOnly: value("invite_only") != "", CheckInvites: value("check_invites") != "", DeskMinutes: value("desk"), InviteHours: value("invite"), Sets: value("sets"),
		Language: value("language"), Days: value("days"), Returns: value("hosts"),
	}
	next := s.Console.Settings() // the logo has a form of its own
	next.Version, next.Brand, next.Contact, next.InviteOnly, next.Language = form.Version, form.Brand, form.Contact, form.InviteOnly, form.Language
	next.TrustInvites = !form.CheckInvites
	next.DeskLife = time.Duration(number(form.DeskMinutes)) * time.Minute
	next.InviteLife = time.Duration(number(form.InviteHours)) * time.Hour
	next.EventDays = number(form.Days)
	next.ReturnHosts = strings.Fields(strings.ToLower(form.Returns))
	var faults adminviews.Faults
	if next.Wanted, err = onboard.ParsePermissionIDs(form.Sets); err != nil {
		_, key := onboard.Explain(err)
		faults = append(faults, adminviews.Fault{Field: "sets", Key: key})
	}
	for _, f := range next.Faults() {
		faults = append(faults, adminviews.Fault{Field: f.Field, Key: f.Key})
	}
	if len(faults) > 0 {
		return a.settingsForm(http.StatusUnprocessableEntity, form, faults, nil)
	}
	switch err := s.Console.SaveSettings(a.ctx(), next); {
	case isKey(err, admin.KeyChanged):
		return a.settingsChanged(err, form)
	case err != nil:
		return err
	}
	return a.done(adminviews.SettingsPath, i18n.AdminSaved)
}

// settingsChanged shows the form again, as it was typed, beside what somebody else
// has saved meanwhile. Saved once more, it counts.
func (a *adminContext) settingsChanged(err error, form adminviews.SettingsForm) error {
	a.s.note(a, err)
	now := a.s.Console.Settings()
	theirs := typed(now)
	var meanwhile []adminviews.ChangedSetting
	add := func(label i18n.Key, mine, other string) {
		if mine != other {
			meanwhile = append(meanwhile, adminviews.ChangedSetting{Label: label, Value: other})
		}
	}
	yes := map[bool]string{true: "✓", false: "—"}
	add(i18n.SettingsBrand, form.Brand, theirs.Brand)
	add(i18n.SettingsContact, form.Contact, theirs.Contact)
	add(i18n.SettingsLanguage, form.Language, theirs.Language)
	add(i18n.SettingsInviteOnly, yes[form.InviteOnly], yes[theirs.InviteOnly])
	add(i18n.SettingsCheckInvites, yes[form.CheckInvites], yes[theirs.CheckInvites])
	add(i18n.SettingsDesk, form.DeskMinutes, theirs.DeskMinutes)
	add(i18n.SettingsInvite, form.InviteHours, theirs.InviteHours)
	add(i18n.SettingsSets, form.Sets, theirs.Sets)
	add(i18n.SettingsHosts, strings.Join(strings.Fields(form.Returns), "\n"), theirs.Returns)
	add(i18n.SettingsDays, form.Days, theirs.Days)
	form.Version = now.Version
	fault := adminviews.Fault{Field: "settings", Key: admin.KeyChanged, Args: []any{"name", now.UpdatedBy}}
	return a.settingsForm(http.StatusConflict, form, adminviews.Faults{fault}, meanwhile)
}

// number reads a whole number; nonsense is below every bound.
func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n > 1_000_000 {
		return -1
	}
	return n
}

// isKey reports whether err asks for this sentence.
func isKey(err error, key onboard.Key) bool {
	e, ok := errors.AsType[*onboard.Error](err)
	return ok && e.Key == key
}

func (s *Server) saveLogo(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	file, _, err := a.Request().FormFile("logo") // the body is limited already
	if errors.Is(err, http.ErrMissingFile) {
		return a.logoFault(onboard.Errorf(onboard.Invalid, admin.KeyPicture, "no file"))
	}
	if err != nil {
		return formError(err)
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return a.logoFault(onboard.Errorf(onboard.Invalid, admin.KeyPicture, "an empty file"))
	}
	return a.storeLogo(raw, value)
}

func (s *Server) removeLogo(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	return a.storeLogo(nil, value)
}

// storeLogo saves a picture, or that there is none.
func (a *adminContext) storeLogo(raw []byte, value func(string) string) error {
	err := a.s.Console.SaveLogo(a.ctx(), bytes.NewReader(raw), version(value))
	switch {
	case isKey(err, admin.KeyChanged):
		return a.settingsChanged(err, typed(a.s.Console.Settings()))
	case isKey(err, admin.KeyPicture):
		return a.logoFault(err)
	case err != nil:
		return err
	}
	return a.done(adminviews.SettingsPath, i18n.AdminSaved)
}

// logoFault shows the settings again with what is wrong with the picture.
func (a *adminContext) logoFault(err error) error {
	fault, _ := a.fault(err, "logo", admin.Entrance{})
	return a.settingsForm(http.StatusUnprocessableEntity, typed(a.s.Console.Settings()), adminviews.Faults{fault}, nil)
}

func (s *Server) saveCredential(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	name := a.Param("name")
	if !slices.Contains(admin.CredentialNames(), admin.CredentialName(name)) {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "credential %q", name)
	}
	text := strings.TrimSpace(value("secret-" + name))
	if text == "" {
		err = onboard.Errorf(onboard.Invalid, admin.KeySecret, "nothing was entered")
	} else {
		err = s.Console.SaveCredential(a.ctx(), admin.CredentialName(name), secret.New(text))
	}
	if fault, ok := a.fault(err, "secret-"+name, admin.Entrance{}); ok {
		return a.settingsForm(http.StatusUnprocessableEntity, typed(s.Console.Settings()), adminviews.Faults{fault}, nil)
	}
	if err != nil {
		return err
	}
	return a.done(adminviews.SettingsPath, i18n.SettingsReplaced)
}

func (s *Server) removeCredential(a *adminContext) error {
	err := s.Console.SaveCredential(a.ctx(), admin.CredentialName(a.Param("name")), secret.Secret{})
	if err != nil {
		return err
	}
	return a.done(adminviews.SettingsPath, i18n.SettingsRemoved)
}
