package wechat

import (
	"net/netip"
	"strings"

	"usher/internal/onboard"
)

// tokenless are the APIs that authenticate by the secret: a bad credential there
// is nothing that another token would cure.
func tokenless(api string) bool {
	return api == "api_component_token" || api == "api_start_push_ticket" || api == "clear_quota/v2"
}

// aboutAccount are the APIs whose subject is one account.
func aboutAccount(api string) bool {
	return api == "api_query_auth" || api == "api_authorizer_token" || api == "api_get_authorizer_info"
}

// react tells what an errcode of api asks for. The codes are those of the
// official list 全局返回码 and of the pages of the APIs; one that nobody
// documented is tried again later, which harms nothing.
func react(api string, code int) onboard.Reaction {
	switch code {
	case 40001, 40014, 42001, 42006: // token wrong, not the newest, or expired
		if tokenless(api) {
			return onboard.Configure // here 40001 means the secret
		}
		return onboard.RefreshPlatform // every call with a token sends the platform's
	case 40013: // invalid appid
		if api == "api_authorizer_token" || api == "api_get_authorizer_info" {
			return onboard.Bug // the platform's own was good enough for its token
		}
		return onboard.Configure
	case 48001: // not available to this account type, or not granted
		if aboutAccount(api) {
			return onboard.Show
		}
		return onboard.Configure
	}
	if r, ok := reactions[code]; ok {
		return r
	}
	switch {
	case code >= 65000 && code <= 65999, // states of customer-service accounts
		code >= 61051 && code <= 61056, code >= 61063 && code <= 61070, // registration by an account
		code >= 89000 && code <= 89004, // binding to an Open Platform account
		code >= 89247 && code <= 89254: // fast registration
		return onboard.Show
	}
	return onboard.Backoff
}

// reactions holds the codes that mean the same for every API.
var reactions = map[int]onboard.Reaction{
	-1: onboard.Backoff, // busy

	40002: onboard.Bug, 40003: onboard.Bug,
	40029: onboard.CodeSpent,                                                     // code of a web login
	40030: onboard.Reauthorize,                                                   // invalid refresh_token
	40090: onboard.Configure, 40164: onboard.Configure, 45035: onboard.Configure, // our address is not on the list
	40091: onboard.AwaitTicket,
	40094: onboard.Configure, // invalid component credential
	40097: onboard.Bug,
	40125: onboard.Configure, // the secret was reset
	40170: onboard.Bug,       // list: count above 500
	41001: onboard.Bug, 41002: onboard.Bug, 41003: onboard.Bug, 41004: onboard.Bug, 41011: onboard.Bug,
	41018: onboard.Bug, 41019: onboard.Bug, 41020: onboard.Bug, 41021: onboard.Bug, // something is missing
	42002: onboard.Reauthorize, // refresh_token of a web login
	42003: onboard.CodeSpent,   // code of a web login
	42007: onboard.Reauthorize, // password changed, tokens void
	43001: onboard.Bug, 43002: onboard.Bug, 43003: onboard.Bug, 44002: onboard.Bug,
	45009: onboard.Quota, // the day's calls
	// The minute's calls. Of the same class as the day's because the answer is the
	// same, to stop this kind of call; only the wait is shorter, and the code tells.
	45011: onboard.Quota,
	45015: onboard.Show, 45047: onboard.Show, // customer message too late, too many
	47001: onboard.Bug, 47002: onboard.Bug,
	48004: onboard.Show,  // API banned for the account
	48006: onboard.Quota, // resets of the quota, 10 a month, are used up
	50002: onboard.Show,  // account limited, frozen or cancelled

	61000: onboard.Configure, 61001: onboard.Configure,
	61002: onboard.Show,
	61003: onboard.Reauthorize,                             // the account has not authorized us
	61004: onboard.Configure,                               // our address is not on the list
	61005: onboard.AwaitTicket, 61006: onboard.AwaitTicket, // ticket expired, invalid
	61007: onboard.MissingScope,
	61008: onboard.Bug,
	61009: onboard.CodeSpent, 61010: onboard.CodeSpent, // authorization code invalid, expired
	61011: onboard.Configure,
	61012: onboard.Bug, 61013: onboard.Bug, 61014: onboard.Bug, 61015: onboard.Bug,
	61016: onboard.Show, // the set needs a confirmation
	61017: onboard.MissingScope,
	61018: onboard.Show, 61019: onboard.Show, // already confirmed, nothing to confirm
	61020: onboard.Bug,
	61021: onboard.Show, 61022: onboard.Show,
	61023: onboard.Reauthorize, // refresh token invalid
	61024: onboard.Bug, 61025: onboard.Bug,
	61026: onboard.Show, 61027: onboard.Show,
	61028: onboard.Configure, 61029: onboard.Configure, // platform not released, to be released again
	61030: onboard.Show,
	61058: onboard.Show, 61061: onboard.Show,
	61451: onboard.Bug,
	76003: onboard.Bug, 76022: onboard.Bug, // quota/get: path wrong, not supported
	86000: onboard.Bug,
	86004: onboard.Show,
	91030: onboard.Show,
}

// refusesAddress reports whether code says that our address is not allowed.
func refusesAddress(code int) bool {
	return code == 61004 || code == 40164 || code == 40090 || code == 45035
}

// rid finds the request id at the end of an errmsg: "… rid: 65f0-…", or in the
// older form "… hint: [abc]".
func rid(msg string) string {
	for _, mark := range []string{"rid:", "hint:"} {
		if _, after, ok := strings.Cut(msg, mark); ok {
			after = strings.TrimLeft(after, " [")
			end := strings.IndexFunc(after, func(r rune) bool {
				return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
			})
			if end >= 0 {
				after = after[:end]
			}
			return after[:min(len(after), 64)]
		}
	}
	return ""
}

// address finds the IP address that an errmsg names, such as "invalid ip
// 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"; empty when there is none.
func address(msg string) string {
	msg, _, _ = strings.Cut(msg, "rid:") // its hexadecimal groups are no address
	for word := range strings.FieldsFuncSeq(msg, func(r rune) bool {
		return !(r == '.' || r == ':' || '0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F')
	}) {
		for _, candidate := range []string{word, strings.Trim(word, ".:")} {
			// A lone "::" is what is left of punctuation.
			if ip, err := netip.ParseAddr(candidate); err == nil && !ip.IsUnspecified() {
				return ip.Unmap().String()
			}
		}
	}
	return ""
}

// clean makes an errmsg fit for a log: one line of at most 200 characters in
// which nothing that was sent comes back.
func (r request) clean(msg string) string {
	for _, s := range append(r.secrets, r.token) {
		if !s.Empty() {
			msg = strings.ReplaceAll(msg, s.Reveal(), "[redacted]")
		}
	}
	words := strings.Fields(msg)
	for i, w := range words {
		if strings.Contains(w, "@@@") { // tickets, codes and refresh tokens carry it
			words[i] = "[redacted]"
		}
	}
	msg = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, strings.Join(words, " "))
	if runes := []rune(msg); len(runes) > 200 {
		msg = string(runes[:200]) + "…"
	}
	return msg
}
