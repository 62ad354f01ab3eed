//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/store"
)

// otherKey is the key before, and then lost or replaced by, sealingKey.
const otherKey = "b3RoZXJzZWFsaW5na2V5MDEyMzQ1Njc4OWFiY2RlZjA="

// seal sets what the program finds in USHER_SECRET_KEY from now on.
func (c *crash) seal(keys string) { c.env = append(c.env, "USHER_SECRET_KEY="+keys) }

// runProgram runs another command of the program to its end, or to a failpoint.
func runProgram(t *testing.T, env []string, failpoints string, args ...string) (out string, err error) {
	t.Helper()
	program, err := crashProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(env, "USHER_FAILPOINT="+failpoints)
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// killed reports whether a command was killed, as opposed to any other end.
func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// dies runs a command that is killed at the failpoint; ran runs one to its end.
func (c *crash) dies(arm string, args ...string) {
	c.t.Helper()
	if out, err := runProgram(c.t, c.env, arm, args...); !killed(err) {
		c.t.Fatalf("usher %s with %s = %v, want it killed\n%s", args, arm, err, out)
	}
	c.killed++
}

func (c *crash) ran(args ...string) string {
	c.t.Helper()
	out, err := runProgram(c.t, c.env, "", args...)
	if err != nil {
		c.t.Fatalf("usher %s = %v\n%s", args, err, out)
	}
	return out
}

// backingUp kills a backup beside the running program. There is no half file by
// the name that was asked for, and the next backup is not hindered.
func backingUp(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	c.start("")
	dir := c.t.TempDir()
	file := filepath.Join(dir, "copy.db")
	c.dies(arm, "backup", file)
	if _, err := os.Stat(file); err == nil {
		c.ran("restore", file, "--database", filepath.Join(dir, "whole.db"))
		if err := os.Remove(file); err != nil {
			c.t.Fatal(err)
		}
	}
	c.ran("backup", file)
	c.ran("restore", file, "--database", filepath.Join(dir, "again.db"))
}

// restoring kills a restore. Whatever it left, the program either runs with the old
// database or says what to do.
func restoring(c *crash, arm string) {
	c.settled(simulator.TeaHouse, simulator.Takeaway)
	file := filepath.Join(c.t.TempDir(), "copy.db")
	c.ran("backup", file)
	c.raw.SetMaxIdleConns(0) // its connection would stay with the old file
	c.raw.SetMaxIdleConns(1)
	c.dies(arm, "restore", file, "--replace")
	if out, err := runProgram(c.t, c.env, "", "migrate"); err != nil && !strings.Contains(out, "run usher restore again") {
		c.t.Fatalf("usher migrate = %v\n%s", err, out)
	}
	c.ran("restore", file, "--replace")
	c.start("")
}

// rotating kills a change of keys; at the end the program has the new key alone.
func rotating(c *crash, arm string) {
	c.seal(otherKey)
	c.settled(simulator.TeaHouse, simulator.Takeaway)
	c.seal(sealingKey + "," + otherKey)
	c.start("")
	c.dealt()
	c.dies(arm, "keys", "rotate")
	if out := c.ran("keys", "rotate"); !strings.Contains(out, "may be dropped") {
		c.t.Fatalf("usher keys rotate = %s", out)
	}
	c.stop()
	c.seal(sealingKey)
	c.start("")
}

// forgetting loses the key, and kills what clears up after it.
func forgetting(c *crash, arm string) {
	c.seal(otherKey)
	c.settled(simulator.TeaHouse, simulator.Takeaway)
	c.seal(sealingKey)
	c.dies(arm, "keys", "lost", "--wipe")
	c.ran("keys", "lost", "--wipe")
	c.start("")
	c.ticket()
}

// TestRotate_KillAtEveryBatch kills a change of keys after each of its batches, one
// life a batch. At every moment all of it opens with both keys, each life goes on
// where the last one ended, and at the end the old key opens nothing.
func TestRotate_KillAtEveryBatch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "usher.db")
	ring := func(keys string) *secret.Ring {
		r, err := secret.ParseRing(keys)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lost := func(keys string) map[string]int {
		t.Helper()
		f, err := store.Forget(t.Context(), store.Options{Database: path, Platform: platformAppID, Ring: ring(keys)}, false, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return f.Values
	}
	const accounts = 210
	seed(t, path, ring(otherKey), accounts)
	env := append(os.Environ(), "USHER_DATABASE="+path, "USHER_COMPONENT_APPID="+platformAppID, "USHER_SECRET_KEY="+sealingKey+","+otherKey)
	before, deaths := 2*accounts+1, 0
	for ; ; deaths++ {
		out, err := runProgram(t, env, "rotate.after_batch=kill", "keys", "rotate")
		if got := lost(sealingKey + "," + otherKey); len(got) > 0 {
			t.Fatalf("after %d kills the two keys together do not open %v", deaths, got)
		}
		left := 0
		for _, n := range lost(sealingKey) {
			left += n
		}
		if left >= before && err != nil {
			t.Fatalf("life %d sealed nothing: %d values need the old key, as before", deaths, left)
		}
		before = left
		if !killed(err) {
			if err != nil || left != 0 || !strings.Contains(out, "may be dropped") {
				t.Fatalf("after %d kills usher keys rotate = %v, %d values need the old key\n%s", deaths, err, left, out)
			}
			break
		}
	}
	if deaths < 4 {
		t.Errorf("%d kills, want one for each of 4 batches", deaths)
	}
	if got := lost(otherKey); got["account.refresh_token"] != accounts {
		t.Errorf("the old key opens some of it still: it does not open %v", got)
	}
}

// seed stores accounts with tokens.
func seed(t *testing.T, path string, ring *secret.Ring, accounts int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Database: path, Platform: platformAppID, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var all sync.WaitGroup
	for i := range accounts { // at once, so that they share commits
		all.Go(func() {
			token := strings.Repeat(string(rune('a'+i%26)), 100)
			_, err := db.SaveRecovered(t.Context(), onboard.Arrived{
				AppID: onboard.AppID(fmt.Sprintf("wx%016x", i)), Standing: onboard.Active, At: now, Now: now, DueAt: now.Add(time.Hour),
				Tokens: onboard.Tokens{Access: secret.New("a" + token), Refresh: secret.New("r" + token), Life: 2 * time.Hour},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
