package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/internal/simulator"
	"usher/internal/store"
)

// TestDemo walks through the demo twice with the same directory: it must make
// its keys once, keep everything in that directory for its owner only, bring its
// own ticket, and not stumble over what the first run left.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo data")
	var keys []byte
	for turn := range 2 {
		log := &syncBuffer{}
		d := demo{dir: dir, site: listenLocal(t), wechat: listenLocal(t), log: newLog(log, "text", 0)}
		addresses := make(chan string, 1)
		d.ready = func(address string) { addresses <- address }
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("log of turn %d:\n%s", turn+1, log)
			}
		})
		ended := make(chan error, 1)
		go func() { ended <- d.run(ctx) }()
		var base string
		select {
		case base = <-addresses:
		case err := <-ended:
			t.Fatalf("the demo ended: %v\n%s", err, log)
		}
		desk := newBrowser(t, desktopAgent)
		desk.open(base).expect(http.StatusOK).submit("/connect", url.Values{"auth_type": {"2"}}).expect(http.StatusOK)
		attempt := desk.at.String()
		phone := newBrowser(t, wechatAgent)
		phone.open(strings.TrimSuffix(base, "/") + mustFind(t, `/q/[0-9A-Z]{8}`, desk.body))
		phone.expect(http.StatusOK)
		// The demo says where it is only after the first ticket.
		phone.submit("/go", nil)
		phone.expect(http.StatusOK, "山茶花茶舍").submit("", url.Values{"account": {simulator.TeaHouse}}).expect(http.StatusOK)
		phone.click("/m/").expect(http.StatusOK, simulator.TeaHouse)
		desk.open(attempt).expect(http.StatusOK).click("/m/").expect(http.StatusOK, simulator.TeaHouse)
		second := demo{dir: dir, site: listenLocal(t), wechat: listenLocal(t), log: d.log}
		if err := second.run(t.Context()); !errors.Is(err, store.ErrLocked) {
			t.Errorf("a second demo in the same directory = %v, want ErrLocked", err)
		}
		if _, err := os.Stat(filepath.Join(dir, "demo.db")); err != nil {
			t.Errorf("a second demo took the database of the first away: %v", err)
		}
		phone.refresh().expect(http.StatusOK, simulator.TeaHouse)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with %v, want nil", err)
		}

		text, err := os.ReadFile(filepath.Join(dir, "demo.env"))
		if err != nil {
			t.Fatal(err)
		}
		if turn == 1 && !slices.Equal(keys, text) {
			t.Error("the demo made new keys although it has some")
		}
		keys = text
		for _, line := range strings.Split(string(text), "\n") {
			if _, value, ok := strings.Cut(line, "="); ok && strings.Contains(log.String(), value) {
				t.Errorf("the log of the demo holds the value of %q", line)
			}
		}
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others can read it", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWelcome(t *testing.T) {
	const address = "http://127.0.0.1:8080/"
	text := welcome(t.Context(), address, "passwordofthedemo")
	if strings.Count(text, "http") != 1 || !strings.Contains(text, address) {
		t.Errorf("welcome(%q) must hold this address and no other:\n%s", address, text)
	}
	if strings.Contains(text, "%!") || strings.Contains(text, `""`) || strings.Contains(text, "“”") {
		t.Errorf("welcome(%q) lacks the name of a button:\n%s", address, text)
	}
}
