package onboard_test

import (
	"slices"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

// due lets the next turn of upkeep refresh every account.
func (w *world) due() {
	w.pass(119 * time.Minute)
	w.t.Helper()
	w.ok(w.sim.PushTicket(w.t.Context()))
	w.ok(w.svc.HandleArrivals(w.t.Context()))
	w.ok(w.svc.KeepPlatform(w.t.Context()))
	w.ok(w.svc.KeepFresh(w.t.Context()))
}

// TestLadder: a refresh token that died is replaced from whichever place tells
// the one that lives, with no merchant asked to scan again.
func TestLadder(t *testing.T) {
	tests := []struct {
		name       string
		list, info bool // which of them tells the token
		works      bool
	}{
		{"list", true, false, true},
		{"details", false, true, true},
		{"both", true, true, true},
		{"neither", false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, _ := newWorld(t)
			w.authorize(kept)
			w.ok(w.sim.ReplaceRefreshToken(kept))
			w.sim.Change(func(o *simulator.Options) { o.ListOmitsRefreshToken, o.InfoOmitsRefreshToken = !tt.list, !tt.info })
			calls := w.sim.Calls(refreshPath)
			w.due()
			if tt.works {
				w.agrees(kept)
			}
			if n := w.sim.Calls(refreshPath) - calls; n > 3 {
				t.Errorf("%d refreshes for one account, want at most 3", n)
			}
			// Nothing is proven while the list has the account.
			if a, err := w.db.Account(t.Context(), kept); err != nil || a.Standing != onboard.Active {
				t.Errorf("Account = %s, %v; want it active", a.Standing, err)
			}
		})
	}
}

// TestLadder_KeptToken: the last rung are the tokens that were replaced by one
// that never worked.
func TestLadder_KeptToken(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept)
	a, err := w.db.Account(t.Context(), kept)
	w.ok(err)
	for _, dead := range []string{"dead 1", "dead 2"} {
		_, err = w.db.SaveRecovered(t.Context(), onboard.Arrived{AppID: kept, Grants: a.Grants, Standing: onboard.Active,
			Tokens: onboard.Tokens{Access: secret.New("a"), Refresh: secret.New(dead), Life: time.Hour}, At: a.AuthorizedAt, DueAt: w.now().Add(time.Hour), Now: w.now()})
		w.ok(err)
	}
	w.sim.Change(func(o *simulator.Options) { o.ListOmitsRefreshToken, o.InfoOmitsRefreshToken = true, true })
	w.due()
	w.agrees(kept)
}

// TestLadder_Regrant: a token that the list told may be of another authorization
// than the one that is stored, so its grants come with it.
func TestLadder_Regrant(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept)
	w.pass(time.Minute)
	w.untold(func() error { return w.sim.ChangePermissions(t.Context(), kept, []int{17, 18}) })
	w.due()
	w.agrees(kept)
	changes, err := w.db.GrantChanges(t.Context(), kept, 9)
	if err != nil || len(changes) != 1 || len(changes[0].Removed) == 0 {
		t.Errorf("GrantChanges = %+v, %v; want the one that no push told", changes, err)
	}
}

// TestLadder_RescanNeedsProof: only the absence from the whole list, or three
// days of failures, makes a merchant scan again; and a sweep undoes it when the
// list has the account after all.
func TestLadder_RescanNeedsProof(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept, gone)
	w.ok(w.sim.KillRefreshToken(kept))
	w.untold(func() error { return w.sim.Revoke(t.Context(), gone) })
	w.due()
	standing := func(appID onboard.AppID) onboard.Standing {
		t.Helper()
		a, err := w.db.Account(t.Context(), appID)
		w.ok(err)
		return a.Standing
	}
	if got := standing(gone); got != onboard.NeedsRescan {
		t.Errorf("an account that the list lacks is %s, want rescan", got)
	}
	for day := range 4 {
		if got := standing(kept); got != onboard.Active {
			t.Errorf("on day %d a listed account is %s, want active", day, got)
		}
		w.pass(22 * time.Hour)
		w.due()
	}
	if got := standing(kept); got != onboard.NeedsRescan {
		t.Errorf("after three days of refusals it is %s, want rescan", got)
	}
	w.ok(w.sim.ReplaceRefreshToken(kept))
	w.ok(w.svc.KeepSwept(t.Context()))
	w.agrees(kept)
	w.agrees(gone)
}

// TestLadder_ListThatLies refuses a refresh token falsely while the list does not
// have the account, though WeChat gives its details: that is no proof.
func TestLadder_ListThatLies(t *testing.T) {
	w, client := newWorld(t)
	w.authorize(kept)
	client.list = func(rows []onboard.Authorizer) []onboard.Authorizer {
		rows = slices.Clone(rows)
		for i := range rows {
			if rows[i].AppID == kept {
				rows[i].AppID = unknown
			}
		}
		return rows
	}
	w.ok(w.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.ErrCode, Code: 61023, Path: refreshPath, Next: 1}}}))
	lists, infos := w.sim.Calls(listPath), w.sim.Calls(infoPath)
	w.due()
	if w.sim.Calls(listPath) == lists || w.sim.Calls(infoPath) == infos {
		t.Error("the list and the details were not asked")
	}
	if a, err := w.db.Account(t.Context(), kept); err != nil || a.Standing != onboard.Active {
		t.Errorf("the account is %s, %v; want active", a.Standing, err)
	}
	client.list = nil
	w.pass(10 * time.Minute)
	w.ticket()
	w.due()
	w.agrees(kept)
}
