package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/internal/admin"
	"usher/internal/config"
)

const adminPassword = "correct horse battery staplers"

var setupAddress = regexp.MustCompile(`http\S+/admin/setup\?token=[\w-]+`)

// shell runs the command beside the site, with the site's settings.
func (w *world) shell(args ...string) (status int, out string) {
	w.t.Helper()
	var b bytes.Buffer
	status = execute(w.t.Context(), args, terminal{out: &b, err: &b, environ: []string{
		"USHER_PUBLIC_URL=" + w.base, "USHER_DATABASE=" + string(w.cfg.Database), "USHER_SECRET_KEY=" + sealingKey, "USHER_COMPONENT_APPID=" + platformAppID,
	}})
	return status, b.String()
}

// TestAdminCommand makes an owner from the shell while the site is running, signs
// in, forgets the password and comes back.
func TestAdminCommand(t *testing.T) {
	w := startAll(t, options{quiet: true})
	status, out := w.shell("admin", "create", "陈晓")
	link := setupAddress.FindString(out)
	if status != 0 || !strings.HasPrefix(link, w.base) {
		t.Fatalf("admin create = %d:\n%s", status, out)
	}
	b := w.browser(desktopAgent)
	b.open(link).submit("/admin/setup", url.Values{"password": {adminPassword}, "repeat": {adminPassword}})
	b.open(w.base+"/admin/settings").expect(http.StatusOK, "陈晓", "所有者")

	if status, out := w.shell("admin", "create", "陈晓"); status != 1 || setupAddress.MatchString(out) {
		t.Errorf("admin create of a name that is taken = %d:\n%s", status, out)
	}
	if status, out = w.shell("admin", "reset", "陈晓"); status != 0 {
		t.Fatalf("admin reset = %d:\n%s", status, out)
	}
	again := w.browser(desktopAgent)
	again.open(setupAddress.FindString(out)).submit("/admin/setup", url.Values{"password": {adminPassword + "2"}, "repeat": {adminPassword + "2"}})
	again.open(w.base+"/admin/profile").expect(http.StatusOK, "陈晓")
	b.open(w.base+"/admin/settings").expect(http.StatusOK, "登录", "密码") // the reset ended the other session
	again.open(link).expect(http.StatusOK, "口令不对、用过了或已过期")

	again.open(w.base+"/admin/audit").expect(http.StatusOK, "usher admin", "重置密码", "前后相连")

	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"admin"}, 2, "not create or reset"},
		{[]string{"admin", "--help"}, 0, "usher admin reset"},
		{[]string{"admin", "create"}, 2, "a name is missing"},
		{[]string{"admin", "create", "x", "--role", "god"}, 2, "viewer, operator or owner"},
		{[]string{"admin", "reset", "nobody"}, 1, `there is no admin "nobody"`},
		{[]string{"admin", "create", "王", "--role", "viewer"}, 0, "王 (viewer)"},
	} {
		if status, out := w.shell(tt.args...); status != tt.status || !strings.Contains(out, tt.want) {
			t.Errorf("usher %q = %d, %q; want %d and %q", tt.args, status, out, tt.status, tt.want)
		}
	}
}

// TestFirstRun starts with an empty database: the way in is printed, and not logged.
func TestFirstRun(t *testing.T) {
	environ := []string{
		"USHER_PUBLIC_URL=http://127.0.0.1:1", "USHER_DATABASE=" + filepath.Join(t.TempDir(), "usher.db"), "USHER_SECRET_KEY=" + sealingKey,
		"USHER_COMPONENT_APPID=" + platformAppID, "USHER_WECHAT_API=http://127.0.0.1:1",
	}
	start := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		log := &stopOn{text: `"started"`, stop: cancel}
		// Without credentials of WeChat it starts as well: they can be entered later.
		if status := execute(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, terminal{err: log, out: log, environ: environ}); status != 0 {
			t.Fatalf("execute(serve) = %d:\n%s", status, log)
		}
		return log.String()
	}
	first := start()
	link := setupAddress.FindString(first)
	if link == "" || !strings.Contains(first, "setup token: "+link[strings.Index(link, "token=")+6:]) {
		t.Fatalf("the first start prints no way in:\n%s", first)
	}
	for line := range strings.Lines(first) {
		if strings.HasPrefix(line, "{") && strings.Contains(line, "token=") {
			t.Errorf("the log holds the token: %s", line)
		}
	}
	if setupAddress.FindString(start()) == link {
		t.Error("the second start prints the same token")
	}
	var out bytes.Buffer
	if status := execute(t.Context(), []string{"admin", "create", "owner"}, terminal{out: &out, err: &out, environ: environ}); status != 0 {
		t.Fatalf("admin create = %d:\n%s", status, &out)
	}
	if again := start(); setupAddress.MatchString(again) {
		t.Errorf("a start beside an admin prints a way in:\n%s", again)
	}
}

// TestConsole_Credentials enters the platform's secrets in the console of a site
// that started without any, and has WeChat's stand-in accept them at once.
func TestConsole_Credentials(t *testing.T) {
	w := startAll(t, options{quiet: true, config: func(c *config.Config) {
		c.Secret, c.PushToken, c.AESKey = config.Hide(""), config.Hide(""), config.Hide("")
	}})
	if err := w.sim.PushTicket(t.Context()); err == nil {
		t.Error("a push is taken without keys")
	}
	_, out := w.shell("admin", "create", "owner")
	b := w.browser(desktopAgent)
	b.open(setupAddress.FindString(out)).submit("/admin/setup", url.Values{"password": {adminPassword}, "repeat": {adminPassword}})
	for name, value := range map[admin.CredentialName]string{admin.ComponentSecret: platformSecret, admin.PushToken: pushToken, admin.AESKey: pushKey} {
		action := "/admin/settings/credentials/" + string(name)
		b.open(w.base+"/admin/settings").submit(action, url.Values{"secret-" + string(name): {value}})
		b.expect(http.StatusOK, "已替换，立即生效")
	}
	w.ticket()
	b.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"3"}}).expect(http.StatusOK, "二维码")
}
