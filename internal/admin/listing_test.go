package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		" A  b\tC\n": "a b c", "ＴＥＡ茶": "tea茶", "a\u202eb\u200bc\x00": "abc", "\xff<b>": "<b>", "É": "é", "E\u0301": "é", "": "",
	} {
		if got := admin.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSearchWords: whatever a word finds by containing it, the terms find too.
func TestSearchWords(t *testing.T) {
	text := admin.SearchText("山茶花茶舍", "Camellia Tea", "wx8f2c40d1a7be91d0", "gh_1", "a茶", "x", "", "X")
	terms := admin.SearchTerms(text)
	for query, found := range map[string]bool{
		"山茶花": true, "茶": true, "茶舍": true, "cam": true, "ELLIA": true, "tea": true, "ca": true, "wx8f": true, "91d0": true, "a茶": true,
		"x": true, "山 tea": true, "el": false, "茶山": false, "0": false, "camelliatea": false,
	} {
		ok := true
		for _, w := range admin.SearchWords(query) {
			ok = ok && strings.Contains(text, w.Contains)
			for _, term := range w.Terms {
				if strings.Contains(text, w.Contains) && !slices.Contains(terms, term) {
					t.Errorf("%q is in the text, but its term %q is not among the terms", query, term)
				}
			}
		}
		if ok != found {
			t.Errorf("SearchWords(%q) finds %v, want %v", query, ok, found)
		}
	}
	if words := admin.SearchWords(strings.Repeat("word ", 100)); len(words) > 4 {
		t.Errorf("a long query has %d words", len(words))
	}
	if n := len(admin.SearchTerms(admin.SearchText(strings.Repeat("很长的备注", 10000)))); n > 4000 {
		t.Errorf("a long text has %d terms", n)
	}
	if admin.TermNumber("wx1", "a") == admin.TermNumber("wx2", "a") || admin.TermNumber("wx1", "a") < 0 {
		t.Error("terms of two platforms are the same, or below zero")
	}
}

func TestCursor(t *testing.T) {
	for _, c := range []admin.Cursor{{}, {Text: "店 \"", AppID: "wx0123456789abcdef"}, {Number: -5, AppID: "wx0123456789abcdef"}} {
		if got := admin.ParseCursor(c.String()); got != c {
			t.Errorf("ParseCursor(%q) = %+v, want %+v", c.String(), got, c)
		}
	}
	for _, s := range []string{"x", "e30", "bnVsbA", "eyJhIjoiJzsgLS0ifQ", strings.Repeat("a", 4000)} {
		if got := admin.ParseCursor(s); !got.Zero() {
			t.Errorf("ParseCursor(%q) = %+v, want none", s, got)
		}
	}
}

func TestStatusOf(t *testing.T) {
	full := onboard.Account{Standing: onboard.Active, Grants: onboard.Grants{{ID: 1}}, Profile: onboard.Profile{Kind: onboard.OfficialAccount, Status: 1}}
	with := func(change func(*onboard.Account)) onboard.Account {
		a := full
		change(&a)
		return a
	}
	for _, tt := range []struct {
		a    onboard.Account
		want admin.Status
	}{
		{full, admin.Fine},
		{with(func(a *onboard.Account) { a.Standing = onboard.Quarantined }), admin.Undecided},
		{with(func(a *onboard.Account) { a.Standing, a.Failures = onboard.NeedsRescan, 9 }), admin.Dead},
		{with(func(a *onboard.Account) { a.Failures = 2 }), admin.Fine},
		{with(func(a *onboard.Account) { a.Failures = 3 }), admin.Failing},
		{with(func(a *onboard.Account) { a.Profile.Status = 18 }), admin.Fine}, // warned: calls work
		{with(func(a *onboard.Account) { a.Profile.Status, a.Failures = 19, 3 }), admin.Suspended},
		{with(func(a *onboard.Account) { a.Wanted = []onboard.PermissionID{1, 2} }), admin.Incomplete},
		{with(func(a *onboard.Account) { a.Wanted = []onboard.PermissionID{1, 18} }), admin.Fine}, // 18 is a Mini Program's
		{with(func(a *onboard.Account) { a.Grants = onboard.Grants{{ID: 1, Confirm: &onboard.Confirm{Need: true}}} }), admin.Unconfirmed},
		{with(func(a *onboard.Account) { a.NoAPI = true }), admin.NoTokens},
		{with(func(a *onboard.Account) { a.StoppedAt, a.Failures = noon, 3 }), admin.Stopped},
		{with(func(a *onboard.Account) { a.Standing, a.StoppedAt = onboard.Refused, noon }), admin.Refused},
		{with(func(a *onboard.Account) { a.Standing, a.StoppedAt = onboard.Revoked, noon }), admin.Withdrawn},
	} {
		if got := admin.StatusOf(tt.a); got != tt.want {
			t.Errorf("StatusOf(%+v) = %v, want %v", tt.a, got, tt.want)
		}
	}
	for _, s := range admin.Statuses() {
		if got := admin.ParseStatus(s.String()); got != s || s.String() == "" {
			t.Errorf("ParseStatus(%q) = %v, want %v", s.String(), got, s)
		}
	}
	for _, s := range []string{"", "OK", "acting", "0"} {
		if got := admin.ParseStatus(s); got != admin.AnyStatus {
			t.Errorf("ParseStatus(%q) = %v, want any", s, got)
		}
	}
	if admin.NeverDone.String() != "" || admin.Status(99).String() != "" {
		t.Error("what is no status has a name")
	}
}

func TestStrip(t *testing.T) {
	var log []admin.Refresh
	add := func(back time.Duration, reason string) { log = admin.AddRefresh(log, noon.Add(-back), reason) }
	add(80*time.Hour, "")
	add(23*time.Hour, "")
	add(13*time.Hour, "api_authorizer_token -1")
	add(13*time.Hour-time.Minute, "api_authorizer_token -1")
	add(13*time.Hour-2*time.Minute, "")
	for i := range 200 {
		add(11*time.Hour-time.Duration(i)*time.Second, fmt.Sprintf("api_authorizer_token -1 rid 65f0-%d", i)) // WeChat's ids differ
	}
	add(time.Minute, "")
	if len(log) != 5 || log[3].Times != 200 || !strings.HasSuffix(log[3].Reason, "-199") {
		t.Errorf("the log of a day is %+v", log)
	}
	var states []admin.CellState
	cells := admin.Strip(log, noon)
	for _, c := range cells {
		states = append(states, c.State)
	}
	// noon is 4:00 UTC: the last cell begins at 4:00 and is empty.
	want := []admin.CellState{0, 0, 0, 0, admin.CellLate, admin.CellFailed, 0, 0, 0, 0, admin.CellOK, 0}
	if len(cells) != 12 || !slices.Equal(states, want) {
		t.Errorf("Strip = %v, want %v", states, want)
	}
	if !cells[11].From.Equal(noon) || !cells[6].From.Equal(noon.Add(-10*time.Hour)) || cells[4].Failures != 2 {
		t.Errorf("Strip = %+v", cells)
	}
	for i := range 500 {
		log = admin.AddRefresh(log, noon.Add(time.Duration(i)*time.Millisecond), []string{"", "a"}[i%2])
	}
	if len(log) > 60 {
		t.Errorf("a log grew to %d entries", len(log))
	}
}
