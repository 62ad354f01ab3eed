package onboard_test

import (
	"net/url"
	"path"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

const exchangePath = "/cgi-bin/component/api_query_auth"

// comeBack walks a merchant through an attempt for one account, or any, and back
// to us. No push tells of it.
func (w *world) comeBack(account, wanted onboard.AppID) (attempt string) {
	w.t.Helper()
	ctx := w.t.Context()
	a, err := w.svc.Begin(ctx, onboard.Wish{AuthType: onboard.AllAccounts, BizAppID: wanted, Language: "zh-CN"})
	w.ok(err)
	link, err := w.svc.HandOff(ctx, a.ID, onboard.PC, "session")
	w.ok(err)
	var back *url.URL
	w.untold(func() error {
		redirect, err := w.sim.Consent(simulator.Consent{Link: link, AppID: string(account)})
		w.ok(err)
		back, err = url.Parse(redirect)
		return err
	})
	w.lose()
	id, err := w.svc.Redirected(ctx, path.Base(back.Path), secret.New(back.Query().Get("auth_code")))
	w.ok(err)
	return id
}

// lose lets WeChat spend the next code and its answer get lost.
func (w *world) lose() {
	w.t.Helper()
	w.ok(w.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.ResetAfter, Path: exchangePath, Next: 1}}}))
}

// again lets the arrivals that wait for another try have it.
func (w *world) again(times int) {
	w.t.Helper()
	w.svc.Wait() // a try that ends after time has passed would wait from then on
	for range times {
		w.pass(11 * time.Minute)
		w.ok(w.svc.HandleArrivals(w.t.Context()))
	}
}

// TestRecover_OneAccount: the answer to the exchange and the push are both lost.
// The attempt was for one account, so WeChat's list has the rest.
func TestRecover_OneAccount(t *testing.T) {
	w, _ := newWorld(t)
	id := w.comeBack(kept, kept)
	w.again(1)
	a, err := w.svc.Attempt(t.Context(), id)
	if err != nil || a.AppID != kept || a.Verdict != onboard.Connected {
		t.Errorf("Attempt = %q %q, %v; want it connected with %s", a.AppID, a.Verdict, err, kept)
	}
	w.agrees(kept)
	if n := w.sim.Calls(exchangePath); n != 2 {
		t.Errorf("%d exchanges, want the same code twice", n)
	}
}

// TestRecover_ListIsAway: while WeChat's list does not answer, the code that is known
// to be spent is not sent again, and nobody is asked to begin again.
func TestRecover_ListIsAway(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	w.fault(simulator.Fault{Kind: simulator.ResetAfter, Path: exchangePath, Next: 1},
		simulator.Fault{Kind: simulator.HTML, Path: "/cgi-bin/component/api_get_authorizer_list"})
	a, err := w.svc.Begin(ctx, onboard.Wish{AuthType: onboard.AllAccounts, Language: "zh-CN"})
	w.ok(err)
	link, err := w.svc.HandOff(ctx, a.ID, onboard.PC, "session")
	w.ok(err)
	_, err = w.sim.Consent(simulator.Consent{Link: link, AppID: kept}) // the browser does not come back
	w.ok(err)
	w.ok(w.sim.Deliver(ctx))
	w.again(3)
	a, err = w.svc.Attempt(ctx, a.ID)
	if err != nil || !a.FinishedAt.IsZero() || a.Blocked == "" || a.Blocked == onboard.KeyCodeSpent {
		t.Errorf("Attempt = finished at %v, blocked by %q, %v; want it blocked by what passes", a.FinishedAt, a.Blocked, err)
	}
	w.fault()
	w.again(2)
	w.agrees(kept)
	if a, err = w.svc.Attempt(ctx, a.ID); err != nil || a.AppID != kept || a.Verdict != onboard.Connected {
		t.Errorf("Attempt = %q %q, %v; want it connected with %s", a.AppID, a.Verdict, err, kept)
	}
	if n := w.sim.Calls(exchangePath); n != 2 {
		t.Errorf("%d exchanges, want the same code twice", n)
	}
}

