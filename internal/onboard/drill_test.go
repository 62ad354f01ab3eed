package onboard_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/store"
)

// drillAccounts is how many accounts the drills have: 1,000 in the long form.
func drillAccounts() int {
	if os.Getenv("USHER_LONG") != "" {
		return 1000
	}
	return 100
}

// crowded begins a world in which the first n of a crowd have authorized.
func crowded(t *testing.T, n, beside int, key string) (w *world, ids []string) {
	t.Helper()
	w, _ = newCrowdedWorld(t, n+beside, key)
	for i := range n {
		ids = append(ids, simulator.CrowdAppID(i))
	}
	w.authorize(ids...)
	w.pass(10 * time.Minute)
	return w, ids
}

// denied checks that no token is served.
func (w *world) denied(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		token, _, err := w.svc.AccessToken(w.t.Context(), onboard.AppID(id))
		if kind, _ := onboard.Explain(err); err == nil || kind != onboard.Unavailable {
			w.t.Fatalf("AccessToken(%s) = %v, %v before a sweep; want Unavailable", id, token, err)
		}
	}
}

// served checks that every account that is authorized is served with a token that
// works, and no other.
func (w *world) served(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		truth, _ := w.sim.Account(id)
		token, _, err := w.svc.AccessToken(w.t.Context(), onboard.AppID(id))
		switch {
		case !truth.Authorized && err == nil:
			w.t.Errorf("%s withdrew and is served", id)
		case truth.Authorized && (err != nil || !w.sim.Works(token.Reveal())):
			w.t.Errorf("AccessToken(%s) = %v, %v; want one that works", id, token, err)
		}
		w.agrees(id)
	}
}

// oneSweep lets the worker sweep once and checks what it cost.
func (w *world) oneSweep(accounts int) {
	w.t.Helper()
	lists := w.sim.Calls(listPath)
	w.ok(w.svc.KeepSwept(w.t.Context()))
	if n, most := w.sim.Calls(listPath)-lists, (accounts+499)/500; n > most || n > 3*(accounts/1000+1) {
		w.t.Errorf("the sweep of %d accounts read %d pages of the list, want %d", accounts, n, most)
	}
	if state, err := w.db.SweepState(w.t.Context()); err != nil || state.Unverified {
		w.t.Errorf("SweepState = %+v, %v after a sweep", state, err)
	}
}

// timed runs a second life of the service in virtual time, and bounds what it takes
// to serve every account again at the pace of a real one, which is 20 calls a second.
func (w *world) timed(life func(t *testing.T)) {
	synctest.Test(w.t, func(t *testing.T) {
		outer := w.t
		w.t, w.rate = t, 20
		begun := time.Now()
		life(t)
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("%d accounts are served again after %v, want a minute at most", drillAccounts(), took)
		} else {
			t.Logf("%d accounts are served again after %v", drillAccounts(), took.Round(100*time.Millisecond))
		}
		w.end()
		w.t = outer
	})
}

// hostileDrill is a second life of the service while WeChat is hostile. Nothing is
// served until a sweep was through, however often it is broken off; one sweep after
// WeChat has calmed down everything is as WeChat has it. begin starts the life.
func (w *world) hostileDrill(ids []string, begin func()) {
	synctest.Test(w.t, func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("again with USHER_SEED=%d", w.sim.Truth().Seed)
			}
		})
		outer := w.t
		w.t = t
		begin()
		w.misbehave()
		turn := 0
		for ; ; turn++ {
			w.denied(ids[:3]...)
			if turn%10 == 0 {
				w.ticket()
			}
			within, cancel := context.WithTimeout(t.Context(), time.Minute)
			broken := w.svc.KeepSwept(within)
			cancel()
			state, err := w.db.SweepState(t.Context())
			if w.ok(err); !state.Unverified {
				break
			}
			if turn == 4*60 {
				t.Fatalf("no sweep was through within hours: %v", broken)
			}
			w.pass(time.Minute)
		}
		t.Logf("verified by the sweep in turn %d, after %d spoiled calls", turn+1, w.sim.Spoiled(""))
		w.upkeep(10 * time.Minute)
		w.calm()
		w.upkeep(2 * time.Minute) // longer than any endpoint is left alone
		if swept, err := w.svc.Sweep(t.Context()); err != nil || swept.Failures > 0 {
			t.Errorf("Sweep = %+v, %v after WeChat has calmed down", swept, err)
		}
		w.ok(w.svc.KeepFresh(t.Context()))
		w.served(ids...)
		w.end()
		w.t = outer
	})
}

