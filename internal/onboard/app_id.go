package onboard

import "strings"

// AppID identifies an account at WeChat: "wx" and 16 hexadecimal digits.
type AppID string

// ParseAppID reads a form value. Empty means no particular account. White space
// around it is dropped and full-width letters, which Chinese input methods
// produce, are folded.
func ParseAppID(s string) (AppID, error) {
	s = strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // the full-width forms mirror ASCII at this distance
			return r - '！' + '!'
		}
		return r
	}, strings.TrimSpace(s))
	if s == "" {
		return "", nil
	}
	if len(s) != 18 || s[:2] != "wx" || strings.Trim(s[2:], "0123456789abcdef") != "" {
		return "", Errorf(Invalid, KeyBizAppID, "%q is not an AppID", s)
	}
	return AppID(s), nil
}
