package simulator_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/simulator"
)

// TestPushesBesideRun checks that whoever asks for a push sees it arrive, in
// order, also while Run is at work.
func TestPushesBesideRun(t *testing.T) {
	c := start(t, func(cfg *simulator.Config) { cfg.TicketOnDemand = true })
	ended := make(chan error)
	stop := runUntil(t, c.sim, ended)
	c.ready()
	for range 50 {
		if _, err := c.sim.Consent(simulator.Consent{Link: c.link(h5), AppID: simulator.TeaHouse}); err != nil {
			t.Fatal(err)
		}
		if err := c.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
			t.Fatal(err)
		}
		if got := kinds(c.pushed()); got != "authorized unauthorized" {
			t.Fatalf("pushed %q, want authorized unauthorized", got)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// roundTrip is a client's transport without a socket, for a test's own clock.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tickets atomic.Int64
		cfg := simulator.Config{AppID: appID, Secret: secret, Token: token, AESKey: aesKey, EventURL: "http://app.test/events",
			LaunchDomain: "merchant.example.com", TicketOnDemand: true,
			Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				tickets.Add(1)
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("success"))}, nil
			})}}
		sim, err := simulator.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: sim.Transport()}
		ended := make(chan error)
		stop := runUntil(t, sim, ended)
		expect := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := tickets.Load(); got != want {
				t.Errorf("%s: %d tickets, want %d", when, got, want)
			}
		}
		expect("before anybody asked", 0)
		resp, err := client.Post("http://api.weixin.qq.com/cgi-bin/component/api_start_push_ticket", "application/json",
			strings.NewReader(`{"component_appid":"`+appID+`","component_secret":"`+secret+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		expect("after asking", 1)
		time.Sleep(10*time.Minute - time.Second)
		expect("just before the next", 1)
		time.Sleep(time.Second)
		expect("ten minutes later", 2)
		time.Sleep(time.Hour)
		expect("an hour later", 8)
		sim.Change(func(o *simulator.Options) { o.TicketsStopped = true })
		time.Sleep(24 * time.Hour)
		expect("a day without pushes", 8)
		sim.AdvanceClock(time.Hour)
		sim.Change(func(o *simulator.Options) { o.TicketsStopped = false })
		expect("started again", 9)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

// runUntil runs sim until the returned function is called; what Run returned
// goes to ended.
func runUntil(t *testing.T, sim *simulator.Simulator, ended chan<- error) context.CancelFunc {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- sim.Run(ctx) }()
	return stop
}