// TestRestore_Drill: a backup is taken, then merchants authorize again, withdraw
// and arrive, and the disk is lost. One sweep after the restore everything is as
// WeChat has it, and nothing was served before. What that costs is counted while
// WeChat is calm; while it is hostile it may take more.
func TestRestore_Drill(t *testing.T) {
	t.Run("hostile", func(t *testing.T) {
		w, ids, file, key := lostDisk(t)
		w.hostileDrill(ids, func() {
			_, err := store.Restore(w.t.Context(), w.options(key), file, store.RestoreOptions{Now: w.now()})
			w.ok(err)
			w.begin(key)
		})
	})
	t.Run("calm", func(t *testing.T) {
		w, ids, file, key := lostDisk(t)
		w.timed(func(t *testing.T) { w.restored(t, ids, file, key) })
	})
}

// lostDisk is a world in which a backup is left, and the accounts of WeChat's.
func lostDisk(t *testing.T) (w *world, ids []string, file, key string) {
	t.Helper()
	n, key := drillAccounts(), secret.NewKey()
	w, ids = crowded(t, n, 7, key)
	file = filepath.Join(t.TempDir(), "copy.db")
	if _, err := store.Backup(t.Context(), w.options(key), file); err != nil {
		t.Fatal(err)
	}
	w.pass(30 * time.Minute)
	w.ticket()
	for i, id := range ids {
		switch {
		case i%10 < 3: // three in ten
			w.ok(w.sim.ReplaceRefreshToken(id))
		case i%10 == 4 && i < 50: // five
			w.ok(w.sim.Revoke(t.Context(), id))
		}
	}
	for i := range 7 {
		id := simulator.CrowdAppID(n + i)
		w.ok(w.sim.AuthorizeSilently(t.Context(), id, nil))
		ids = append(ids, id)
	}
	w.ok(w.svc.HandleArrivals(t.Context())) // the site knew all of that before the disk was lost
	w.pass(30 * time.Minute)
	w.end()
	for _, suffix := range []string{"", ".lock", ".spool"} {
		w.ok(os.Remove(w.path + suffix))
	}
	return w, ids, file, key
}

// restored is the life after the restore of a backup of all but seven accounts.
func (w *world) restored(t *testing.T, ids []string, file, key string) {
	n := len(ids) - 7
	r, err := store.Restore(t.Context(), w.options(key), file, store.RestoreOptions{Now: w.now()})
	if err != nil || int(r.Accounts) != n {
		t.Fatalf("Restore = %+v, %v; want %d accounts", r, err, n)
	}
	w.begin(key)
	w.denied(ids[:3]...)
	w.ok(w.svc.KeepFresh(t.Context()))
	calls := w.sim.Calls(refreshPath)
	w.ticket()
	w.denied(ids[:3]...)
	w.oneSweep(n + 2)
	swept := w.sim.Calls(refreshPath) - calls
	w.ok(w.svc.KeepFresh(t.Context()))
	fresh := w.sim.Calls(refreshPath) - calls - swept
	w.served(ids...)
	if most := n*31/100 + 7; swept > most {
		t.Errorf("the sweep refreshed %d accounts, want at most the %d that differed", swept, most)
	}
	if fresh > n {
		t.Errorf("%d refreshes after the sweep for %d accounts", fresh, n)
	}
}

