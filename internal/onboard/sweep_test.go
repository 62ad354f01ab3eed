package onboard_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

const (
	kept, changed, gone = simulator.TeaHouse, simulator.Takeaway, simulator.ServiceAccount
	unknown, again      = simulator.Subscription, simulator.Personal
)

// fourDifferences leaves an account of each kind that no push tells of, beside
// one that is right.
func fourDifferences(w *world) {
	w.t.Helper()
	ctx := w.t.Context()
	w.authorize(kept, changed, gone, again)
	w.pass(time.Hour)
	w.ok(w.sim.PushTicket(ctx))
	w.ok(w.sim.Revoke(ctx, again))
	w.ok(w.svc.HandleArrivals(ctx))
	w.agrees(again)
	w.pass(time.Minute)
	w.untold(func() error {
		return errors.Join(
			w.sim.ReplaceRefreshToken(changed),
			w.sim.Revoke(ctx, gone),
			w.sim.AuthorizeSilently(ctx, unknown, nil),
			w.sim.AuthorizeSilently(ctx, again, nil))
	})
	w.pass(10 * time.Minute)
}

func describe(d onboard.Diff) string {
	text := fmt.Sprintf("%d listed, %d held", d.Listed, d.Held)
	for _, x := range d.Differences {
		text += fmt.Sprintf("; %s %s %q", x.Kind, x.AppID, x.Standing)
		if x.Young {
			text += " young"
		}
	}
	return text
}

// TestSweep: one sweep makes the store agree with WeChat, whatever no push told,
// and the next finds nothing to do.
func TestSweep(t *testing.T) {
	w, _ := newWorld(t)
	fourDifferences(w)
	d, err := w.svc.Diff(t.Context())
	w.ok(err)
	want := fmt.Sprintf(`4 listed, 3 held; added %s ""; added %s "revoked"; changed %s "active"; gone %s "active"`, unknown, again, changed, gone)
	if got := describe(d); got != want {
		t.Errorf("Diff = %s, want %s", got, want)
	}
	before := w.sim.Calls(refreshPath)
	swept, err := w.svc.Sweep(t.Context())
	w.ok(err)
	if swept.Listed != 4 || swept.Added != 2 || swept.Repaired != 1 || swept.Revoked != 1 || swept.Postponed+swept.Failures != 0 {
		t.Errorf("Sweep = %+v, want 2 added, 1 repaired, 1 revoked", swept)
	}
	if n := w.sim.Calls(refreshPath) - before; n != 3 {
		t.Errorf("%d refreshes, want one proof for each of 3 accounts", n)
	}
	for _, id := range []string{kept, changed, gone, unknown, again} {
		w.agrees(id)
	}
	calls := len(w.sim.Truth().Calls)
	lists, infos := w.sim.Calls(listPath), w.sim.Calls(infoPath)
	if swept, err = w.svc.Sweep(t.Context()); err != nil || swept.Added+swept.Repaired+swept.Revoked+swept.Postponed+swept.Failures != 0 {
		t.Errorf("second Sweep = %+v, %v; want nothing to do", swept, err)
	}
	if len(w.sim.Truth().Calls) != calls || w.sim.Calls(listPath) != lists+1 || w.sim.Calls(infoPath) != infos {
		t.Error("a sweep that finds nothing costs more than reading the list")
	}
	state, err := w.db.SweepState(t.Context())
	if err != nil || !state.At.Equal(w.now()) {
		t.Errorf("SweepState = %+v, %v; want %v", state, err, w.now())
	}
}

// TestDiff_ChangesNothing: the dry run is one.
func TestDiff_ChangesNothing(t *testing.T) {
	w, _ := newWorld(t)
	fourDifferences(w)
	before, err := w.db.Holdings(t.Context())
	w.ok(err)
	calls := w.sim.Calls(refreshPath) + w.sim.Calls(infoPath)
	for range 2 {
		d, err := w.svc.Diff(t.Context())
		if err != nil || len(d.Differences) != 4 {
			t.Errorf("Diff = %s, %v; want 4 differences", describe(d), err)
		}
	}
	after, err := w.db.Holdings(t.Context())
	w.ok(err)
	if fmt.Sprint(before) != fmt.Sprint(after) || w.sim.Calls(refreshPath)+w.sim.Calls(infoPath) != calls {
		t.Errorf("Diff changed %v into %v", before, after)
	}
}

