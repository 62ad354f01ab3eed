package main

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// TestStop_LivePage stops the site while a browser holds a live page open. The
// stream is ended first: a Shutdown that waited for it would take ten seconds
// and fail.
func TestStop_LivePage(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	desk := newBrowser(t, desktopAgent)
	desk.open(w.base+"/").submit("/connect", url.Values{"auth_type": {"2"}}).expect(http.StatusOK)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, desk.at.String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := desk.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "event: state") {
	}
	if lines.Err() != nil || lines.Text() == "" {
		t.Fatalf("the live page ended before its first event: %v", lines.Err())
	}
	begun := time.Now()
	if err := w.stopSite(); err != nil {
		t.Errorf("run = %v, want nil", err)
	}
	if took := time.Since(begun); took > drainTime/2 {
		t.Errorf("stopping took %v with a live page open", took)
	}
	for lines.Scan() { // the rest of the stream
	}
}

// TestStop_PushesInHand stops the site while pushes are on their way. Whatever
// was answered with success is dealt with after the next start; WeChat repeats
// the rest.
func TestStop_PushesInHand(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	merchants := []string{simulator.TeaHouse, simulator.Takeaway, simulator.ServiceAccount, simulator.Subscription,
		simulator.OldAccount, simulator.Personal, simulator.MiniShop, simulator.ChannelsLive}
	for _, appID := range merchants {
		if err := w.sim.AuthorizeSilently(t.Context(), appID, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	var pushes sync.WaitGroup
	one := make(chan struct{}, len(merchants))
	for _, appID := range merchants {
		pushes.Go(func() {
			if w.sim.Revoke(t.Context(), appID) == nil { // some are too late
				one <- struct{}{}
			}
		})
	}
	<-one
	if err := w.stopSite(); err != nil {
		t.Errorf("run = %v, want nil", err)
	}
	pushes.Wait()
	w.restart()
	w.settle()
	accepted := 0
	for _, d := range w.sim.Deliveries() {
		if d.InfoType != "unauthorized" || d.Outcome != "success" {
			continue
		}
		accepted++
		account, err := w.db.Account(t.Context(), onboard.AppID(d.Account))
		if err != nil || account.Standing != onboard.Revoked {
			t.Errorf("%s withdrew, which was answered with success, but it is %q, %v", d.Account, account.Standing, err)
		}
	}
	if accepted == 0 {
		t.Error("no push was accepted, so this proves nothing")
	}
}
