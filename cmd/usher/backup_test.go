package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestBackupCommand takes a backup beside the running site and puts it in the place
// of a database that went wrong. The merchant notices nothing.
func TestBackupCommand(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	m := w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	m.look().click("/m/")
	dashboard := m.desk.at.String()
	file := filepath.Join(t.TempDir(), "copy.db")
	if status, out := w.shell("backup", file); status != 0 || !strings.Contains(out, "1 account, 1 attempt, 0 admins") {
		t.Fatalf("usher backup = %d:\n%s", status, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.keeps("the backup", string(b))
	if !bytes.Contains(b, []byte(simulator.TeaHouse)) {
		t.Error("the backup does not even hold the account, so its search proves nothing")
	}
	for _, tt := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{"backup"}, 2, "missing"},
		{[]string{"backup", file}, 1, "never overwrites"},
		{[]string{"backup", file + "2", "--database", "postgres://u:canary@h/d"}, 1, "pg_dump"},
		{[]string{"restore"}, 2, "missing"},
		{[]string{"restore", file}, 1, "stop Usher first"},
		{[]string{"restore", file, "--after-pg-restore"}, 2, "PostgreSQL"},
		{[]string{"restore", file, "--database", "postgres://u:canary@h/d"}, 1, "pg_restore"},
		{[]string{"restore", file, "--nonsense"}, 2, "nonsense"},
		{[]string{"keys"}, 2, "rotate or lost"},
		{[]string{"keys", "lost"}, 0, "Nothing is lost"},
		{[]string{"keys", "lost", "--wipe"}, 1, "stop Usher first"},
		{[]string{"keys", "rotate"}, 0, "may be dropped"},
		{[]string{"backup", "--help"}, 0, "USHER_SECRET_KEY_FILE"},
		{[]string{"restore", "--help"}, 0, "--lost-key"},
		{[]string{"keys", "--help"}, 0, "--wipe"},
	} {
		status, out := w.shell(tt.args...)
		if status != tt.want || !strings.Contains(out, tt.says) || strings.Contains(out, "canary") {
			t.Errorf("usher %s = %d:\n%s\nwant %d with %q", tt.args, status, out, tt.want, tt.says)
		}
	}
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(string(w.cfg.Database), []byte("the disk went wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out := w.shell("restore", file); status != 1 || !strings.Contains(out, "--replace sets it aside") {
		t.Errorf("usher restore over a database = %d:\n%s", status, out)
	}
	if status, out := w.shell("restore", file, "--replace"); status != 0 || !strings.Contains(out, ".before-") {
		t.Fatalf("usher restore = %d:\n%s", status, out)
	}
	w.restart()
	w.eventually("the site never compares WeChat's list", func(ctx context.Context) (bool, error) {
		state, err := w.db.SweepState(ctx)
		return !state.Unverified, err
	})
	if token := w.token(simulator.TeaHouse); !w.sim.Works(token) {
		t.Error("a token is served that WeChat refuses")
	}
	w.holds(simulator.TeaHouse)
	m.desk.load(http.MethodGet, dashboard, nil).expect(http.StatusOK, simulator.TeaHouse)
	if a, err := w.db.Account(t.Context(), onboard.AppID(simulator.TeaHouse)); err != nil || a.Standing != onboard.Active {
		t.Errorf("Account = %+v, %v", a, err)
	}
}

// TestManuals_Commands: every command is in the READMEs, and the manuals name no
// command that there is not.
func TestManuals_Commands(t *testing.T) {
	var known []string
	for _, c := range commands() {
		known = append(known, c.name)
	}
	docs, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil || len(docs) < 5 {
		t.Fatal(docs, err)
	}
	for _, name := range append(docs, filepath.Join("..", "..", "README.md"), filepath.Join("..", "..", "README.zh-CN.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var named []string
		for _, m := range regexp.MustCompile("(?m)(?:`|^ *)usher ([a-z]+)").FindAllStringSubmatch(string(text), -1) {
			named = append(named, m[1])
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s names usher %s, which there is not", name, m[1])
			}
		}
		for _, c := range known {
			if strings.Contains(name, "README") && !slices.Contains(named, c) {
				t.Errorf("%s does not name usher %s", name, c)
			}
		}
	}
}
