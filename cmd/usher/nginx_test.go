package main

import (
	"bufio"
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/internal/config"
	"usher/internal/simulator"
)

const publicHost = "open.example.com"

// clientIP is where browsers and WeChat come from in tests with nginx, whose own
// connections to the site come from 127.0.0.1.
const clientIP = "127.0.0.9"

// startBehindNginx is startAll with nginx in front, for browsers and for pushes;
// change, if any, sees the settings last.
func startBehindNginx(t *testing.T, change ...func(*config.Config)) (*world, *nginx) {
	t.Helper()
	program := nginxProgram(t)
	var front *nginx
	w := startAll(t, options{quiet: true,
		config: func(c *config.Config) {
			front = newNginx(t, strings.TrimPrefix(c.PublicURL, "http://"))
			c.PublicURL = "https://" + publicHost
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			for _, set := range change {
				set(c)
			}
		},
		simulator: func(c *simulator.Config) {
			c.EventURL = "https://" + publicHost + "/wechat/events"
			c.Client = &http.Client{Transport: front.transport(), Timeout: 5 * time.Second}
		},
	})
	front.start(program)
	return w, front
}

// TestJourney_Nginx walks through nginx with the configuration of the manual:
// https, cookies for https, live pages that are not held back, and logs that
// hold no key.
func TestJourney_Nginx(t *testing.T) {
	w, front := startBehindNginx(t)
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)
	phone.old = true // then a form is judged by its Origin
	desk.client.Transport, phone.client.Transport = front.transport(), front.transport()

	desk.open("http://" + publicHost + "/help/wechat-errors?a=b").expect(http.StatusOK)
	if desk.at.String() != "https://"+publicHost+"/help/wechat-errors?a=b" {
		t.Errorf("http led to %s", desk.at)
	}
	deskAndPhone(t, w, desk, phone)

	public := &url.URL{Scheme: "https", Host: publicHost, Path: "/"}
	cookies := 0
	for _, c := range slices.Concat(desk.client.Jar.Cookies(public), phone.client.Jar.Cookies(public)) {
		if strings.HasPrefix(c.Name, "__Host-") {
			cookies++
		}
	}
	if cookies < 2 {
		t.Errorf("the browsers hold %d __Host- cookies, want one each", cookies)
	}
	w.firstLiveEvent(newAttempt(w, desk), desk)
	w.seesClients(desk.client)

	if err := front.stop(); err != nil {
		t.Fatal(err)
	}
	access := front.read("usher.log")
	for _, line := range []string{" GET /cb/- 303 ", " GET /m/- 200 ", " POST /wechat/events 200 ", " POST /q/- 303 "} {
		if !strings.Contains(access, line) {
			t.Errorf("the access log has no line with %q:\n%s", line, access)
		}
	}
	logs := access + front.read("usher.error.log")
	for _, b := range []*browser{desk, phone} {
		for _, visited := range b.trail {
			u, err := url.Parse(visited)
			if err != nil {
				t.Fatal(err)
			}
			kind, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
			key, _, _ = strings.Cut(key, "/")
			if slices.Contains([]string{"c", "q", "i", "cb", "done", "m"}, kind) && strings.Contains(logs, key) {
				t.Errorf("the logs of nginx hold the key of /%s/…:\n%s", kind, logs)
			}
			if code := u.Query().Get("auth_code"); code != "" && strings.Contains(logs, url.QueryEscape(code)) {
				t.Errorf("the logs of nginx hold an authorization code:\n%s", logs)
			}
		}
	}
}

// seesClients checks that the site takes the browser's address from nginx, and no
// address that the browser makes up.
func (w *world) seesClients(client *http.Client) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.base+"/help/wechat-errors", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	const madeUp = "203.0.113.7"
	r.Header.Set("X-Forwarded-For", madeUp)
	r.Header.Set("X-Real-IP", madeUp)
	r.Header.Set("Forwarded", "for="+madeUp)
	resp, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	log := w.log.String()
	if !strings.Contains(log, `"ip":"`+clientIP+`"`) {
		w.t.Errorf("no request is logged with the address of the browser, %s", clientIP)
	}
	for _, wrong := range []string{madeUp, "127.0.0.1"} {
		if strings.Contains(log, `"ip":"`+wrong+`"`) {
			w.t.Errorf("a request is logged with the address %s, want %s alone", wrong, clientIP)
		}
	}
}

// newAttempt begins one more attempt and returns the address of its live page.
func newAttempt(w *world, desk *browser) string {
	w.t.Helper()
	desk.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"2"}}).expect(http.StatusOK)
	return desk.at.String() + "/events"
}

// firstLiveEvent reads a live page until its first event is complete.
func (w *world) firstLiveEvent(address string, b *browser) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	seen := false
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if seen = seen || strings.HasPrefix(lines.Text(), "event: state"); seen && lines.Text() == "" {
			return
		}
	}
	w.t.Errorf("the live page at %s ended before its first event: %v", address, lines.Err())
}
