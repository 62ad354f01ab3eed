// Package adminviews draws the console's pages. Like package views it knows
// HTML, sentences by key and the order of display, and refuses to know requests,
// sessions and the service. The generator of package views draws it too.
package adminviews

import (
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// Frame is what the layout needs around every page of the console.
type Frame struct {
	views.Page
	Admin admin.Admin // zero when nobody is signed in
	Nav   []NavItem
	Flash *Flash // said once, above the page; nil for nothing
	// Refresh has a browser without scripts ask again every five seconds.
	Refresh bool
	// NoTicket says on the page that WeChat's ticket is missing.
	NoTicket bool
}

// May reports whether the reader's role allows something, so that a page shows
// only what works.
func (f Frame) May(p admin.Permission) bool { return f.Admin.Role.May(p) }

// Flash is one sentence about what was just done.
type Flash struct {
	Class string // ok, warn or bad
	Text  string
}

// NavItem is one line of the navigation.
type NavItem struct {
	Path    string
	Label   i18n.Key
	Icon    string
	Counted bool   // something may stand beside the label:
	Count   string // empty for nothing now
	Current bool
	System  bool // in the lower group
}

// part names the count among the parts of a page that change.
func (i NavItem) part() string { return "n-" + i.Icon }

// entries is the whole navigation in order. Only those appear whose page exists
// and is open to the reader.
var entries = []NavItem{
	{Path: HomePath, Label: i18n.AdminNavOverview, Icon: "home"},
	{Path: AccountsPath, Label: i18n.AdminNavAccounts, Icon: "accounts"},
	{Path: InvitesPath, Label: i18n.AdminNavInvites, Icon: "invites"},
	{Path: EventsPath, Label: i18n.AdminNavEvents, Icon: "events"},
	{Path: HealthPath, Label: i18n.AdminNavHealth, Icon: "health"},
	{Path: ReconcilePath, Label: i18n.AdminNavReconcile, Icon: "reconcile"},
	{Path: AuditPath, Label: i18n.AdminNavAudit, Icon: "audit", System: true},
	{Path: AdminsPath, Label: i18n.AdminNavAdmins, Icon: "admins", System: true},
	{Path: SettingsPath, Label: i18n.AdminNavSettings, Icon: "settings", System: true},
}

// The addresses of the console that pages point at. web registers the same ones.
const (
	HomePath      = "/admin"
	AccountsPath  = "/admin/accounts"
	InvitesPath   = "/admin/invites"
	EventsPath    = "/admin/events"
	HealthPath    = "/admin/health"
	ReconcilePath = "/admin/reconcile"
	LabPath       = "/admin/events/lab"
	AuditPath     = "/admin/audit"
	AdminsPath    = "/admin/admins"
	SettingsPath  = "/admin/settings"
	ProfilePath   = "/admin/profile"
	SignInPath    = "/admin/sign-in"
	CodePath      = "/admin/sign-in/code"
	SignOutPath   = "/admin/sign-out"
	SetupPath     = "/admin/setup"
	WizardPath    = "/admin/wizard"
	QuotaPath     = HealthPath + "/quota"
)

// Nav returns the navigation for a reader of path. open tells whether a page
// exists and the reader may see it, count what stands beside its label; ok is false
// when nothing ever does.
func Nav(path string, open func(path string) bool, count func(path string) (text string, ok bool)) []NavItem {
	var items []NavItem
	for _, e := range entries {
		if !open(e.Path) {
			continue
		}
		e.Count, e.Counted = count(e.Path)
		e.Current = path == e.Path || e.Path != HomePath && strings.HasPrefix(path, e.Path+"/")
		items = append(items, e)
	}
	return items
}

// Fault says what is wrong with one field of a form.
type Fault struct {
	Field string // name and id of the input
	Key   onboard.Key
	Args  []any // of the sentence
}

// Faults are those of one form, in the order of its fields.
type Faults []Fault

// Of returns the fault of one field, or nil.
func (f Faults) Of(field string) *Fault {
	for i := range f {
		if f[i].Field == field {
			return &f[i]
		}
	}
	return nil
}

// RoleKey names a role.
func RoleKey(r admin.Role) i18n.Key { return i18n.Key("admin.role." + string(r)) }
