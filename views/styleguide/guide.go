package styleguide

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// Sheet is the name of the style sheet that only the guide loads.
const Sheet = "guide.css"

var colors = [...]string{"paper", "surface", "sunken", "ink", "ink-2", "ink-3", "line", "edge", "action", "link", "wechat-btn", "ok", "wait", "warn", "bad", "off"}

var pills = [...]struct {
	class string
	key   i18n.Key
}{
	{"ok", i18n.DashboardActive}, {"wait", i18n.StateCreated}, {"warn", i18n.StateNoAnswer}, {"bad", i18n.DashboardRescan}, {"off", i18n.StateRevoked},
}

// avatars are accounts whose letters have each of the colors.
func avatars() []onboard.Account {
	names := [...]string{"山茶花茶舍", "Tea House", "青禾", "", "Ünder", "🍵"}
	all := make([]onboard.Account, len(names))
	for i, name := range names {
		all[i] = *miniProgram(Kind)
		all[i].AppID = onboard.AppID("wx8f2c40d1a7be91d" + string(rune('0'+i)))
		all[i].Profile.Nickname = name
	}
	return all
}

// guidePath is the address of the guide, or of one of its pages, in a theme and a
// language.
func guidePath(name, theme string, l i18n.Lang) templ.SafeURL {
	path := Root
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	query := url.Values{}
	if theme != "" {
		query.Set("theme", theme)
	}
	if l != "" {
		query.Set("lang", string(l))
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return templ.SafeURL(path)
}

func (s *scenes) guidePage(name string) views.Page {
	p := s.page(name, Root)
	if s.look.Guide {
		p.Path = string(guidePath(name, s.look.Theme, ""))
	}
	return p
}

// groups puts the whole pages that belong together below one another.
func groups(all []Scene) [][]Scene {
	var found [][]Scene
	last := ""
	for _, s := range all {
		if s.Live {
			continue
		}
		group, _, _ := strings.Cut(s.Name, "-")
		if group != last {
			found = append(found, nil)
			last = group
		}
		found[len(found)-1] = append(found[len(found)-1], s)
	}
	return found
}

// phoneParts is the name of the page with the components of the phone pages.
const phoneParts = "phone-parts"

// Guide is the living page of the design system.
func Guide(l Look) templ.Component {
	s := &scenes{words: Kind, look: l}
	return guide(s.guidePage(""), groups(Scenes(Kind, l)))
}

// Find draws the page name of the guide, a scene or the components of the phone
// pages; ok is false when there is none.
func Find(name string, l Look) (c templ.Component, ok bool) {
	if name == phoneParts {
		s := &scenes{words: Kind, look: l}
		return phoneGuide(s.guidePage(phoneParts)), true
	}
	for _, s := range Scenes(Kind, l) {
		if s.Name == name && !s.Live {
			return s.Page, true
		}
	}
	return nil, false
}

// Pictures lists the paths of the codes that the scenes show, each with the text
// that its code holds.
func Pictures() map[string]string {
	phone, invite := views.PhonePath(phoneCode), views.InvitePath(inviteCode)
	return map[string]string{
		views.AttemptPath(attemptID) + "/qr.png": origin + phone,
		phone + "/qr.png":                        origin + phone,
		invite + "/qr.png":                       origin + invite,
	}
}

// LivePath is where the live pages of the scenes wait for events.
func LivePath() string { return views.AttemptPath(attemptID) + "/events" }

// All lists the scenes and the guide's own pages.
func All(w Words, l Look) []Scene {
	parts, _ := Find(phoneParts, l)
	return append(Scenes(w, l), Scene{Name: "guide", Page: Guide(l)}, Scene{Name: phoneParts, Page: parts})
}
