package onboard

import (
	"slices"
	"strconv"
	"strings"
)

// PermissionID is WeChat's number of a permission set (权限集,
// funcscope_category.id). The list is open-ended: unknown ids are kept and shown.
type PermissionID int

// Exclusivity says whether only one platform may hold a set for one account.
type Exclusivity int

// Most tables of WeChat are public only in part, so "unknown" is a value of its own.
const (
	ExclusiveUnknown Exclusivity = iota
	Shared
	Exclusive
)

// PermissionSet describes one set of the catalog.
type PermissionSet struct {
	ID        PermissionID
	ZH, EN    string        // names; both empty for an id that is not in the catalog
	Kinds     []AccountKind // which accounts can grant it; nil when unknown
	Exclusive Exclusivity
}

// Confirm is the confirm_info of a granted set: some sets take effect only
// after a confirmation.
type Confirm struct{ Need, Already, Can bool }

// Grant is one set that a merchant granted.
type Grant struct {
	ID      PermissionID
	Confirm *Confirm // nil when WeChat sent none
}

// Grants are the sets an account granted, ascending by id and without repeats.
type Grants []Grant

// IDs returns the numbers alone.
func (g Grants) IDs() []PermissionID {
	ids := make([]PermissionID, len(g))
	for i, grant := range g {
		ids[i] = grant.ID
	}
	return ids
}

// Has reports whether the set id was granted.
func (g Grants) Has(id PermissionID) bool {
	return slices.ContainsFunc(g, func(grant Grant) bool { return grant.ID == id })
}

// Normalize sorts g by id and drops repeats.
func (g Grants) Normalize() Grants {
	g = slices.Clone(g)
	slices.SortStableFunc(g, func(a, b Grant) int { return int(a.ID) - int(b.ID) })
	return slices.CompactFunc(g, func(a, b Grant) bool { return a.ID == b.ID })
}

// Without returns the ids of wanted that g lacks, in the order of wanted.
func (g Grants) Without(wanted []PermissionID) []PermissionID {
	var missing []PermissionID
	for _, id := range wanted {
		if !g.Has(id) {
			missing = append(missing, id)
		}
	}
	return missing
}

// ParsePermissionIDs reads a list separated by bars, commas or white space, such
// as "17|18|99". Empty means that nothing in particular is asked for, which
// WeChat takes as all sets of the platform.
func ParsePermissionIDs(s string) ([]PermissionID, error) {
	var ids []PermissionID
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("|,，、 \t\r\n", r) }) {
		n, err := strconv.ParseUint(field, 10, 16)
		if err != nil || n == 0 {
			return nil, Errorf(Invalid, KeyPermissionIDs, "%q is not the number of a permission set", field)
		}
		ids = append(ids, PermissionID(n))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > 100 {
		return nil, Errorf(Invalid, KeyPermissionIDs, "%d permission sets in one request", len(ids))
	}
	return ids, nil
}
