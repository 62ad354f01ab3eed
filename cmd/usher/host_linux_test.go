package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"usher/internal/simulator"
)

// limitFiles lets no file of a running process grow beyond size any more, as a full
// disk does: what was allocated before can still be written to.
func limitFiles(t *testing.T, pid int, size uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
}

// fetch reads a page of the site.
func (c *crash) fetch(path string) (status int, body string) {
	c.t.Helper()
	resp, err := c.client.Get("http://" + c.listen + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestHost_DiskFull fills the disk under the running program. It says so, takes
// nothing that it could lose, goes on to show what it has, and recovers without a
// restart; an answer of WeChat that was on its way is not lost over it.
func TestHost_DiskFull(t *testing.T) {
	t.Parallel()
	c := newCrash(t, habits[0], "", 1)
	c.settled(simulator.TeaHouse)
	dashboard := "/m/" + c.dashboardLink(simulator.TeaHouse)
	c.start("")
	c.ticket()
	path, link := c.attempt()
	c.quiet()
	log, err := os.Stat(c.database + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	limitFiles(t, c.child.cmd.Process.Pid, uint64(log.Size()))
	if status, body := c.fetch("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "store") {
		t.Errorf("GET /readyz = %d %s, want 503 for the store", status, body)
	}
	if status, _ := c.fetch("/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz = %d, want 200: the process lives", status)
	}
	if status, body := c.fetch(dashboard); status != http.StatusOK || !strings.Contains(body, simulator.TeaHouse) {
		t.Errorf("GET %s = %d, want the page: reading goes on", "/m/…", status)
	}
	acked := len(c.acked.digests())
	redirect := c.consent(path, link, simulator.Takeaway)
	if _, err := c.call(http.MethodGet, redirect, nil, 1); err == nil || !strings.Contains(err.Error(), "50") {
		t.Errorf("the redirect with a full disk = %v, want a refusal", err)
	}
	_ = c.sim.PushTicket(t.Context())
	pushes := c.sim.Deliveries()
	if last := pushes[len(pushes)-1]; last.Status < 500 || len(c.acked.digests()) != acked {
		t.Errorf("a push with a full disk was answered %d %s, want an error that makes WeChat push again", last.Status, last.Outcome)
	}
	limitFiles(t, c.child.cmd.Process.Pid, ^uint64(0))
	c.eventually("ready again", func() error {
		if status, body := c.fetch("/readyz"); status != http.StatusOK {
			return fmt.Errorf("GET /readyz = %d %s", status, body)
		}
		return nil
	})
	c.eventually("redirect", func() error {
		_, err := c.call(http.MethodGet, redirect, nil, 1)
		return err
	})
	if !c.alive() {
		t.Fatalf("the program ended:\n%s", &c.child.log)
	}
	c.idle()
	c.stop()
	c.check()
}

// TestHost_DiskFull_Backup: a backup that does not fit leaves nothing behind.
func TestHost_DiskFull_Backup(t *testing.T) {
	t.Parallel()
	c := newCrash(t, habits[0], "", 1)
	c.settled(simulator.TeaHouse)
	program, err := crashProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "copy.db")
	cmd := exec.Command("sh", "-c", `ulimit -f 64; exec "$0" backup "$1"`, program, file) // blocks of 512 or 1024 bytes
	cmd.Env = c.env
	if out, err := cmd.CombinedOutput(); err == nil || killed(err) || !strings.Contains(string(out), "usher backup:") {
		t.Errorf("usher backup on a full disk = %v\n%s", err, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	c.ran("backup", file)
}

// TestBoot_SecondProcess: a second program on the same file is refused and says why.
// The first one does not notice.
func TestBoot_SecondProcess(t *testing.T) {
	t.Parallel()
	c := newCrash(t, habits[0], "", 1)
	c.start("")
	c.ticket()
	out, err := runProgram(t, c.env, "", "serve", "--listen", freeAddress(t))
	if err == nil || killed(err) || !strings.Contains(out, "another usher process is using this database file") {
		t.Errorf("a second usher serve = %v\n%s", err, out)
	}
	c.authorize(simulator.TeaHouse)
	c.idle()
	c.stop()
	c.check()
}
