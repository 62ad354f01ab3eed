package views

import (
	"context"
	"hash/fnv"
	"strings"
	"unicode"

	"usher/internal/i18n"
	"usher/internal/onboard"
)

// maxName is how many characters of a remote name a page shows.
const maxName = 64

// DisplayName makes a remote text fit to be shown in a line: control characters,
// characters that turn the direction of writing and invisible ones are dropped,
// white space is folded, and it is cut to 64 characters. Escaping is left to the
// component. The result is empty when nothing visible remains.
func DisplayName(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		// Cf holds the bidirectional controls, zero-width characters and tags; a
		// combining mark without a base would sit on our own text.
		if r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || invisible(r) || b.Len() == 0 && unicode.Is(unicode.M, r) {
			continue
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		if n >= maxName {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// invisible reports letters that are drawn as nothing and used to fake an empty name.
func invisible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\u034f', '\u17b4', '\u17b5':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// accountName is what an account is called: its nickname, else its AppID.
func accountName(a onboard.Account) string {
	if name := DisplayName(a.Profile.Nickname); name != "" {
		return name
	}
	return string(a.AppID)
}

// quotedName is the name of the account, in quotation marks unless it is an AppID.
func quotedName(ctx context.Context, a *onboard.Account, id onboard.AppID) string {
	if a == nil {
		return string(id)
	}
	if name := DisplayName(a.Profile.Nickname); name != "" {
		return i18n.T(ctx, i18n.SiteQuote, "text", name)
	}
	return string(a.AppID)
}

// letter is what stands in for an account's picture while we have none that was
// fetched and checked: pages load nothing from other hosts.
func letter(a *onboard.Account) string {
	if a != nil {
		for _, r := range DisplayName(a.Profile.Nickname) {
			return strings.ToUpper(string(r))
		}
	}
	return "#"
}

// avatarClass gives an account the same color on every page.
func avatarClass(a *onboard.Account) string {
	h := fnv.New32a()
	if a != nil {
		h.Write([]byte(a.AppID))
	}
	return "ava c" + string('0'+rune(h.Sum32()%6))
}

// kindWord names what kind of account a is.
func kindWord(ctx context.Context, k onboard.AccountKind) string {
	if key := i18n.Key("kind." + string(k)); k != onboard.UnknownKind && i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, i18n.KindAny)
}

// typeWord names the accounts that an attempt asks for.
func typeWord(ctx context.Context, t onboard.AuthType) string {
	if key := i18n.Key("type." + typeValue(t)); i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, i18n.KindAny)
}

// askedWord names what an attempt asks for; the kind of a known account is more
// exact than the type, and wins at WeChat as well.
func askedWord(ctx context.Context, a onboard.Attempt, known *onboard.Account) string {
	switch {
	case known != nil && known.Profile.Kind != onboard.UnknownKind:
		return kindWord(ctx, known.Profile.Kind)
	case a.BizAppID != "" && (a.AuthType == onboard.OfficialAndMini || a.AuthType == onboard.AllAccounts):
		return i18n.T(ctx, i18n.KindAny) // one account is never "A or B"
	}
	return typeWord(ctx, a.AuthType)
}

func typeValue(t onboard.AuthType) string { return string('0' + rune(t)) }

func (b Brand) name() string {
	if name := DisplayName(b.Name); name != "" {
		return name
	}
	return "Usher"
}
