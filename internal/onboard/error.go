package onboard

import (
	"errors"
	"fmt"
)

// Kind says what the reader of an error can do next.
type Kind int

// The kinds, named after the next step of the person who meets them.
const (
	Internal    Kind = iota // nothing; the log has the cause
	Invalid                 // correct the form
	NotFound                // check the link
	Expired                 // start again
	Unavailable             // wait and try again
	Limited                 // slow down
)

// Key names a sentence in the catalogs of both languages.
type Key string

// An Error names the sentence to show and keeps the cause for the log.
type Error struct {
	Kind Kind
	Key  Key   // catalog key of the sentence the person reads
	Err  error // the cause; logged, never rendered
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error; format and args describe the cause, as in fmt.Errorf.
func Errorf(kind Kind, key Key, format string, args ...any) error {
	return &Error{Kind: kind, Key: key, Err: fmt.Errorf(format, args...)}
}

// Explain returns the kind and catalog key to answer err with. An error that
// nobody classified is Internal: its text may hold secrets, so it stays inside.
func Explain(err error) (Kind, Key) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind, e.Key
	}
	return Internal, KeyInternal
}

// The sentences the domain asks for. Every one of them is in both catalogs.
const (
	KeyInternal      Key = "error.internal"
	KeyAuthType      Key = "error.auth_type"
	KeyBizAppID      Key = "error.biz_appid"
	KeyPermissionIDs Key = "error.permission_sets"
	KeyNotFound      Key = "error.not_found"
	KeyExpired       Key = "error.expired"
	KeyUsed          Key = "error.used"
	KeyLimited       Key = "error.limited"
	KeyInviteOnly    Key = "error.invite_only"    // the public form is closed
	KeyCodeSpent     Key = "error.code_spent"     // the authorization code was used or has expired
	KeyNoAPI         Key = "error.no_api"         // the account has no API permission, so no tokens
	KeyNotAuthorized Key = "error.not_authorized" // the account is not, or not any more, authorized
	KeyStopped       Key = "error.stopped"        // the operator stopped serving the account
	KeyReturnURL     Key = "error.return_url"     // not an https address on a host that the settings allow

	KeyBlockedTicket      Key = "blocked.ticket"      // no ticket from WeChat yet, or it is too old
	KeyBlockedCredentials Key = "blocked.credentials" // AppSecret or AppID refused
	KeyBlockedIP          Key = "blocked.ip"          // our address is not on the allow-list
	KeyBlockedQuota       Key = "blocked.quota"       // the day's calls are used up
	KeyBlockedWeChat      Key = "blocked.wechat"      // WeChat does not answer
	KeyBlockedUnpublished Key = "blocked.unpublished" // the platform is not released for everybody yet
)
