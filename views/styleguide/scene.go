package styleguide

import (
	"net/url"
	"time"

	"github.com/a-h/templ"

	"usher/internal/onboard"
	"usher/views"
)

// Root is the address of the guide; each scene has one below it.
const Root = "/styleguide"

// Scene is one state of one page, as a merchant meets it.
type Scene struct {
	Name string // such as "attempt-created", part of its address
	Page templ.Component
	Live bool // the part that a live page is sent, not a whole page
}

// Look is how scenes are drawn.
type Look struct {
	// Theme is "light" or "dark"; empty leaves it to the browser.
	Theme string
	// Guide makes the link to the other language stay in the guide instead of
	// leading to the address that the page has on a site.
	Guide bool
}

// Scenes lists every state of every page of the merchants, with the remote words w.
func Scenes(w Words, l Look) []Scene {
	s := &scenes{words: w, look: l}
	s.connect()
	s.attempt()
	s.phone()
	s.result()
	s.dashboard()
	s.other()
	return s.all
}

// scenes collects the states.
type scenes struct {
	words Words
	look  Look
	all   []Scene
}

func (s *scenes) add(name string, c templ.Component) {
	s.all = append(s.all, Scene{Name: name, Page: c})
}

// page is the frame of the scene name, which on a site is at path.
func (s *scenes) page(name, path string) views.Page {
	if s.look.Guide {
		path = Root + "/" + name
		if s.look.Theme != "" {
			path += "?theme=" + url.QueryEscape(s.look.Theme)
		}
	}
	return views.Page{
		Brand: views.Brand{Name: s.words.Brand, Contact: s.words.Contact}, Path: path, Now: now, Reference: "R-8K2M",
		Theme: s.look.Theme,
	}
}

func (s *scenes) connect() {
	w := s.words
	form := views.ConnectPage{Page: s.page("connect", "/"), AuthType: "2"}
	s.add("connect", views.Connect(form))

	bad := form
	bad.Page = s.page("connect-errors", "/")
	bad.AuthType, bad.BizAppID, bad.PermissionSets = "", w.Typed, w.Typed
	bad.Errors = []views.FieldError{{Field: "auth_type", Key: onboard.KeyAuthType}, {Field: "biz_appid", Key: onboard.KeyBizAppID}, {Field: "permission_sets", Key: onboard.KeyPermissionIDs}}
	s.add("connect-errors", views.Connect(bad))

	returning := form
	returning.Page = s.page("connect-recent", "/")
	returning.AuthType = "5"
	returning.Recent = []onboard.Attempt{attempt(w, nil), attempt(w, s.recipient), attempt(w, decided(onboard.Connected)), attempt(w, both(anyAccount, expired))}
	s.add("connect-recent", views.Connect(returning))
	s.add("connect-invite-only", views.Connect(views.ConnectPage{Page: s.page("connect-invite-only", "/"), InviteOnly: true}))
}

// recipient turns an attempt into an invite for somebody.
func (s *scenes) recipient(a *onboard.Attempt) {
	invite(a)
	a.Recipient = s.words.Recipient
}

func anyAccount(a *onboard.Attempt) {
	a.BizAppID, a.Wanted, a.AuthType = "", nil, onboard.OfficialAndMini
}

func (s *scenes) attempt() {
	desk := func(name string, change func(*onboard.Attempt), edit func(*views.AttemptPage)) {
		m := views.AttemptPage{
			Page: s.page("attempt-"+name, views.AttemptPath(attemptID)), Attempt: attempt(s.words, change), Account: miniProgram(s.words),
			PhoneURL: origin + views.PhonePath(phoneCode), PlatformAppID: "wx0123456789abcdef",
			PluginURL: origin + views.PhonePath(phoneCode) + "/plugin",
		}
		if m.Attempt.Invite() {
			m.InviteURL = origin + views.InvitePath(inviteCode)
		}
		if edit != nil {
			edit(&m)
		}
		s.add("attempt-"+name, views.Attempt(m))
		s.all = append(s.all, Scene{Name: "live-" + name, Page: views.AttemptLive(m), Live: true})
	}
	unknown := func(m *views.AttemptPage) { m.Account, m.PluginURL = nil, "" }
	desk("created", nil, nil)
	desk("any", anyAccount, unknown)
	desk("invite", s.recipient, nil)
	desk("opened", opened, nil)
	desk("handed-off", handedOff, nil)
	desk("wechats-page", atWeChatsPage, nil)
	desk("no-answer", noAnswer, func(m *views.AttemptPage) { m.Checked = true })
	desk("exchanging", exchanging, nil)
	desk("expired", expired, nil)
	desk("invite-expired", both(s.recipient, expired), nil)
	desk("invite-expired-operator", both(s.recipient, both(expired, func(a *onboard.Attempt) { a.InvitedBy = "陈晓" })), nil)
	desk("done", decided(onboard.Connected), nil)
	desk("done-missing", decided(onboard.Missing), nil)
	desk("done-wrong", decided(onboard.WrongAccount), nil)
	desk("revoked", both(decided(onboard.Connected), withdrawn), nil)
	desk("blocked-after", both(exchanging, blocked(onboard.KeyBlockedWeChat)), nil)
	desk("spent", both(exchanging, blocked(onboard.KeyCodeSpent)), nil)
	for _, key := range blockedKeys {
		desk(blockedName(key), blocked(key), nil)
	}
}

func withdrawn(a *onboard.Attempt) { a.RevokedAt = now.Add(-10 * 24 * time.Hour) }

var blockedKeys = []onboard.Key{
	onboard.KeyBlockedTicket, onboard.KeyBlockedCredentials, onboard.KeyBlockedIP,
	onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat, onboard.KeyBlockedUnpublished,
}

func blockedName(key onboard.Key) string { return "blocked-" + string(key[len("blocked."):]) }
