package views

import (
	"context"

	"usher/internal/i18n"
	"usher/internal/onboard"
)

// standing is the state of the merchant's account in words.
type standing struct {
	class, word, text string
	again             bool // the merchant can mend it by authorizing again
}

func (m DashboardPage) standing(ctx context.Context) standing {
	a := m.Account
	switch {
	case a.Standing == onboard.Revoked:
		return standing{"off", i18n.T(ctx, i18n.DashboardRevoked), i18n.T(ctx, i18n.DashboardRevokedText, "time", i18n.Time(ctx, a.RevokedAt, m.Now)), true}
	case !a.StoppedAt.IsZero():
		return standing{"off", i18n.T(ctx, i18n.DashboardStopped), i18n.T(ctx, i18n.DashboardStoppedText), false}
	case a.Standing == onboard.NeedsRescan:
		return standing{"bad", i18n.T(ctx, i18n.DashboardRescan), i18n.T(ctx, i18n.DashboardRescanText), true}
	case a.Standing == onboard.Refused:
		return standing{"warn", i18n.T(ctx, i18n.DashboardRefused), i18n.T(ctx, i18n.DashboardRefusedText), false}
	case a.Standing == onboard.Quarantined:
		return standing{"warn", i18n.T(ctx, i18n.DashboardQuarantined), i18n.T(ctx, i18n.DashboardQuarantinedText), false}
	case a.NoAPI:
		return standing{"warn", i18n.T(ctx, i18n.DashboardNoAPI), i18n.T(ctx, i18n.DashboardNoAPIText), true}
	case !a.Healthy(m.Now):
		return standing{"warn", i18n.T(ctx, i18n.DashboardExpired), i18n.T(ctx, i18n.DashboardExpiredText), false}
	case accountStatus(ctx, a.Profile.Status) != "":
		return standing{class: "bad", word: i18n.T(ctx, i18n.DashboardTrouble)} // the page says below what it is
	}
	return standing{class: "ok", word: i18n.T(ctx, i18n.DashboardActive)}
}

// health says in words whether the account works, for the facts.
func (m DashboardPage) health(ctx context.Context) string {
	if s := m.standing(ctx); s.class != "ok" {
		return s.word
	}
	return i18n.T(ctx, i18n.DashboardActiveText)
}

// verification names the state of the account's verification (verify_type_info of
// api_get_authorizer_info): from 3 on the documents are accepted and the name is not.
func verification(ctx context.Context, id int) string {
	switch {
	case id < 0:
		return i18n.T(ctx, i18n.DashboardVerifiedNo)
	case id >= 3:
		return i18n.T(ctx, i18n.DashboardVerifiedPartly)
	}
	return i18n.T(ctx, i18n.DashboardVerifiedYes)
}

// pill is the class and the word of the account's pill.
func (m DashboardPage) pill(ctx context.Context) (class, word string) {
	s := m.standing(ctx)
	return s.class, s.word
}

// served reports whether the grants are in force.
func (m DashboardPage) served() bool {
	return m.Account.Standing == onboard.Active || m.Account.Standing == onboard.NeedsRescan
}

// cancelPath is the way through the console by which the merchant withdraws.
func cancelPath(ctx context.Context, k onboard.AccountKind) string {
	switch k {
	case onboard.MiniProgram:
		return i18n.T(ctx, i18n.DashboardCancelMini)
	case onboard.OfficialAccount:
		return i18n.T(ctx, i18n.DashboardCancelOfficial)
	}
	return i18n.T(ctx, i18n.DashboardCancelOther)
}

// accountStatus warns of what WeChat says of the account (account_status of
// api_get_authorizer_info); empty when it is normal or unknown.
func accountStatus(ctx context.Context, status int) string {
	switch status {
	case 14:
		return i18n.T(ctx, i18n.DashboardStatus14)
	case 16:
		return i18n.T(ctx, i18n.DashboardStatus16)
	case 18:
		return i18n.T(ctx, i18n.DashboardStatus18)
	case 19:
		return i18n.T(ctx, i18n.DashboardStatus19)
	}
	return ""
}

// category joins the two levels of a category.
func category(c onboard.Category) string {
	first, second := DisplayName(c.First), DisplayName(c.Second)
	if second == "" {
		return first
	}
	return first + " › " + second
}
