package views

import (
	"context"
	"slices"
	"strconv"
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

// setHelp says in plain words what a permission set lets the operator do; empty
// for the sets that few merchants meet.
func setHelp(ctx context.Context, id onboard.PermissionID) string {
	if key := i18n.Key("set." + strconv.Itoa(int(id)) + ".help"); i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return ""
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

// development is the set that takes publishing out of the merchant's console
// (小程序开发与数据分析).
const development onboard.PermissionID = 18

// consequence says what granting an exclusive set means for the merchant
// (权限集说明).
func consequence(ctx context.Context, id onboard.PermissionID) string {
	if id == development {
		return i18n.T(ctx, i18n.SetExclusive18)
	}
	return i18n.T(ctx, i18n.SetExclusiveText)
}

// setRow is a permission set in a list.
type setRow struct {
	id    onboard.PermissionID
	waits bool // for the merchant's confirmation
}

// setRows makes rows of ids, those first that one operator alone can hold: nobody
// should have to unfold a list to learn of them.
func setRows(ids []onboard.PermissionID) []setRow {
	rows := make([]setRow, len(ids))
	for i, id := range ids {
		rows[i].id = id
	}
	return exclusiveFirst(rows)
}

// grantRows is setRows for what is granted.
func grantRows(grants onboard.Grants) []setRow {
	rows := make([]setRow, len(grants))
	for i, g := range grants {
		rows[i] = setRow{id: g.ID, waits: waits(g)}
	}
	return exclusiveFirst(rows)
}

func exclusiveFirst(rows []setRow) []setRow {
	slices.SortStableFunc(rows, func(a, b setRow) int {
		switch x, y := exclusive(a.id), exclusive(b.id); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return rows
}

// fold splits rows after the first n. A rest of one or two is not worth unfolding.
func fold(rows []setRow, n int) (first, rest []setRow) {
	if len(rows) <= n+2 {
		return rows, nil
	}
	return rows[:n], rows[n:]
}

// restCount says how many rows are folded, and how many of them are exclusive.
func restCount(ctx context.Context, rest []setRow) string {
	only := 0
	for _, r := range rest {
		if exclusive(r.id) {
			only++
		}
	}
	if only > 0 {
		return i18n.T(ctx, i18n.SetRestExclusive, "n", len(rest), "exclusive", only)
	}
	return i18n.T(ctx, i18n.SetRest, "n", len(rest))
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
