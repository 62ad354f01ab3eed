package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"usher/internal/onboard"
)

// Bounds of the settings, so that a typing mistake cannot stop the work.
const (
	BrandMax      = 40 // characters
	ContactMax    = 100
	DeskLifeMin   = 10 * time.Minute
	DeskLifeMax   = 24 * time.Hour
	InviteLifeMin = time.Hour
	InviteLifeMax = 30 * 24 * time.Hour
	// Shorter than a week, a push that WeChat repeats late would count as a new one.
	EventDaysMin = 7
	EventDaysMax = 3650
	hostsMax     = 50
)

// Rules are the settings that the steps of onboarding follow.
func (s Settings) Rules() onboard.Rules {
	return onboard.Rules{DeskLife: s.DeskLife, InviteLife: s.InviteLife, Wanted: s.Wanted, InviteOnly: s.InviteOnly, CheckInvites: !s.TrustInvites}
}

// Settings are the ones in use.
func (s *Service) Settings() Settings {
	if now := s.settings.Load(); now != nil {
		return *now
	}
	return s.defaults
}

// Reload reads the settings and credentials, which another process may have
// changed.
func (s *Service) Reload(ctx context.Context) error {
	stored, err := s.store.Settings(ctx)
	if isNoRow(err) {
		stored, err = s.defaults, nil
	}
	if err != nil {
		return err
	}
	stored = stored.complete()
	s.settings.Store(&stored)
	return s.reloadCredentials(ctx)
}

// SettingFault says which setting cannot be; Field is its name in the form.
type SettingFault struct {
	Field string
	Key   onboard.Key
}

// Sentences for settings that cannot be.
const (
	KeyBrand    onboard.Key = "settings.error.brand"
	KeyContact  onboard.Key = "settings.error.contact"
	KeyDesk     onboard.Key = "settings.error.desk"
	KeyInvite   onboard.Key = "settings.error.invite"
	KeyDays     onboard.Key = "settings.error.days"
	KeyHosts    onboard.Key = "settings.error.hosts"
	KeyLanguage onboard.Key = "settings.error.language"
	KeyPicture  onboard.Key = "settings.error.picture"
	KeyFixed    onboard.Key = "settings.error.fixed"
	KeySecret   onboard.Key = "settings.error.secret"
	KeyPush     onboard.Key = "settings.error.push_token"
	KeyAES      onboard.Key = "settings.error.aes_key"
)

// Faults checks the settings and lists what cannot be, in the order of the form.
func (s Settings) Faults() []SettingFault {
	var faults []SettingFault
	check := func(ok bool, field string, key onboard.Key) {
		if !ok {
			faults = append(faults, SettingFault{field, key})
		}
	}
	check(s.Brand != "" && line(s.Brand, BrandMax), "brand", KeyBrand)
	check(line(s.Contact, ContactMax), "contact", KeyContact)
	check(s.DeskLife >= DeskLifeMin && s.DeskLife <= DeskLifeMax, "desk", KeyDesk)
	check(s.InviteLife >= InviteLifeMin && s.InviteLife <= InviteLifeMax, "invite", KeyInvite)
	check(s.Language == "zh-CN" || s.Language == "en", "language", KeyLanguage)
	check(s.EventDays >= EventDaysMin && s.EventDays <= EventDaysMax, "days", KeyDays)
	hosts := len(s.ReturnHosts) <= hostsMax
	for _, h := range s.ReturnHosts {
		hosts = hosts && isHost(h)
	}
	check(hosts, "hosts", KeyHosts)
	return faults
}

// line reports whether s is one printable line of at most n characters.
func line(s string, n int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= n &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || unicode.In(r, unicode.Cf) })
}

// hostName is the plain name of a host as a browser writes it: no port, no path, no
// address in numbers.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func isHost(s string) bool { return len(s) <= 253 && hostName.MatchString(s) }

// SaveSettings replaces the settings. The error is Invalid with KeyChanged when
// somebody else has changed them since next was read; Settings then says what
// they are and who did. The audit shows what changed.
func (s *Service) SaveSettings(ctx context.Context, next Settings) error {
	if faults := next.Faults(); len(faults) > 0 {
		return onboard.Errorf(onboard.Invalid, faults[0].Key, "setting %s", faults[0].Field)
	}
	if err := s.Reload(ctx); err != nil {
		return err
	}
	before := s.Settings()
	next.UpdatedAt, next.UpdatedBy = s.now(), ActorOf(ctx).Admin.Name
	err := s.store.SaveSettings(ctx, next)
	if errors.Is(err, onboard.ErrFenced) {
		return onboard.Errorf(onboard.Invalid, KeyChanged, "settings of version %d are replaced", next.Version)
	}
	if err != nil {
		return err
	}
	was, became := changes(before.plain(), next.plain())
	if err := s.Audit(ctx, Entry{Action: "settings.change", Target: "settings", Before: was, After: became}); err != nil {
		return err
	}
	return s.Reload(ctx)
}

// plain is the settings as the audit shows them.
func (s Settings) plain() map[string]any {
	return map[string]any{
		"brand": s.Brand, "contact": s.Contact, "logo": s.Logo, "invite_only": s.InviteOnly,
		"desk_life": s.DeskLife.String(), "invite_life": s.InviteLife.String(), "permission_sets": fmt.Sprint(s.Wanted),
		"language": s.Language, "event_days": s.EventDays, "return_hosts": strings.Join(s.ReturnHosts, " "),
		"trust_invites": s.TrustInvites,
	}
}

// changes lists the members that differ, as JSON of before and after.
func changes(before, after map[string]any) (was, became string) {
	b, a := map[string]any{}, map[string]any{}
	for name, v := range after {
		if before[name] != v {
			b[name], a[name] = before[name], v
		}
	}
	write := func(m map[string]any) string {
		text, err := json.Marshal(m)
		if err != nil {
			panic(err) // plain values only
		}
		return string(text)
	}
	return write(b), write(a)
}