// TestSweep_PartialList: a list that is not read to its end proves nothing.
func TestSweep_PartialList(t *testing.T) {
	w, _ := newWorld(t)
	fourDifferences(w)
	before, err := w.db.Holdings(t.Context())
	w.ok(err)
	for _, kind := range []simulator.FaultKind{simulator.ErrCode, simulator.HTML, simulator.BadGateway, simulator.ResetBefore, simulator.ResetAfter, simulator.Truncated} {
		w.ok(w.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: kind, Path: listPath}}}))
		if swept, err := w.svc.Sweep(t.Context()); err == nil {
			t.Errorf("Sweep with %s = %+v, nil; want an error", kind, swept)
		}
		after, err := w.db.Holdings(t.Context())
		w.ok(err)
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("a list that broke off by %s changed %v into %v", kind, before, after)
		}
	}
	if state, err := w.db.SweepState(t.Context()); err != nil || !state.At.IsZero() {
		t.Errorf("SweepState = %+v, %v; want that of no sweep", state, err)
	}
}

// TestSweep_ListThatLags: a list that does not have an account yet, or has one
// still, is not believed against WeChat's own details.
func TestSweep_ListThatLags(t *testing.T) {
	w, client := newWorld(t)
	w.authorize(kept, gone)
	w.pass(time.Hour)
	w.ok(w.sim.PushTicket(t.Context()))
	var old []onboard.Authorizer
	client.list = func(rows []onboard.Authorizer) []onboard.Authorizer { old = rows; return rows[:1] }
	swept, err := w.svc.Sweep(t.Context())
	if err != nil || swept.Postponed != 1 || swept.Revoked != 0 {
		t.Errorf("Sweep with a row missing = %+v, %v; want it postponed", swept, err)
	}
	w.agrees(kept)
	w.agrees(gone)
	w.ok(w.sim.Revoke(t.Context(), gone))
	w.ok(w.svc.HandleArrivals(t.Context()))
	client.list = func([]onboard.Authorizer) []onboard.Authorizer { return old }
	swept, err = w.svc.Sweep(t.Context())
	if err != nil || swept.Added+swept.Repaired != 0 {
		t.Errorf("Sweep with a row too many = %+v, %v; want nothing added", swept, err)
	}
	w.agrees(gone)
}

// TestSweep_TokenMustWork: a token that the list tells is not stored before it
// worked.
func TestSweep_TokenMustWork(t *testing.T) {
	w, client := newWorld(t)
	w.authorize(kept)
	client.list = func(rows []onboard.Authorizer) []onboard.Authorizer {
		rows[0].Refresh = secret.New("refreshtoken@@@of-somebody-else")
		return rows
	}
	w.pass(10 * time.Minute)
	swept, err := w.svc.Sweep(t.Context())
	w.ok(err)
	if swept.Failures != 0 {
		t.Errorf("Sweep = %+v; the stored token works and settles it", swept)
	}
	w.agrees(kept)
	w.ok(w.sim.KillRefreshToken(kept))
	held, err := w.db.Credentials(t.Context(), kept)
	w.ok(err)
	if swept, err = w.svc.Sweep(t.Context()); err != nil || swept.Failures != 1 {
		t.Errorf("Sweep = %+v, %v; want a failure of the account alone", swept, err)
	}
	if c, err := w.db.Credentials(t.Context(), kept); err != nil || c.Refresh != held.Refresh || c.Standing != onboard.Active {
		t.Errorf("after a token that never worked: %v %s, %v; want what was held", c.Refresh, c.Standing, err)
	}
}

// TestSweep_Young: what was authorized a moment ago is left to its push, which
// knows the attempt, and is looked at two minutes later.
func TestSweep_Young(t *testing.T) {
	w, _ := newWorld(t)
	w.untold(func() error { return w.sim.AuthorizeSilently(t.Context(), unknown, nil) })
	w.ok(w.svc.KeepSwept(t.Context()))
	if _, err := w.db.Account(t.Context(), unknown); !errors.Is(err, onboard.ErrNoRow) {
		t.Errorf("Account = %v while its push may be on its way, want none", err)
	}
	w.pass(2*time.Minute + time.Second)
	w.ok(w.svc.KeepSwept(t.Context()))
	w.agrees(unknown)
}

// TestKeepSwept sweeps when the program begins and every six hours.
func TestKeepSwept(t *testing.T) {
	w, _ := newWorld(t)
	want := 0
	turn := func(after time.Duration, swept bool) {
		t.Helper()
		w.pass(after)
		w.ok(w.sim.PushTicket(t.Context()))
		w.ok(w.svc.HandleArrivals(t.Context()))
		w.ok(w.svc.KeepSwept(t.Context()))
		if swept {
			want++
		}
		if got := w.sim.Calls(listPath); got != want {
			t.Errorf("%v later the list was read %d times, want %d", after, got, want)
		}
	}
	turn(0, true)
	turn(5*time.Second, false)
	turn(5*time.Hour, false)
	turn(time.Hour, true)
	turn(time.Minute, false)
	w.ok(w.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.BadGateway, Path: listPath}}}))
	w.pass(6 * time.Hour)
	for range 5 {
		if err := w.svc.KeepSwept(t.Context()); err != nil {
			want++
		}
	}
	if got := w.sim.Calls(listPath); got != want {
		t.Errorf("the list was read %d times while it fails, want %d", got, want)
	}
	w.ok(w.sim.SetFaults(simulator.Faults{}))
	turn(time.Minute, true)
}

