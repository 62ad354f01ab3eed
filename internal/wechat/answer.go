package wechat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"usher/internal/onboard"
)

// number is a number that WeChat may send as a number or as a string. Anything
// else leaves it sent and not ok, so that the caller decides what that means.
type number struct {
	n    int64
	sent bool // there was a member and it was not null
	ok   bool // n is what it said
}

func (v *number) UnmarshalJSON(b []byte) error {
	*v = number{}
	if string(b) == "null" {
		return nil
	}
	v.sent = true
	s := string(b)
	if b[0] == '"' {
		var unquoted string
		if err := json.Unmarshal(b, &unquoted); err != nil {
			return nil
		}
		s = strings.TrimSpace(unquoted)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		v.n, v.ok = n, true
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f > -1e15 && f < 1e15 {
		v.n, v.ok = int64(f), true
	}
	return nil
}

// or returns the number, or another one where none was sent.
func (v number) or(other int) int {
	if !v.ok {
		return other
	}
	return int(v.n)
}

// text is a string; a number stands for its digits, everything else for nothing. A
// zero byte, which JSON can spell and PostgreSQL does not take, is left out.
type text string

func (v *text) UnmarshalJSON(b []byte) error {
	*v = ""
	switch c := b[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*v = text(strings.ReplaceAll(s, "\x00", ""))
	case c == '-' || '0' <= c && c <= '9':
		*v = text(b)
	}
	return nil
}

// object reports whether raw is a JSON object. WeChat tells kinds of accounts
// apart by which objects are there, and null is not one.
func object(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}

// identity is the id member of objects such as service_type_info. Whatever is
// not such an object counts as not sent.
type identity struct{ id number }

func (v *identity) UnmarshalJSON(b []byte) error {
	*v = identity{}
	var o struct {
		ID number `json:"id"`
	}
	if object(b) && json.Unmarshal(b, &o) == nil {
		v.id = o.ID
	}
	return nil
}

// appID checks that what WeChat sent is an AppID: it ends up in addresses.
func appID(s text) (onboard.AppID, bool) {
	id, err := onboard.ParseAppID(string(s))
	return id, err == nil && id != "" && string(id) == string(s)
}

// tokenLife limits the life of a token to what can be true: WeChat's tokens live
// two hours, and one that would end at once must not make us ask without pause.
func tokenLife(expiresIn number) time.Duration {
	return min(max(time.Duration(clampSeconds(expiresIn.or(7200)))*time.Second, time.Minute), 2*time.Hour)
}

// clampSeconds keeps the multiplication by a second from running over.
func clampSeconds(n int) int { return min(max(n, 0), 1<<31) }

// grants is func_info. It is decoded strictly: a list that is not understood
// must not be taken for an empty one.
type grants []struct {
	Category struct {
		ID number `json:"id"`
	} `json:"funcscope_category"`
	Confirm *struct {
		Need    number `json:"need_confirm"`
		Already number `json:"already_confirm"`
		Can     number `json:"can_confirm"`
	} `json:"confirm_info"`
}

// domain converts the list; nil stays nil, which says that WeChat sent none. It
// is not ok when an entry has no id.
func (g grants) domain() (onboard.Grants, bool) {
	if g == nil {
		return nil, true
	}
	out := make(onboard.Grants, 0, len(g))
	for _, f := range g {
		if !f.Category.ID.ok || f.Category.ID.n < 1 || f.Category.ID.n > 1<<31-1 {
			return nil, false
		}
		grant := onboard.Grant{ID: onboard.PermissionID(f.Category.ID.n)}
		if f.Confirm != nil {
			grant.Confirm = &onboard.Confirm{Need: f.Confirm.Need.n != 0, Already: f.Confirm.Already.n != 0, Can: f.Confirm.Can.n != 0}
		}
		out = append(out, grant)
	}
	return out.Normalize(), true
}
