package onboard

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFoldCode(t *testing.T) {
	tests := []struct{ in, want string }{
		{"7K3M9Q2X", "7K3M9Q2X"}, {"7k3m9q2x", "7K3M9Q2X"}, {"oil0-1", "01101"}, {" 7K3M 9Q2X ", "7K3M9Q2X"},
	}
	for _, tt := range tests {
		if got := foldCode(tt.in); got != tt.want {
			t.Errorf("foldCode(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	for range 100 {
		if c := newCode(8); len(c) != 8 || foldCode(c) != c {
			t.Fatalf("newCode(8) = %q, which does not survive foldCode", c)
		}
	}
}

// TestDueAt holds the spread: every account is refreshed 25 to 60 minutes before
// its end, and a thousand accounts that begin together do not meet again.
func TestDueAt(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	perMinute := make(map[int]int)
	for i := range 1000 {
		id := AppID("wx" + strings.Repeat("0", 13) + string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)}))
		due := dueAt(id, now, 2*time.Hour)
		lead := now.Add(2 * time.Hour).Sub(due)
		if lead < leadLeast || lead > leadMost {
			t.Fatalf("dueAt(%q) leads by %v", id, lead)
		}
		perMinute[int(due.Sub(now)/time.Minute)]++
	}
	for minute, n := range perMinute {
		if n > 60 { // 6 % of all; 29 would be even
			t.Errorf("%d of 1000 refreshes fall into minute %d", n, minute)
		}
	}
	if got := dueAt("wx0", now, 10*time.Minute); !got.Equal(now.Add(5 * time.Minute)) {
		t.Errorf("dueAt of a token that lives 10 minutes = %v, want half its life", got.Sub(now))
	}
}

func TestBackoff(t *testing.T) {
	for tries := range 100 {
		d := backoff(tries, time.Second, time.Minute)
		if d < time.Second/2 || d > time.Minute {
			t.Errorf("backoff(%d) = %v", tries, d)
		}
	}
	if d := backoff(30, time.Second, time.Minute); d < 30*time.Second {
		t.Errorf("backoff(30) = %v, want at least half the limit", d)
	}
}

func TestInOrder(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	batch := []Arrival{
		{ID: 1, AppID: "a", CreatedAt: at(30)}, {ID: 2, AppID: "b", CreatedAt: at(10)},
		{ID: 3, AppID: "a", CreatedAt: at(20)}, {ID: 4, AppID: "a", CreatedAt: at(20)},
		{ID: 5, CodeHash: "x", Type: RedirectEvent, CreatedAt: at(5)},
	}
	var got [][]int64
	for _, g := range inOrder(batch) {
		var ids []int64
		for _, a := range g {
			ids = append(ids, a.ID)
		}
		got = append(got, ids)
	}
	want := [][]int64{{3, 4, 1}, {2}, {5}}
	if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
		t.Errorf("inOrder = %v, want %v", got, want)
	}
}

// TestJudge is the table of verdicts.
func TestJudge(t *testing.T) {
	mini := func(ids ...PermissionID) Grants {
		var g Grants
		for _, id := range ids {
			g = append(g, Grant{ID: id})
		}
		return g
	}
	tests := []struct {
		name     string
		attempt  Attempt
		before   *Account
		grants   Grants
		verdict  Verdict
		standing Standing
		missing  []PermissionID
		added    []PermissionID
		removed  []PermissionID
	}{
		{"first", Attempt{}, nil, mini(17, 18), Connected, Active, nil, nil, nil},
		{"all that was asked", Attempt{Wanted: []PermissionID{17, 18}}, nil, mini(17, 18, 19), Connected, Active, nil, nil, nil},
		{"one left out", Attempt{Wanted: []PermissionID{17, 18, 19}}, nil, mini(17), Missing, Active, []PermissionID{18, 19}, nil, nil},
		{"sets of another kind are not missed", Attempt{Wanted: []PermissionID{1, 17}}, nil, mini(17), Connected, Active, nil, nil, nil},
		{"again, the same", Attempt{}, &Account{Standing: Active, Grants: mini(17)}, mini(17), Already, Active, nil, nil, nil},
		{"again, and no word about sets", Attempt{}, &Account{Standing: Active, Grants: mini(17)}, nil, Already, Active, nil, nil, nil},
		{"again, more and less", Attempt{}, &Account{Standing: Active, Grants: mini(17, 18)}, mini(17, 19), Updated, Active, nil, []PermissionID{19}, []PermissionID{18}},
		{"again, still one missing", Attempt{Wanted: []PermissionID{17, 30}}, &Account{Standing: Active, Grants: mini(17)}, mini(17), Missing, Active, []PermissionID{30}, nil, nil},
		{"back after a withdrawal", Attempt{}, &Account{Standing: Revoked, Grants: mini(17)}, mini(17), Connected, Active, nil, nil, nil},
		{"back after a dead token", Attempt{}, &Account{Standing: NeedsRescan, Grants: mini(17)}, mini(17), Connected, Active, nil, nil, nil},
		{"another account", Attempt{BizAppID: "wxasked", Wanted: []PermissionID{30}}, nil, mini(17), WrongAccount, Quarantined, nil, nil, nil},
		{"another account, served already", Attempt{BizAppID: "wxasked"}, &Account{Standing: Active, Grants: mini(17)}, mini(17), WrongAccount, Active, nil, nil, nil},
		{"another account, in quarantine already", Attempt{BizAppID: "wxasked"}, &Account{Standing: Quarantined, Grants: mini(17)}, mini(17), WrongAccount, Quarantined, nil, nil, nil},
		{"the account in quarantine is asked for", Attempt{ID: "a", BizAppID: "wxcame"}, &Account{Standing: Quarantined, Grants: mini(17)}, mini(17), Connected, Active, nil, nil, nil},
		{"the operator asks for the refused account", Attempt{ID: "a", BizAppID: "wxcame", InvitedBy: "x"}, &Account{Standing: Refused, Grants: mini(17)}, mini(17), Connected, Active, nil, nil, nil},
		{"the merchant asks for the refused account", Attempt{ID: "a", BizAppID: "wxcame"}, &Account{Standing: Refused, Grants: mini(17)}, mini(17), Connected, Quarantined, nil, nil, nil},
		{"the refused account comes through an invite for any", Attempt{ID: "a", InvitedBy: "x"}, &Account{Standing: Refused, Grants: mini(17)}, mini(17), Connected, Quarantined, nil, nil, nil},
		{"the refused account comes again as another", Attempt{ID: "a", BizAppID: "wxasked"}, &Account{Standing: Refused, Grants: mini(17)}, mini(17), WrongAccount, Quarantined, nil, nil, nil},
		{"a change without an attempt, in quarantine", Attempt{}, &Account{Standing: Quarantined, Grants: mini(17)}, mini(17, 18), Updated, Quarantined, nil, []PermissionID{18}, nil},
		{"a change without an attempt, refused", Attempt{}, &Account{Standing: Refused, Grants: mini(17)}, mini(17), Connected, Refused, nil, nil, nil},
		{"an invite that holds", Attempt{ID: "a", Hold: true}, nil, mini(17), Connected, Quarantined, nil, nil, nil},
		{"an invite that holds, served already", Attempt{ID: "a", Hold: true}, &Account{Standing: Active, Grants: mini(17)}, mini(17), Already, Active, nil, nil, nil},
		{"an invite that was taken back", Attempt{ID: "a", CanceledAt: time.Unix(1, 0)}, nil, mini(17), Connected, Quarantined, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := new(Service).judge(tt.attempt, tt.before, Authorization{AppID: "wxcame", Grants: tt.grants}, UnknownKind)
			if r.Verdict != tt.verdict || r.Standing != tt.standing || !slices.Equal(r.Missing, tt.missing) ||
				!slices.Equal(r.Added, tt.added) || !slices.Equal(r.Removed, tt.removed) {
				t.Errorf("judge = %q %q missing %v added %v removed %v; want %q %q %v %v %v",
					r.Verdict, r.Standing, r.Missing, r.Added, r.Removed, tt.verdict, tt.standing, tt.missing, tt.added, tt.removed)
			}
		})
	}
}

