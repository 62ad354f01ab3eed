package views

import "net/url"

// The addresses that pages point at. web registers the same ones.
const (
	HomePath    = "/"
	ConnectPath = "/connect"
	HelpPath    = "/help/wechat-errors"
)

// AttemptPath is the desk page of an attempt. Beneath it are /events, /qr.png
// and the targets of its forms: /pc, /check, /invite, /again.
func AttemptPath(id string) string { return "/c/" + url.PathEscape(id) }

// ResultPath is where an attempt that came back from WeChat shows its end.
func ResultPath(id string) string { return "/done/" + url.PathEscape(id) }

// PhonePath is the page behind the QR code.
func PhonePath(code string) string { return "/q/" + url.PathEscape(code) }

// InvitePath is the page behind an invite.
func InvitePath(code string) string { return "/i/" + url.PathEscape(code) }

// DashboardPath is the merchant's own page.
func DashboardPath(token string) string { return "/m/" + url.PathEscape(token) }

// PicturePath is where the picture with the given hash is served. Another picture
// has another address, so a browser may keep it.
func PicturePath(hash string) string { return "/picture/" + url.PathEscape(hash) + ".png" }
