package wechat

import (
	"strings"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Fields reads the inner XML of a push for people, secrets hidden. It is empty
// when the XML is unreadable. What has children is named only: names and numbers
// of people are in there.
func Fields(inner []byte) []onboard.Field {
	all, err := readXML(string(inner))
	if err != nil {
		return nil
	}
	out := make([]onboard.Field, len(all))
	for i, f := range all {
		out[i] = onboard.Field{Name: f.name}
		switch value := strings.TrimSpace(f.value); {
		case f.nested:
			out[i].Value = "…"
		case isSecret(f.name, value):
			out[i].Hidden = secret.New(value)
		default:
			out[i].Value = value
		}
	}
	return out
}

// harmless are names that sound like secrets and are none.
var harmless = map[string]bool{
	"AuthorizerAppid": true, "authorizer_appid": true, "AuthorizationCodeExpiredTime": true,
}

// isSecret reports whether people may not see a value: by its name, or, because
// new kinds of pushes come without notice, by what it looks like.
func isSecret(name, value string) bool {
	if harmless[name] && len(value) <= 32 {
		return false
	}
	name = strings.ToLower(name)
	for _, part := range []string{"code", "ticket", "token", "secret", "key", "sign", "auth", "password", "encrypt"} {
		if strings.Contains(name, part) {
			return value != ""
		}
	}
	return strings.Contains(value, "@@@") || unbroken(value) >= 32
}

// unbroken is the longest run of characters that tokens are made of.
func unbroken(s string) (longest int) {
	run := 0
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("-_+/=@", c) >= 0 {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}
