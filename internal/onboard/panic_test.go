package onboard_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/wechat"
)

// bug is a fault of the program that one account brings out, in every call about
// it and in reading its pushes. The value of the panic is a secret.
type bug struct {
	onboard.OpenPlatform
	about string // AppID; empty for none
	calls bool   // in calls to WeChat
	reads bool   // in reading pushes
	hits  int
}

const canary = "refreshtoken@@@of-a-merchant"

func (b *bug) strike(appID onboard.AppID) {
	if b.calls && string(appID) == b.about {
		b.hits++
		panic(canary)
	}
}

func (b *bug) Refresh(ctx context.Context, token secret.Secret, appID onboard.AppID, refresh secret.Secret) (onboard.Tokens, error) {
	b.strike(appID)
	return b.OpenPlatform.Refresh(ctx, token, appID, refresh)
}

func (b *bug) Profile(ctx context.Context, token secret.Secret, appID onboard.AppID) (onboard.Profile, onboard.Grants, secret.Secret, error) {
	b.strike(appID)
	return b.OpenPlatform.Profile(ctx, token, appID)
}

func (b *bug) parse(inner []byte) (onboard.Event, error) {
	if b.reads && bytes.Contains(inner, []byte(b.about)) {
		b.hits++
		panic(canary)
	}
	return wechat.ParseEvent(inner)
}

// buggy runs do in a world with a bug, in virtual time. What was logged must name
// the place of the panic and not its value.
func buggy(t *testing.T, do func(w *world, b *bug)) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w, client := newWorld(t)
		b := &bug{OpenPlatform: client}
		w.svc = onboard.NewService(onboard.Options{AppID: ourAppID, Store: w.db, Platform: b, Parse: b.parse, Hasher: w.db.Hasher(),
			Now: w.ours, PublicURL: "http://site.test", RefreshRate: 1e6, Log: slog.New(slog.NewTextHandler(&log, nil))})
		do(w, b)
		if b.hits == 0 || !strings.Contains(log.String(), "panic_test.go") || strings.Contains(log.String(), canary) {
			t.Errorf("%d panics; the log must say where and must not hold their value:\n%s", b.hits, &log)
		}
	})
}

// handleFor handles arrivals as they fall due, for a time.
func (w *world) handleFor(long time.Duration) {
	w.t.Helper()
	for end := w.now().Add(long); w.now().Before(end); w.pass(30 * time.Second) {
		w.ok(w.svc.HandleArrivals(w.t.Context()))
	}
}

// TestPanic_Arrival: a push at which the program panics is tried six times, with
// growing pauses, and then waits for a person, who reads why and may have it handled
// again. The pushes of others are handled at once, the whole time.
func TestPanic_Arrival(t *testing.T) {
	buggy(t, func(w *world, b *bug) {
		b.about, b.reads = simulator.TeaHouse, true
		for _, id := range []string{simulator.TeaHouse, simulator.Takeaway, simulator.Personal} {
			w.ok(w.sim.AuthorizeSilently(w.t.Context(), id, nil))
		}
		w.ok(w.svc.HandleArrivals(w.t.Context()))
		w.agrees(simulator.Takeaway)
		w.agrees(simulator.Personal)
		if h, err := w.db.Health(w.t.Context(), w.now()); err != nil || h.Waiting != 1 || h.Parked != 0 || b.hits != 1 {
			w.t.Fatalf("after %d panics %d arrivals wait and %d are parked, %v; want one to wait", b.hits, h.Waiting, h.Parked, err)
		}
		w.ok(w.svc.HandleArrivals(w.t.Context()))
		if b.hits != 1 {
			w.t.Error("it is tried again without a pause")
		}
		w.handleFor(time.Hour)
		h, err := w.db.Health(w.t.Context(), w.now())
		if err != nil || h.Waiting != 0 || h.Parked != 1 || b.hits != 6 {
			w.t.Errorf("after %d panics %d arrivals wait and %d are parked, %v; want it parked after 6", b.hits, h.Waiting, h.Parked, err)
		}
		w.ok(w.sim.Revoke(w.t.Context(), simulator.Takeaway))
		w.ok(w.svc.HandleArrivals(w.t.Context()))
		w.agrees(simulator.Takeaway)

		b.reads = false // the program is mended
		events, err := w.db.Events(w.t.Context(), admin.EventFilter{Result: admin.EventFailed, Limit: 10})
		if err != nil || len(events) != 1 || events[0].Reason != "internal" || events[0].AppID != simulator.TeaHouse || events[0].Tries != 6 {
			w.t.Fatalf("Events = %+v, %v; want the one that failed, with the reason", events, err)
		}
		if ok, err := w.svc.HandleAgain(w.t.Context(), events[0].ID); err != nil || !ok {
			w.t.Fatalf("HandleAgain = %v, %v", ok, err)
		}
		w.agrees(simulator.TeaHouse)
	})
}

