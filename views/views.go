// Package views draws the pages. Each page is a component with one model; it
// knows HTML, sentences by key and the order of display, and refuses to know
// requests, sessions and the service.
//
//go:generate go tool templ generate
package views

import (
	"time"

	"usher/internal/onboard"
)

// Brand is the operator as merchants know it.
type Brand struct {
	Name string // empty means "Usher"
	// Contact is how merchants reach the operator, shown as text; may be empty.
	Contact string
	// Logo is the path of the operator's own picture; empty shows our mark.
	Logo string
}

// Page is what the frame around every page needs.
type Page struct {
	Brand Brand
	// Path is the present address without scheme, host and lang parameter, for
	// the link to the other language, such as "/c/01H…".
	Path string
	Now  time.Time
	// Reference is the short number of the request, which a person can quote
	// to the operator; may be empty.
	Reference string
	// Theme is "light" or "dark" where a page has to look like that; empty, as
	// everywhere on a site, follows the browser.
	Theme string
}

// FieldError says what is wrong with one field of a form.
type FieldError struct {
	Field string // name of the input: "auth_type", "biz_appid", "permission_sets"
	Key   onboard.Key
}

// ConnectPage is the form that begins an attempt. The texts are as the person
// typed them.
type ConnectPage struct {
	Page
	AuthType       string // preselected radio; empty selects none
	BizAppID       string
	PermissionSets string
	Errors         []FieldError
	// InviteOnly replaces the form by the advice to ask for an invite.
	InviteOnly bool
	Recent     []onboard.Attempt // of this browser, newest first
}

// AttemptPage is the page at the desk, and its live parts.
type AttemptPage struct {
	Page
	Attempt   onboard.Attempt
	PhoneURL  string // absolute address of the phone page, which the QR code holds
	InviteURL string // absolute; empty until the attempt is an invite
	// InviteLife is how long an invite would live; 0 is onboard.InviteLife.
	InviteLife time.Duration
	Account    *onboard.Account // the account asked for, when we already know it
	// Checked is true when the person just asked to check and nothing was found.
	Checked bool
	// PlatformAppID is shown to developers who use WeChat's plug-in.
	PlatformAppID onboard.AppID
	// PluginURL is the absolute address that hands a Mini Program what the plug-in
	// takes (POST, JSON); empty hides the part for developers.
	PluginURL string
}

// Place is where a phone page was opened.
type Place int

// The places, told apart by the browser's name.
const (
	InWeChat       Place = iota // WeChat on a phone
	DesktopBrowser              // any browser on a computer
	PhoneBrowser                // a browser on a phone that is not WeChat
	DesktopWeChat               // WeChat for Windows or Mac
	WeCom                       // 企业微信
)

// PhonePage is the page behind the QR code and behind an invite.
type PhonePage struct {
	Page
	Attempt onboard.Attempt
	// Base is the path of this page, "/q/{code}" or "/i/{code}"; its button
	// posts to Base + "/go", the check to Base + "/check", and Base + "/qr.png"
	// is the code of URL.
	Base  string
	URL   string // absolute address of this page
	Place Place
	// Account is the account asked for, when we already know it.
	Account *onboard.Account
	// NotAdmin shows how to find the admin (Base + "?not_admin=1").
	NotAdmin bool
	Checked  bool // see AttemptPage
	// ResultPath is "/done/{id}" for a browser that took part, else empty: the
	// phone page never shows the id of its attempt, so that a photo of the code
	// does not open the desk page.
	ResultPath string
}

// ResultPage is what the browser that came back from WeChat sees, and what the
// desk moves to.
type ResultPage struct {
	Page
	Attempt onboard.Attempt
	// Account is nil while nothing arrived, and for a browser that took no part;
	// the AppID of Attempt is then empty too.
	Account *onboard.Account
	// Expected is the account that was asked for, when we know it and another came.
	Expected *onboard.Account
	// Phone chooses the layout inside WeChat.
	Phone bool
	// DashboardPath is the merchant's page "/m/{token}"; empty for a browser that
	// took no part.
	DashboardPath string
	// ReturnURL is where the operator wants the merchant to go on to, on a host that
	// is allowed; empty for nowhere and for a browser that took no part.
	ReturnURL string
	Checked   bool // see AttemptPage
}

// DashboardPage is the merchant's own page.
type DashboardPage struct {
	Page
	Account onboard.Account
	Missing []onboard.PermissionID
	Changes []onboard.GrantChange // newest first
	// Base is the path of this page, "/m/{token}"; Base + "/renew" (POST) makes a
	// new link and ends this one, Base + "/again" (POST) begins an attempt for
	// this account that asks for the present and the missing sets.
	Base    string
	URL     string // absolute address of this page, to copy
	Renewed bool   // the link was just renewed
	// Others are the other accounts that this browser connected.
	Others []OtherAccount
}

// OtherAccount is an account of the same merchant, and the path of its page.
type OtherAccount struct {
	Account onboard.Account
	Path    string
}

// ProblemPage answers a request that could not be served.
type ProblemPage struct {
	Page
	Status int         // HTTP status, which chooses the title
	Key    onboard.Key // the sentence; empty for the one of the status
}

// HelpPage explains the texts that WeChat shows when it refuses.
type HelpPage struct{ Page }