// TestSweep_Unverified: after a restore no token is served until a sweep is
// through, but for those that WeChat gave since.
func TestSweep_Unverified(t *testing.T) {
	key := secret.NewKey()
	w, _ := newCrowdedWorld(t, 0, key)
	w.authorize(kept)
	w.ok(w.db.MarkRestored(t.Context()))
	w.end()
	w.begin(key)
	w.ticket()
	_, _, err := w.svc.AccessToken(t.Context(), kept)
	if kind, _ := onboard.Explain(err); err == nil || kind != onboard.Unavailable {
		t.Errorf("AccessToken of an unverified store = %v, want Unavailable", err)
	}
	w.authorize(gone)
	if token, _, err := w.svc.AccessToken(t.Context(), gone); err != nil || !w.sim.Works(token.Reveal()) {
		t.Errorf("AccessToken of one who authorized since = %v, want a token that works", err)
	}
	// Nor is any refreshed: an old refresh token would only be refused.
	w.pass(2 * time.Hour)
	w.ok(w.sim.PushTicket(t.Context()))
	w.ok(w.svc.HandleArrivals(t.Context()))
	calls := w.sim.Calls(refreshPath)
	w.ok(w.svc.KeepFresh(t.Context()))
	if n := w.sim.Calls(refreshPath) - calls; n != 0 {
		t.Errorf("KeepFresh of an unverified store refreshed %d accounts, want none", n)
	}
	w.ok(w.svc.KeepSwept(t.Context()))
	if _, _, err := w.svc.AccessToken(t.Context(), kept); err != nil {
		t.Errorf("AccessToken after a sweep = %v, want nil", err)
	}
}

// TestSweep_Quarantined: an account that was not asked for stays out of service
// when its token is repaired.
func TestSweep_Quarantined(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept)
	a, err := w.db.Account(t.Context(), kept)
	w.ok(err)
	claim, err := w.db.ClaimExchange(t.Context(), "code", "", w.now(), w.now().Add(time.Minute))
	w.ok(err)
	_, err = w.db.SaveRevoked(t.Context(), kept, a.AuthorizedAt, w.now())
	w.ok(err)
	_, err = w.db.FinishExchange(t.Context(), onboard.Arrived{CodeHash: "code", Fence: claim.Fence, AppID: kept, Grants: a.Grants, Standing: onboard.Quarantined,
		Tokens: onboard.Tokens{Access: secret.New("a"), Refresh: secret.New("dead"), Life: time.Hour}, At: a.AuthorizedAt.Add(time.Minute), DueAt: w.now().Add(time.Hour), Now: w.now()})
	w.ok(err)
	w.pass(10 * time.Minute)
	if swept, err := w.svc.Sweep(t.Context()); err != nil || swept.Repaired != 1 {
		t.Errorf("Sweep = %+v, %v; want 1 repaired", swept, err)
	}
	truth, _ := w.sim.Account(kept)
	c, err := w.db.Credentials(t.Context(), kept)
	if err != nil || c.Standing != onboard.Quarantined || c.Refresh.Reveal() != truth.RefreshToken {
		t.Errorf("Credentials = %s %v, %v; want it quarantined with WeChat's token", c.Standing, c.Refresh, err)
	}
}

// TestSweep_Hiccups: single answers that cannot be read do not end a sweep; WeChat's
// being away does, after a few calls.
func TestSweep_Hiccups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ids := crowded(t, 60, 0, secret.NewKey())
		for _, id := range ids {
			w.ok(w.sim.ReplaceRefreshToken(id))
		}
		w.fault(simulator.Fault{Kind: simulator.Truncated, Percent: 8, Path: refreshPath}, simulator.Fault{Kind: simulator.HTML, Percent: 8, Path: infoPath})
		swept, err := w.svc.Sweep(t.Context())
		if swept.Repaired < 50 {
			t.Errorf("Sweep = %+v, %v; want most of 60 repaired although a seventh of the tries fails", swept, err)
		}
		w.fault()
		w.pass(10 * time.Minute)
		w.ok(w.svc.KeepSwept(t.Context()))
		for _, id := range ids {
			w.agrees(id)
			w.ok(w.sim.ReplaceRefreshToken(id))
		}
		w.fault(simulator.Fault{Kind: simulator.BadGateway, Path: infoPath})
		calls := w.sim.Calls(infoPath)
		swept, err = w.svc.Sweep(t.Context())
		if n := w.sim.Calls(infoPath) - calls; err == nil || swept.Repaired != 0 || n > 20 {
			t.Errorf("Sweep = %+v, %v after %d calls; want it to stop, because WeChat is away", swept, err, n)
		}
	})
}
