package onboard_test

import (
	"slices"
	"strings"
	"testing"

	"usher/internal/onboard"
)

func TestParsePermissionIDs(t *testing.T) {
	tests := []struct {
		in   string
		want []onboard.PermissionID
		ok   bool
	}{
		{"", nil, true},
		{"18", []onboard.PermissionID{18}, true},
		{"99|31", []onboard.PermissionID{31, 99}, true},
		{" 18, 17，19、18 ", []onboard.PermissionID{17, 18, 19}, true},
		{"65535", []onboard.PermissionID{65535}, true},
		{"0", nil, false},
		{"-1", nil, false},
		{"65536", nil, false},
		{"18|x", nil, false},
		{"18.5", nil, false},
		{strings.Repeat("1|", 200), []onboard.PermissionID{1}, true},
	}
	for _, tt := range tests {
		got, err := onboard.ParsePermissionIDs(tt.in)
		if !slices.Equal(got, tt.want) || (err == nil) != tt.ok {
			t.Errorf("ParsePermissionIDs(%q) = %v, %v; want %v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestGrants(t *testing.T) {
	g := onboard.Grants{{ID: 19}, {ID: 17, Confirm: &onboard.Confirm{Need: true}}, {ID: 19}, {ID: 201}}.Normalize()
	if got, want := g.IDs(), []onboard.PermissionID{17, 19, 201}; !slices.Equal(got, want) {
		t.Errorf("Normalize().IDs() = %v, want %v", got, want)
	}
	if g[0].Confirm == nil || !g[0].Confirm.Need {
		t.Error("Normalize() lost the confirm_info of set 17")
	}
	if got, want := g.Without([]onboard.PermissionID{18, 19, 30}), []onboard.PermissionID{18, 30}; !slices.Equal(got, want) {
		t.Errorf("Without = %v, want %v", got, want)
	}
}

// TestCatalog holds what LookupSet relies on and what pages show.
func TestCatalog(t *testing.T) {
	var last onboard.PermissionID
	for _, set := range onboard.Catalog() {
		if set.ID <= last {
			t.Errorf("set %d stands after %d", set.ID, last)
		}
		last = set.ID
		if (set.ZH == "") != (set.EN == "") {
			t.Errorf("set %d has the names %q and %q", set.ID, set.ZH, set.EN)
		}
		if got, ok := onboard.LookupSet(set.ID); !ok || got.ZH != set.ZH {
			t.Errorf("LookupSet(%d) = %v, %v", set.ID, got, ok)
		}
	}
	tests := []struct {
		id        onboard.PermissionID
		zh        string
		exclusive onboard.Exclusivity
		known     bool
	}{
		{18, "小程序开发与数据分析", onboard.Exclusive, true},
		{1, "消息管理", onboard.Shared, true},
		{88, "小程序链接管理", onboard.ExclusiveUnknown, true},
		{115, "", onboard.ExclusiveUnknown, true},
		{190, "带货助手订单管理", onboard.Shared, true},
		{28, "", onboard.ExclusiveUnknown, false},
		{201, "", onboard.ExclusiveUnknown, false},
	}
	for _, tt := range tests {
		set, ok := onboard.LookupSet(tt.id)
		if ok != tt.known || set.ID != tt.id || set.ZH != tt.zh || set.Exclusive != tt.exclusive {
			t.Errorf("LookupSet(%d) = %+v, %v; want %q, %d, %v", tt.id, set, ok, tt.zh, tt.exclusive, tt.known)
		}
	}
}
