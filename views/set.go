package views

import (
	"context"
	"strings"

	"usher/internal/i18n"
	"usher/internal/onboard"
)

// setName names a permission set; WeChat adds sets that no catalog knows.
func setName(ctx context.Context, id onboard.PermissionID) string {
	set, ok := onboard.LookupSet(id)
	name := set.ZH
	if i18n.From(ctx) == i18n.English {
		name = set.EN
	}
	if !ok || name == "" {
		return i18n.T(ctx, i18n.SetUnknown, "id", int(id))
	}
	return name
}

// setNames lists sets within a sentence.
func setNames(ctx context.Context, ids []onboard.PermissionID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = i18n.T(ctx, i18n.SiteQuote, "text", setName(ctx, id))
	}
	return strings.Join(names, i18n.T(ctx, i18n.SiteSeparator))
}

func exclusive(id onboard.PermissionID) bool {
	set, ok := onboard.LookupSet(id)
	return ok && set.Exclusive == onboard.Exclusive
}

// onlyExclusive keeps the sets that one platform alone can hold.
func onlyExclusive(ids []onboard.PermissionID) []onboard.PermissionID {
	var kept []onboard.PermissionID
	for _, id := range ids {
		if exclusive(id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// consequence says what granting an exclusive set means for the merchant
// (权限集说明); set 18 takes publishing out of the console.
func consequence(ctx context.Context, id onboard.PermissionID) string {
	if id == 18 {
		return i18n.T(ctx, i18n.SetExclusive18)
	}
	return i18n.T(ctx, i18n.SetExclusiveText)
}

// setCount says how many sets are asked for, and how many of them are exclusive.
func setCount(ctx context.Context, ids []onboard.PermissionID) string {
	count := i18n.T(ctx, i18n.AttemptSetsCount, "n", len(ids))
	if n := len(onlyExclusive(ids)); n > 0 {
		return i18n.T(ctx, i18n.AttemptSetsExclusive, "sets", count, "exclusive", n)
	}
	return count
}

// unconfirmed lists the granted sets that wait for the merchant's confirmation
// (confirm_info of api_get_authorizer_info).
func unconfirmed(grants onboard.Grants) []onboard.PermissionID {
	var ids []onboard.PermissionID
	for _, g := range grants {
		if g.Confirm != nil && g.Confirm.Need && !g.Confirm.Already {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

func waits(g onboard.Grant) bool { return g.Confirm != nil && g.Confirm.Need && !g.Confirm.Already }
