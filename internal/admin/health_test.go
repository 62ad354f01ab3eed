package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/internal/wechat"
)

const healthPlatform = "wx00000000000000ff"

// watched is a console that watches calls of WeChat's stand-in.
type watched struct {
	console
	t   *testing.T
	now time.Time
	sim *simulator.Simulator
	to  onboard.OpenPlatform
	svc *onboard.Service
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t, now: noon}
	w.console = open(t, func() time.Time { return w.now })
	w.typed(admin.ComponentSecret, "platformsecret12")
	w.typed(admin.PushToken, "token")
	w.typed(admin.AESKey, strings.Repeat("k", 43))
	var err error
	w.sim, err = simulator.New(simulator.Config{AppID: healthPlatform, Secret: "platformsecret12", Token: "token", AESKey: strings.Repeat("k", 43),
		LaunchDomain: "site.test", EventURL: "http://site.test/wechat/events", BaseURL: "http://wechat.test", TicketOnDemand: true, Seed: 1,
		Now: func() time.Time { return w.now }, Client: &http.Client{Transport: nowhere{}}})
	if err != nil {
		t.Fatal(err)
	}
	w.to = w.Observe(&wechat.Client{AppID: healthPlatform, API: "http://wechat.test", CurrentSecret: func() secret.Secret { return w.Platform().Secret },
		HTTP: &http.Client{Transport: w.sim.Transport()}})
	w.svc = onboard.NewService(onboard.Options{AppID: healthPlatform, Store: w.db, Platform: w.to, Hasher: w.db.Hasher(), Now: func() time.Time { return w.now }})
	return w
}

// nowhere takes no push.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no pushes here")
}

func (w *watched) typed(name admin.CredentialName, value string) {
	w.t.Helper()
	if err := w.SaveCredential(w.t.Context(), name, secret.New(value)); err != nil {
		w.t.Fatal(err)
	}
}

// ticket stores one that was received now.
func (w *watched) ticket() {
	w.t.Helper()
	if _, err := w.db.SaveTicket(w.t.Context(), onboard.Ticket{Value: secret.New("t"), CreatedAt: w.now, ReceivedAt: w.now}); err != nil {
		w.t.Fatal(err)
	}
}

