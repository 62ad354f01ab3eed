package simulator_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/simulator"
)

// TestHostileFaults measures the shares that the bad day promises, and that the
// daily outage lets nothing through for exactly as long as it lasts.
func TestHostileFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Config{AppID: appID, Secret: secret, Token: token, AESKey: aesKey, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		if err := sim.SetFaults(simulator.HostileFaults()); err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: sim.Transport(), Timeout: 10 * time.Second}
		// ask says what became of a call that WeChat would refuse with 44002.
		ask := func() string {
			resp, err := client.Post("http://wx.test/cgi-bin/component/api_component_token", "application/json", nil)
			if err != nil {
				if err.(*url.Error).Timeout() {
					return "silence"
				}
				return "cut"
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			switch text := string(body); {
			case !strings.HasSuffix(text, "}"):
				return "garbage"
			case strings.Contains(text, `"errcode":44002`):
				return "answer"
			default:
				return "refusal"
			}
		}
		const calls = 4000
		got := map[string]int{}
		for range calls {
			time.Sleep(time.Until(time.Now().Truncate(24 * time.Hour).Add(25 * time.Hour))) // one o'clock of the next day
			got[ask()]++
		}
		for what, want := range map[string]float64{"refusal": 5, "silence": 2 + 3*.75, "garbage": 1.*2/3 + 1./4, "cut": 1 + 1./3} {
			if share := float64(got[what]) * 100 / calls; share < want*.6 || share > want*1.4 {
				t.Errorf("%.1f %% of calls end in %s, want about %.1f %%; all: %v", share, what, want, got)
			}
		}
		day := time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
		time.Sleep(time.Until(day.Add(10*time.Hour - time.Second)))
		before := ask()
		for i := range 19 * 3 {
			time.Sleep(time.Until(day.Add(10*time.Hour + time.Duration(i)*20*time.Second)))
			if end := ask(); end == "answer" || end == "refusal" {
				t.Fatalf("an API gave %s in the outage", end)
			}
		}
		time.Sleep(time.Until(day.Add(10*time.Hour + 19*time.Minute)))
		if after := ask(); before != "answer" || after != "answer" {
			t.Errorf("before the outage %s, after it %s; want answers", before, after)
		}
	})
}

// TestHostileFaults_EveryKind: no fault that the stand-in knows is left out of the
// bad day, and hurrying it changes how long things take and nothing else.
func TestHostileFaults_EveryKind(t *testing.T) {
	f := simulator.HostileFaults()
	kinds := map[simulator.FaultKind]int{}
	longest := func(f simulator.Faults) (longest time.Duration) {
		for _, x := range f.API {
			for _, one := range append(x.OneOf, x) {
				longest = max(longest, one.Delay+one.Spread)
			}
		}
		return longest
	}
	for _, x := range f.API {
		for _, one := range append(x.OneOf, x) {
			kinds[one.Kind]++
		}
	}
	for _, k := range simulator.FaultKinds() {
		if kinds[k] == 0 {
			t.Errorf("no call of the bad day meets %s", k)
		}
	}
	hurried := f.Hurried(50)
	if len(hurried.API) != len(f.API) || longest(f) != 13*time.Second || longest(hurried) != 260*time.Millisecond {
		t.Errorf("the longest of %d waits is %v, and hurried of %d waits %v; want 13s and 260ms", len(f.API), longest(f), len(hurried.API), longest(hurried))
	}
	for i, x := range hurried.API {
		if was := f.API[i]; x.Percent != was.Percent || x.Path != was.Path {
			t.Errorf("hurrying changed %+v into %+v", was, x)
		}
		if x.Kind == simulator.Hang && x.Delay == 0 || x.Kind == simulator.Late {
			t.Errorf("a hurried caller waits for %+v", x)
		}
	}
	if o := hurried.Outage; o.For != 22800*time.Millisecond || o.Hang != 200*time.Millisecond {
		t.Errorf("hurried, the outage is %+v, want 22.8 s in which callers wait for 200 ms", o)
	}
}

