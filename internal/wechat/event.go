package wechat

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// codeLife is how long an authorization code lives where the push does not say.
// Real redirects all say 3600 s; trying a dead code costs one call.
const codeLife = time.Hour

// ParseEvent reads the inner XML of a push (授权变更通知推送 and 验证票据). It
// does not look for whom the push is: a [Receiver] did, before it was stored.
func ParseEvent(inner []byte) (onboard.Event, error) {
	event, _, err := parseEvent(string(inner))
	return event, err
}

// parseEvent returns the AppId of the content too.
func parseEvent(doc string) (event onboard.Event, platform string, err error) {
	all, err := readXML(doc)
	if err != nil {
		return onboard.Event{}, "", err
	}
	p := eventParser{fields: all}
	event = p.event()
	platform = p.text("AppId")
	if p.err != nil {
		return onboard.Event{}, "", p.err
	}
	return event, platform, nil
}

// eventParser keeps the first fault, so that a reading is one line.
type eventParser struct {
	fields fields
	err    error
}

// text returns the field called name, empty when there is none. A field that is
// there twice is a fault.
func (p *eventParser) text(name string) string {
	value, _, err := p.fields.only(name)
	if err != nil {
		p.fail("a field that is twice there or has children")
	}
	return strings.TrimSpace(value)
}

func (p *eventParser) fail(reason string) {
	if p.err == nil {
		p.err = errors.New(reason)
	}
}

func (p *eventParser) event() onboard.Event {
	infoType := p.text("InfoType")
	if !isName(infoType) {
		p.fail("no InfoType")
		return onboard.Event{}
	}
	e := onboard.Event{Type: onboard.EventType(infoType), CreatedAt: p.createTime()}
	switch e.Type {
	case onboard.TicketEvent:
		e.Ticket = secret.New(p.text("ComponentVerifyTicket"))
		if e.Ticket.Empty() {
			p.fail("no ComponentVerifyTicket")
		}
	case onboard.AuthorizedEvent, onboard.UpdatedEvent:
		e.AppID = p.appID("AuthorizerAppid")
		e.AuthCode = secret.New(p.text("AuthorizationCode"))
		e.CodeEndsAt = codeEnd(e, p.text("AuthorizationCodeExpiredTime"))
		e.PreAuth = secret.New(p.text("PreAuthCode"))
		if e.AppID == "" && e.AuthCode.Empty() {
			p.fail("neither AuthorizerAppid nor AuthorizationCode")
		}
	case onboard.UnauthorizedEvent:
		e.AppID = p.appID("AuthorizerAppid")
		if e.AppID == "" {
			p.fail("no AuthorizerAppid")
		}
	case onboard.RegisteredEvent:
		// Only a registration that succeeded has an account and a code.
		if p.text("status") == "0" {
			e.AppID = p.appID("appid")
			e.AuthCode = secret.New(p.text("auth_code"))
			e.CodeEndsAt = codeEnd(e, "")
		}
	default:
		// Every family of pushes spells the account's id in its own way.
		for _, name := range []string{"AuthorizerAppid", "authorizer_appid", "appid", "verify_appid"} {
			if e.AppID = p.appID(name); e.AppID != "" {
				break
			}
		}
		return e // stored and acknowledged, so nothing more is asked of it
	}
	if e.CreatedAt.IsZero() {
		p.fail("no CreateTime") // what happened last could not be told
	}
	return e
}

// createTime is zero when there is none or it is no time.
func (p *eventParser) createTime() time.Time {
	seconds, ok := unixSeconds(p.text("CreateTime"))
	if !ok || seconds < 1e9 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// appID drops what is not an AppID: a code beside it is still worth exchanging,
// and the exchange names the account.
func (p *eventParser) appID(name string) onboard.AppID {
	id, _ := appID(text(p.text(name)))
	return id
}

// codeEnd reads AuthorizationCodeExpiredTime, of which the page says only that
// it is in seconds: what is long ago as a time is a life.
func codeEnd(e onboard.Event, value string) time.Time {
	if e.AuthCode.Empty() || e.CreatedAt.IsZero() {
		return time.Time{}
	}
	seconds, ok := unixSeconds(value)
	switch {
	case !ok || seconds == 0:
		return e.CreatedAt.Add(codeLife)
	case seconds > 1e9:
		return time.Unix(seconds, 0)
	}
	return e.CreatedAt.Add(time.Duration(seconds) * time.Second)
}

// unixSeconds reads 1 to 11 digits, which is enough for the year 5138.
func unixSeconds(s string) (int64, bool) {
	if !isDigits(s) || len(s) > 11 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// isName reports whether s is like an InfoType: it gets into logs and counters.
func isName(s string) bool { return len(s) <= 64 && plainName(s) }