// health saves what was noticed, as its job does, and reads it a moment later.
func (w *watched) health() admin.Health {
	w.t.Helper()
	if err := w.SavePulse(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	h, err := w.Health(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// found lists findings as name and level.
func found(h admin.Health) string {
	var all []string
	for _, f := range h.Findings() {
		all = append(all, fmt.Sprintf("%s/%d", f.Name, f.Level))
	}
	return strings.Join(all, " ")
}

func (w *watched) finds(what, want string) admin.Health {
	w.t.Helper()
	h := w.health()
	if got := found(h); got != want {
		w.t.Errorf("after %s: findings %q, want %q", what, got, want)
	}
	return h
}

// TestHealth_Calls has WeChat's stand-in refuse calls and serve them again.
func TestHealth_Calls(t *testing.T) {
	w := watch(t)
	w.finds("nothing", "no_ticket/0")
	start := func() { _ = w.to.StartPushTicket(t.Context()) }

	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9"} })
	start()
	h := w.finds("a refused address", "ip/0 no_ticket/0")
	if h.Address() == "" || h.Address() == "203.0.113.9" {
		t.Errorf("the address WeChat names is %q", h.Address())
	}
	start()
	if c := w.health().Checks[admin.CheckAllowList]; c.Times != 2 || c.Since.Equal(c.FailedAt) || c.Code != 61004 || c.RID == "" {
		t.Errorf("the check after two refusals: %+v", c)
	}
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil })
	start()
	h = w.finds("the address was allowed", "no_ticket/0")
	if h.Address() == "" {
		t.Error("the address is forgotten with the refusal")
	}
	if h.Calls != 3 || h.Failed != 2 {
		t.Errorf("calls, failed = %d, %d; want 3, 2", h.Calls, h.Failed)
	}

	rotated := w.sim.RotateSecret()
	start()
	w.finds("another secret", "secret/0 no_ticket/0")
	// What was found out of a secret is not known of the next one.
	w.typed(admin.ComponentSecret, "another0secret0here")
	h = w.finds("a secret that WeChat was not asked about", "no_ticket/0")
	if s := h.Setup("https://open.example.com").State(admin.StepCredentials); s.Done {
		t.Error("a secret counts as proven that nobody asked WeChat about")
	}

	w.fault(simulator.Fault{Kind: simulator.ResetBefore})
	start()
	w.finds("a connection that is cut", "unreachable/0 no_ticket/0")
	w.now = w.now.Add(10 * time.Minute)
	start()
	if f := w.health().Findings()[0]; w.now.Sub(f.Since) < 10*time.Minute {
		t.Errorf("unreachable since %v at %v", f.Since, w.now)
	}
	w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: 61028})
	start()
	w.finds("an answer, which says that the platform is not released", "no_ticket/0 unpublished/1")
	w.now = w.now.Add(25 * time.Hour)
	w.finds("a day", "no_ticket/0")

	w.fault(simulator.Fault{Kind: simulator.ErrCode, Code: 45009})
	_, _, _ = w.to.PreAuthCode(t.Context(), secret.New("p"))
	h = w.finds("the day's calls were used up", "no_ticket/0 quota/1")
	if f := h.Findings()[1]; f.Check.What != "api_create_preauthcode" {
		t.Errorf("used up is %q", f.Check.What)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.finds("midnight", "no_ticket/0")
	_, _, _ = w.to.PreAuthCode(t.Context(), secret.New("p"))
	w.health()
	w.fault()
	w.now = w.now.Add(time.Second)
	w.typed(admin.ComponentSecret, rotated)
	if err := w.svc.ClearQuota(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.finds("a reset", "no_ticket/0")
}

func (w *watched) fault(all ...simulator.Fault) {
	w.t.Helper()
	if err := w.sim.SetFaults(simulator.Faults{API: all}); err != nil {
		w.t.Fatal(err)
	}
}

// TestHealth_Ticket lets a ticket grow old.
func TestHealth_Ticket(t *testing.T) {
	w := watch(t)
	w.ticket()
	at := w.now
	for _, tt := range []struct {
		age   time.Duration
		state admin.TicketState
		want  string
	}{
		{0, admin.TicketFresh, ""},
		{2 * time.Minute, admin.TicketFresh, "no_token/0"},
		{15 * time.Minute, admin.TicketFresh, "no_token/0"},
		{15*time.Minute + time.Second, admin.TicketAging, "ticket_aging/2"},
		{time.Hour, admin.TicketAging, "ticket_aging/2"},
		{time.Hour + time.Second, admin.TicketStopped, "ticket_stopped/1"},
		{12*time.Hour - time.Second, admin.TicketStopped, "ticket_stopped/1"},
		{12 * time.Hour, admin.TicketExpired, "ticket_expired/0"},
	} {
		w.now = at.Add(tt.age - time.Second)
		h := w.health()
		if got := found(h); h.Ticket != tt.state || got != tt.want {
			t.Errorf("a ticket of %v: %s with findings %q; want %s, %q", tt.age, h.Ticket, got, tt.state, tt.want)
		}
	}
}

// TestHealth_Pushes counts refused pushes, of which a stranger can make some.
func TestHealth_Pushes(t *testing.T) {
	w := watch(t)
	for range 3 {
		w.PushRefused("signature")
	}
	w.PushRefused("shape")
	h := w.finds("bad signatures before any ticket", "no_ticket/0 signature/1")
	if f := h.Findings()[1]; f.N != 3 {
		t.Errorf("%d bad signatures, want 3", f.N)
	}
	w.PushRefused("decrypt")
	w.finds("a push that does not open", "no_ticket/0 decrypt/1 signature/1")
	w.ticket()
	w.finds("a good push after them", "decrypt/2 signature/2")
	w.PushRefused("signature")
	w.finds("a stranger beside good pushes", "decrypt/2 signature/2")
	w.now = w.now.Add(62 * time.Minute)
	w.finds("an hour", "ticket_stopped/1")
	if n, blocking := admin.Verdict(w.health().Findings()); n != 1 || blocking {
		t.Errorf("Verdict = %d, %v", n, blocking)
	}
}

// TestHealth_Days counts codes from midnight in China.
func TestHealth_Days(t *testing.T) {
	w := watch(t)
	w.now = time.Date(2026, 11, 22, 15, 58, 0, 0, time.UTC) // 23:58 there
	w.ticketToken()
	mint := func() {
		t.Helper()
		token, err := w.db.PlatformToken(t.Context())
		if err == nil {
			_, _, err = w.to.PreAuthCode(t.Context(), token.Value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	mint()
	mint()
	if h := w.health(); h.PreAuthCodes != 2 {
		t.Errorf("%d codes before midnight, want 2", h.PreAuthCodes)
	}
	w.now = w.now.Add(3 * time.Minute)
	mint()
	if h := w.health(); h.PreAuthCodes != 1 || h.Calls != 4 {
		t.Errorf("%d codes after midnight and %d calls in the hour, want 1 and 4", h.PreAuthCodes, h.Calls)
	}
}

// ticketToken has a real ticket of the stand-in exchanged.
func (w *watched) ticketToken() {
	w.t.Helper()
	_ = w.sim.PushTicket(w.t.Context()) // nobody takes it, but it is made
	token, life, err := w.to.PlatformToken(w.t.Context(), secret.New(w.sim.Truth().Platform.Ticket))
	if err != nil {
		w.t.Fatal(err)
	}
	fence, _, err := w.db.ClaimPlatformToken(w.t.Context(), w.now, w.now.Add(time.Minute))
	if err == nil {
		err = w.db.SavePlatformToken(w.t.Context(), onboard.PlatformToken{Value: token, FetchedAt: w.now, ExpiresAt: w.now.Add(life), Fence: fence})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSavePulse_Keeps holds that what cannot be stored now is stored later.
func TestSavePulse_Keeps(t *testing.T) {
	w := watch(t)
	w.PushRefused("signature")
	_ = w.to.StartPushTicket(t.Context())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.SavePulse(gone); err == nil {
		t.Fatal("SavePulse with a context that ended = nil")
	}
	w.PushRefused("signature")
	h := w.health()
	if h.Refusals["signature"].N != 2 || h.Calls != 1 || !h.Checks[admin.CheckSecret].Proven() {
		t.Errorf("after a save that failed: %+v, %d calls, %+v", h.Refusals, h.Calls, h.Checks[admin.CheckSecret])
	}
}

// TestSetup walks through the steps.
func TestSetup(t *testing.T) {
	const url = "https://open.example.com"
	w := watch(t)
	w.typed(admin.ComponentSecret, "")
	ctx := as(t.Context(), w.owner(t, "陈晓"))
	current := func(what string, want admin.Step, settled int) {
		t.Helper()
		u := w.health().Setup(url)
		if u.Current() != want || u.Settled() != settled || u.Complete() != (want == "") {
			t.Errorf("after %s: step %q with %d settled, want %q and %d", what, u.Current(), u.Settled(), want, settled)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	current("nothing", admin.StepAddress, 1)
	ok(w.SaveAddressCheck(ctx, url, "tls"))
	current("an address that does not answer", admin.StepAddress, 1)
	if got := found(w.health()); !strings.Contains(got, "address/1") {
		t.Errorf("findings %q", got)
	}
	ok(w.SkipStep(ctx, admin.StepAddress))
	current("the address was left out", admin.StepCredentials, 2)
	ok(w.SaveAddressCheck(ctx, url, ""))
	if u := w.health().Setup("https://other.example.com"); u.State(admin.StepAddress).Done {
		t.Error("another address counts as proven")
	}
	for _, step := range []admin.Step{admin.StepCredentials, admin.StepPush, "invented"} {
		if kind, _ := onboard.Explain(w.SkipStep(ctx, step)); kind != onboard.NotFound {
			t.Errorf("SkipStep(%s) is of kind %v", step, kind)
		}
	}
	w.typed(admin.ComponentSecret, "platformsecret12")
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9"} })
	_ = w.to.StartPushTicket(t.Context())
	current("a refused address", admin.StepAllowList, 2)
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil })
	_ = w.to.StartPushTicket(t.Context())
	current("a good answer", admin.StepPush, 4)
	w.ticket()
	current("a ticket", admin.StepSets, 5)
	ok(w.ChooseSets(ctx, []onboard.PermissionID{17}))
	if got := w.Settings().Wanted; !slices.Equal(got, []onboard.PermissionID{17}) {
		t.Errorf("the default sets are %v", got)
	}
	current("the sets", admin.StepTry, 6)
	ok(w.SkipStep(ctx, admin.StepTry))
	current("all", "", 7)
}

// TestSavePulse_Race counts from many goroutines while others save.
func TestSavePulse_Race(t *testing.T) {
	w := watch(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				w.PushRefused("signature")
				_ = w.to.StartPushTicket(t.Context())
			}
		})
		all.Go(func() {
			for range 5 {
				if err := w.SavePulse(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if h := w.health(); h.Refusals["signature"].N != 400 || h.Calls != 400 || h.Failed != 0 {
		t.Errorf("%+v refused, %d calls, %d failed; want 400, 400, 0", h.Refusals, h.Calls, h.Failed)
	}
}