// TestCutAfterDelay: where the stand-in is to be silent for a time only, it cuts the
// connection then, before or after it did what was asked.
func TestCutAfterDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Config{AppID: appID, Secret: secret, Token: token, AESKey: aesKey})
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: sim.Transport(), Timeout: 10 * time.Second}
		const start = "/cgi-bin/component/api_start_push_ticket"
		for kind, acts := range map[simulator.FaultKind]int{simulator.Hang: 0, simulator.ResetAfter: 1} {
			if err := sim.AddFault(simulator.Fault{Kind: kind, Delay: 2 * time.Second, Next: 1}); err != nil {
				t.Fatal(err)
			}
			began, before := time.Now(), sim.Truth().Calls[start]
			_, err = client.Post("http://wx.test"+start, "application/json", strings.NewReader(`{"component_appid":"`+appID+`","component_secret":"`+secret+`"}`))
			after := sim.Truth().Calls[start]
			if took := time.Since(began); took != 2*time.Second || err == nil || after.OK-before.OK != acts || after.Spoiled-before.Spoiled != 1 {
				t.Errorf("%s for 2 s: cut off after %v, %v; calls before %+v, after %+v", kind, took, err, before, after)
			}
		}
		if n := sim.Spoiled(""); n != 2 || sim.Spoiled(start) != n || sim.Spoiled(refreshPath) != 0 {
			t.Errorf("%d calls are spoiled, want 2 of one endpoint", n)
		}
	})
}

// TestOneOf: each call that is hit meets one of the faults, and all of them come.
func TestOneOf(t *testing.T) {
	c := start(t).ready()
	if err := c.sim.AddFault(simulator.Fault{OneOf: []simulator.Fault{{Kind: simulator.ErrCode, Code: 45011}, {Kind: simulator.ErrCode}, {Kind: simulator.Latency}}}); err != nil {
		t.Fatal(err)
	}
	got := map[int]int{}
	for range 60 {
		got[errcode(c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID}))]++
	}
	if len(got) != 3 || got[45011] < 8 || got[-1] < 8 || got[0] < 8 {
		t.Errorf("60 calls ended with %v, want about 20 each of 45011, -1 and 0", got)
	}
	for _, bad := range []simulator.Fault{
		{Kind: simulator.HTML, OneOf: []simulator.Fault{{Kind: simulator.HTML}}},
		{OneOf: []simulator.Fault{{Kind: "explode"}}},
		{OneOf: []simulator.Fault{{OneOf: []simulator.Fault{{Kind: simulator.HTML}}}}},
		{},
	} {
		if err := c.sim.AddFault(bad); err == nil {
			t.Errorf("AddFault(%+v) gave no error", bad)
		}
	}
}

// TestLate: WeChat acts although its answer comes when nobody waits any more.
func TestLate(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.RotateRefreshToken = true })
	c.authorize(simulator.TeaHouse)
	before, _ := c.sim.Account(simulator.TeaHouse)
	if err := c.sim.AddFault(simulator.Fault{Kind: simulator.Late, Path: refreshPath, Delay: time.Hour, Next: 1}); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithTimeout(t.Context(), time.Minute)
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.wx.URL+refreshPath+"?access_token="+url.QueryEscape(c.token),
		strings.NewReader(`{"component_appid":"`+appID+`","authorizer_appid":"`+simulator.TeaHouse+`","authorizer_refresh_token":"`+before.RefreshToken+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(request)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for acted := false; !acted; {
		select {
		case err := <-answered:
			t.Fatalf("the call ended with %v before WeChat acted, want no answer", err)
		case <-tick.C:
			after, _ := c.sim.Account(simulator.TeaHouse)
			acted = after.RefreshToken != before.RefreshToken
		}
	}
	leave()
	if err := <-answered; err == nil {
		t.Error("the answer came in time")
	}
}

// TestSpread: pushes that wait for different lengths overtake one another.
func TestSpread(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	c := start(t, func(cfg *simulator.Config) { cfg.Now = func() time.Time { return now }; cfg.TicketOnDemand = true }).ready()
	c.authorize(simulator.TeaHouse)
	c.pushed()
	if err := c.sim.SetFaults(simulator.Faults{Push: simulator.PushFaults{Spread: time.Minute}}); err != nil {
		t.Fatal(err)
	}
	inOrder := ""
	for range 20 {
		if err := c.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
			t.Fatal(err)
		}
		if err := c.sim.AuthorizeSilently(t.Context(), simulator.TeaHouse, nil); err != nil {
			t.Fatal(err)
		}
		inOrder += " unauthorized authorized"
	}
	now = now.Add(time.Minute)
	if err := c.sim.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := kinds(c.pushed())
	if n := len(strings.Fields(got)); n != 40 || got == strings.TrimSpace(inOrder) {
		t.Errorf("%d pushes in the order %q, want 40 in another", n, got)
	}
}