func TestBlockedBy(t *testing.T) {
	tests := []struct {
		err  error
		want Key
	}{
		{&UpstreamError{Reaction: AwaitTicket}, KeyBlockedTicket},
		{&UpstreamError{Reaction: Configure, Code: 61004}, KeyBlockedIP},
		{&UpstreamError{Reaction: Configure, Code: 40125}, KeyBlockedCredentials},
		{&UpstreamError{Reaction: Configure, Code: 61028}, KeyBlockedUnpublished},
		{&UpstreamError{Reaction: Quota, Code: 45009}, KeyBlockedQuota},
		{&UpstreamError{Reaction: Backoff}, KeyBlockedWeChat},
		{errors.New("disk"), KeyBlockedWeChat},
		{Errorf(Unavailable, KeyBlockedTicket, "no ticket"), KeyBlockedTicket},
	}
	for _, tt := range tests {
		if got := blockedBy(tt.err); got != tt.want {
			t.Errorf("blockedBy(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

// TestMinted holds the rule of the double tap: one code for presses within two
// seconds, a new one afterwards, and a failure answers for nobody else.
func TestMinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m minted
		calls := 0
		press := func(key string, err error) string {
			link, gotErr := m.do(key, time.Now, func() (string, error) {
				calls++
				return strings.Repeat("x", calls), err
			})
			if !errors.Is(gotErr, err) {
				t.Errorf("do(%q) error = %v, want %v", key, gotErr, err)
			}
			return link
		}
		if a, b := press("h5 1", nil), press("h5 1", nil); a != b || calls != 1 {
			t.Errorf("a double tap gave %q and %q in %d mints", a, b, calls)
		}
		if press("h5 2", nil); calls != 2 {
			t.Errorf("another attempt made %d mints, want 2", calls)
		}
		time.Sleep(doubleTap)
		if press("h5 1", nil); calls != 3 {
			t.Errorf("a press after %v made %d mints, want 3", doubleTap, calls)
		}
		time.Sleep(doubleTap)
		failed := errors.New("no ticket")
		press("h5 1", failed)
		if press("h5 1", nil); calls != 5 {
			t.Errorf("a press after a failure made %d mints, want 5", calls)
		}
	})
}

func TestHub(t *testing.T) {
	var h hub
	a, stopA := h.watch("1")
	b, stopB := h.watch("1")
	other, stopOther := h.watch("2")
	h.wake("1", "1", "")
	for name, ch := range map[string]<-chan struct{}{"first": a, "second": b} {
		select {
		case <-ch:
		default:
			t.Errorf("the %s watcher was not woken", name)
		}
		select {
		case <-ch:
			t.Errorf("the %s watcher was woken twice by a burst", name)
		default:
		}
	}
	select {
	case <-other:
		t.Error("a watcher of another attempt was woken")
	default:
	}
	stopA()
	stopB()
	stopOther()
	if len(h.watchers) != 0 {
		t.Errorf("after all watches ended %d are kept", len(h.watchers))
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(10)
		begin := time.Now()
		for range 11 {
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := time.Since(begin), time.Second; got != want {
			t.Errorf("11 turns at 10 a second took %v, want %v", got, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := p.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait with an ending context = %v", err)
		}
	})
}
