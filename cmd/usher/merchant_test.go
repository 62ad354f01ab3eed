package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// in is the same world for a part of the test.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.t, part.browsers = t, nil
	t.Cleanup(func() { w.browsers = append(w.browsers, part.browsers...) })
	return &part
}

// merchant is a person at a desk with a phone, on the way through one attempt.
type merchant struct {
	w           *world
	desk, phone *browser
	attempt     string // address of the desk page
}

// merchant fills in the form at a desk; wish names its fields.
func (w *world) merchant(wish url.Values) *merchant {
	w.t.Helper()
	m := &merchant{w: w, desk: w.browser(desktopAgent), phone: w.browser(wechatAgent)}
	m.desk.open(w.base+"/").expect(http.StatusOK).submit("/connect", wish).expect(http.StatusOK)
	return m.began()
}

// anyMini wishes for any Mini Program.
func anyMini() url.Values { return url.Values{"auth_type": {"2"}} }

// began takes the page at the desk as that of a new attempt.
func (m *merchant) began() *merchant {
	m.w.t.Helper()
	if !strings.HasPrefix(m.desk.at.Path, "/c/") {
		m.w.t.Fatalf("the desk is at %s, want /c/…", m.desk.at)
	}
	m.attempt = m.desk.at.String()
	return m
}

// press scans the code at the desk, presses the button and returns the link at
// which the phone is then, WeChat's page.
func (m *merchant) press() (link string) {
	m.w.t.Helper()
	m.phone.open(m.w.phoneURL(m.desk)).expect(http.StatusOK).submit("/go", nil).expect(http.StatusOK, "授权确认")
	if strings.HasPrefix(m.phone.at.String(), m.w.base) {
		m.w.t.Fatalf("the button led to %s, want WeChat's page", m.phone.at)
	}
	return m.phone.at.String()
}

// agree presses the button and agrees on WeChat's page, to all sets or to those
// named; the phone follows where WeChat sends it.
func (m *merchant) agree(appID string, sets ...string) *merchant {
	m.w.t.Helper()
	m.press()
	form := url.Values{"account": {appID}}
	if len(sets) > 0 {
		form["permission"] = sets
	}
	m.phone.submit("", form).expect(http.StatusOK)
	return m
}

// consent agrees at link without a browser and returns where WeChat would send
// one.
func (m *merchant) consent(link, appID string, sets ...int) (redirect string) {
	m.w.t.Helper()
	redirect, err := m.w.sim.Consent(simulator.Consent{Link: link, AppID: appID, Permissions: sets})
	if err != nil {
		m.w.t.Fatal(err)
	}
	return redirect
}

// look shows the desk its page again, wherever that leads.
func (m *merchant) look() *browser {
	m.w.t.Helper()
	return m.desk.open(m.attempt)
}

// shows loads address until the page has the text.
func (w *world) shows(b *browser, address, text string) *browser {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s never shows %q", address, text), func(context.Context) (bool, error) {
		return strings.Contains(html.UnescapeString(b.open(address).body), text), nil
	})
	return b
}

// account is what the site holds of an account.
func (w *world) account(appID string) onboard.Account {
	w.t.Helper()
	a, err := w.db.Account(w.t.Context(), onboard.AppID(appID))
	if err != nil {
		w.t.Fatalf("Account(%s): %v", appID, err)
	}
	return a
}

// refuses checks that the site has no token of the account for anybody, and why.
func (w *world) refuses(appID string, why onboard.Key) {
	w.t.Helper()
	token, _, err := w.svc.AccessToken(w.t.Context(), onboard.AppID(appID))
	if _, key := onboard.Explain(err); err == nil || key != why || !token.Empty() {
		w.t.Errorf("AccessToken(%s) = %v, %v; want no token because of %s", appID, token, err, why)
	}
}

// exchanged checks how often WeChat was asked to exchange a code.
func (w *world) exchanged(want int) {
	w.t.Helper()
	if n := w.sim.Calls(exchangePath); n != want {
		w.t.Errorf("%s was called %d times, want %d", exchangePath, n, want)
	}
}

// faults makes calls or pushes go wrong from now on; none ends that.
func (w *world) faults(f simulator.Faults) {
	w.t.Helper()
	if err := w.sim.SetFaults(f); err != nil {
		w.t.Fatal(err)
	}
}

// calm checks that nobody was shown an error and nothing failed.
func (w *world) calm() {
	w.t.Helper()
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, `"status":4`) || strings.Contains(line, `"status":5`) ||
			strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
			w.t.Errorf("in a journey on which nothing went wrong: %s", line)
		}
	}
}