// TestPanic_Profile: an account whose details the program does not survive is
// authorized all the same; the details of the others are read.
func TestPanic_Profile(t *testing.T) {
	buggy(t, func(w *world, b *bug) {
		b.about, b.calls = simulator.TeaHouse, true
		w.fault(simulator.Fault{Kind: simulator.BadGateway, Path: infoPath})
		for _, id := range []string{simulator.TeaHouse, simulator.Takeaway, simulator.Personal} {
			w.ok(w.sim.AuthorizeSilently(w.t.Context(), id, nil))
		}
		w.handleFor(2 * time.Minute)
		w.agrees(simulator.TeaHouse)
		w.fault()
		w.pass(2 * time.Minute)
		w.ok(w.svc.ReadProfiles(w.t.Context()))
		for id, known := range map[onboard.AppID]bool{simulator.TeaHouse: false, simulator.Takeaway: true, simulator.Personal: true} {
			if a, err := w.db.Account(w.t.Context(), id); err != nil || !a.ProfileAt.IsZero() != known {
				w.t.Errorf("the profile of %s was read at %v, %v; want that it was: %v", id, a.ProfileAt, err, known)
			}
		}
		b.calls = false
		w.pass(2 * time.Minute)
		w.ok(w.svc.ReadProfiles(w.t.Context()))
		if a, err := w.db.Account(w.t.Context(), simulator.TeaHouse); err != nil || a.ProfileAt.IsZero() {
			w.t.Errorf("Account = %+v, %v; want the profile read after the program was mended", a, err)
		}
	})
}

// TestPanic_Refresh: a token whose refresh panics is tried again with growing
// pauses, counted, and says so to an admin; the others are refreshed, and nobody is
// told to scan again. A reader gets an answer too.
func TestPanic_Refresh(t *testing.T) {
	buggy(t, func(w *world, b *bug) {
		w.authorize(simulator.TeaHouse, simulator.Takeaway, simulator.Personal)
		b.about, b.calls = simulator.TeaHouse, true
		for range 5 {
			w.upkeep(2 * time.Hour)
			w.keepTicket()
		}
		for _, id := range []string{simulator.Takeaway, simulator.Personal} {
			if !w.serves(id) {
				w.t.Errorf("%s is not served: another account holds it up", id)
			}
		}
		if w.serves(simulator.TeaHouse) {
			w.t.Error("a token is served that could not be refreshed for hours")
		}
		a, err := w.db.Account(w.t.Context(), simulator.TeaHouse)
		if err != nil || a.Standing != onboard.Active || a.LastError != "internal" || a.Failures < 20 || b.hits > 10*60 {
			w.t.Errorf("after %d panics: %s, %d failures, last %q, %v; want it active, the failures counted, with pauses", b.hits, a.Standing, a.Failures, a.LastError, err)
		}
		b.calls = false
		w.upkeep(15 * time.Minute)
		if !w.serves(simulator.TeaHouse) {
			w.t.Error("it is not served after the program was mended")
		}
	})
}

// TestPanic_Sweep: an account at which a sweep panics is counted as a failure of
// that account; the others are set right.
func TestPanic_Sweep(t *testing.T) {
	buggy(t, func(w *world, b *bug) {
		fourDifferences(w)
		b.about, b.calls = changed, true
		swept, err := w.svc.Sweep(w.t.Context())
		if err != nil || swept.Failures != 1 || swept.Added != 2 || swept.Revoked != 1 {
			w.t.Errorf("Sweep = %+v, %v; want 2 added, 1 revoked and 1 failure", swept, err)
		}
		for _, id := range []string{kept, gone, unknown, again} {
			w.agrees(id)
		}
		b.calls = false
		w.pass(10 * time.Minute)
		w.ok(w.svc.KeepSwept(w.t.Context()))
		w.agrees(changed)
	})
}