// TestRecover_LostMasterKey: the key is gone. With a new one every token comes back
// from WeChat's list, and no merchant has to scan again. What that costs is counted
// while WeChat is calm; while it is hostile it may take more.
func TestRecover_LostMasterKey(t *testing.T) {
	n, oldKey, newKey := drillAccounts(), secret.NewKey(), secret.NewKey()
	lost := func(t *testing.T) (w *world, ids []string, before onboard.Account) {
		w, ids = crowded(t, n, 0, oldKey)
		w.authorize(simulator.NoAPI) // one that never had a token
		w.pass(10 * time.Minute)
		before, err := w.db.Account(t.Context(), onboard.AppID(ids[0]))
		w.ok(err)
		w.end()
		if _, err := store.Open(t.Context(), w.options(newKey)); !errors.Is(err, store.ErrWrongKey) {
			t.Fatalf("Open with a new key = %v, want ErrWrongKey", err)
		}
		return w, ids, before
	}
	t.Run("hostile", func(t *testing.T) {
		w, ids, _ := lost(t)
		w.hostileDrill(ids, func() {
			_, err := store.Forget(w.t.Context(), w.options(newKey), true, w.now())
			w.ok(err)
			w.begin(newKey)
		})
	})
	t.Run("calm", func(t *testing.T) {
		w, ids, before := lost(t)
		w.timed(func(t *testing.T) { w.forgotten(t, ids, before, newKey) })
	})
}

// forgotten is the life after the key was lost. before is the first account as it was.
func (w *world) forgotten(t *testing.T, ids []string, before onboard.Account, newKey string) {
	n := len(ids)
	f, err := store.Forget(t.Context(), w.options(newKey), true, w.now())
	if err != nil || f.Values["account.refresh_token"] != n {
		t.Fatalf("Forget = %+v, %v; want the tokens of %d accounts", f, err, n)
	}
	w.begin(newKey)
	w.denied(ids[:3]...)
	w.ticket()
	w.oneSweep(n + 1)
	w.ok(w.svc.KeepFresh(t.Context()))
	w.served(ids...)
	held, err := w.db.Holdings(t.Context())
	w.ok(err)
	for _, h := range held {
		if h.Standing != onboard.Active {
			t.Errorf("%s is %s, want no merchant to scan again", h.AppID, h.Standing)
		}
	}
	if after, err := w.db.Account(t.Context(), onboard.AppID(ids[0])); err != nil || !after.AuthorizedAt.Equal(before.AuthorizedAt) || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("Account = %+v, %v; want its history kept: %+v", after, err, before)
	}
	if len(held) != n+1 {
		t.Errorf("%d accounts, want %d", len(held), n+1)
	}
}

// TestSweep_CutOff: a sweep with more to set right than a turn has time for goes on
// with the next turn. Until it is through, those are served that it has set right.
func TestSweep_CutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := secret.NewKey()
		w, ids := crowded(t, 30, 0, key)
		w.end()
		w.rate = 20
		newKey := secret.NewKey()
		if _, err := store.Forget(t.Context(), w.options(newKey), true, w.now()); err != nil {
			t.Fatal(err)
		}
		w.begin(newKey)
		w.ticket()
		turns := 0
		for {
			turns++
			turn, cancel := context.WithTimeout(t.Context(), time.Second)
			err := w.svc.KeepSwept(turn)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			served := 0
			for _, id := range ids {
				token, _, err := w.svc.AccessToken(t.Context(), onboard.AppID(id))
				switch kind, _ := onboard.Explain(err); {
				case err == nil && w.sim.Works(token.Reveal()):
					served++
				case err == nil || kind != onboard.Unavailable:
					t.Errorf("AccessToken(%s) = %v during a sweep; want a token that works, or Unavailable", id, err)
				}
			}
			if served == 0 || served == len(ids) {
				t.Errorf("%d of %d accounts are served during the sweep, want a part", served, len(ids))
			}
		}
		if turns != 2 {
			t.Errorf("%d turns of a second for 30 accounts at 20 a second, want 2", turns)
		}
		w.served(ids...)
	})
}