// TestRecover_Newer: what the list gives for the spent code of an authorization may
// be the tokens of a later one. The push of one in between, whose code still works,
// does not replace them.
func TestRecover_Newer(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	var pushes []told
	w.intercept = func(query string, body []byte) { pushes = append(pushes, told{query, body}) }
	for _, sets := range [][]int{{17}, {17, 18}, {17, 18, 25}} {
		w.ok(w.sim.AuthorizeSilently(ctx, kept, sets))
		w.pass(15 * time.Minute)
	}
	if len(pushes) != 3 {
		t.Fatalf("%d pushes, want one for each authorization", len(pushes))
	}
	w.lose()
	for _, p := range pushes[:2] {
		w.ok(w.receive(ctx, p.query, p.body))
		w.again(1)
	}
	w.agrees(kept)
	for _, p := range pushes {
		w.ok(w.receive(ctx, p.query, p.body))
	}
	w.again(1)
	w.agrees(kept)
}

// TestRecover_AnyAccount: nobody says whose the spent code was. The attempt asks
// to begin again, and the next sweep keeps the account all the same.
func TestRecover_AnyAccount(t *testing.T) {
	w, _ := newWorld(t)
	id := w.comeBack(kept, "")
	w.again(1)
	a, err := w.svc.Attempt(t.Context(), id)
	if err != nil || a.Blocked != onboard.KeyCodeSpent {
		t.Errorf("Attempt = %q, %v; want it blocked by a spent code", a.Blocked, err)
	}
	_, err = w.svc.Sweep(t.Context())
	w.ok(err)
	w.agrees(kept)
}

// TestRecover_ForeignCode: a code that WeChat refuses at the first try was not
// spent by us. An attempt that names somebody's account is not given it.
func TestRecover_ForeignCode(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept)
	ctx := t.Context()
	a, err := w.svc.Begin(ctx, onboard.Wish{AuthType: onboard.AllAccounts, BizAppID: kept, Language: "zh-CN"})
	w.ok(err)
	link, err := w.svc.HandOff(ctx, a.ID, onboard.PC, "session")
	w.ok(err)
	to, err := url.Parse(link)
	w.ok(err)
	back, err := url.Parse(to.Query().Get("redirect_uri"))
	w.ok(err)
	_, err = w.svc.Redirected(ctx, path.Base(back.Path), secret.New("queryauthcode@@@made-up"))
	w.ok(err)
	w.again(2)
	if a, err = w.svc.Attempt(ctx, a.ID); err != nil || !a.FinishedAt.IsZero() || a.Blocked != onboard.KeyCodeSpent {
		t.Errorf("Attempt = %q blocked by %q, %v; want it not finished and blocked by a spent code", a.AppID, a.Blocked, err)
	}
}

// TestRecover_Withdrawn: the merchant withdrew before the code was exchanged, and
// the push of that is lost. WeChat's list settles it; nobody has to look at it.
func TestRecover_Withdrawn(t *testing.T) {
	w, _ := newWorld(t)
	w.ok(w.sim.AuthorizeSilently(t.Context(), kept, nil))
	w.untold(func() error { return w.sim.Revoke(t.Context(), kept) })
	w.again(12)
	h, err := w.db.Health(t.Context(), w.now())
	if err != nil || h.Waiting != 0 || h.Parked != 0 {
		t.Errorf("%d arrivals wait and %d are parked, %v; want none", h.Waiting, h.Parked, err)
	}
	if _, err := w.db.Account(t.Context(), kept); err == nil {
		w.agrees(kept)
	}
}

// TestRecover_EmptyTokens: an answer to the exchange whose tokens are empty looks like
// that of an account without API permission. The account's details tell better, so it
// is served at once; an account that really has no permission stays without.
func TestRecover_EmptyTokens(t *testing.T) {
	w, _ := newWorld(t)
	w.fault(simulator.Fault{Kind: simulator.EmptyToken, Path: exchangePath, Next: 1})
	w.authorize(simulator.TeaHouse)
	w.authorize(simulator.NoAPI)
	if !w.serves(simulator.TeaHouse) {
		t.Error("no token is served of an account whose exchange brought empty ones")
	}
	_, _, err := w.svc.AccessToken(t.Context(), simulator.NoAPI)
	if _, key := onboard.Explain(err); key != onboard.KeyNoAPI {
		t.Errorf("AccessToken of an account without API permission = %v", err)
	}
}
