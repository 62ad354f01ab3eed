package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/simulator"
)

const refreshPath = "/cgi-bin/component/api_authorizer_token"

func TestFaults(t *testing.T) {
	tests := []struct {
		fault   simulator.Fault
		status  int    // 0 = the connection was cut
		want    string // in the body
		happens bool   // WeChat acted: the refresh token changed
	}{
		{simulator.Fault{Kind: simulator.ErrCode, Code: 45011}, 200, `{"errcode":45011,"errmsg":"api minute-quota`, false},
		{simulator.Fault{Kind: simulator.ErrCode}, 200, `{"errcode":-1,"errmsg":"system error`, false},
		{simulator.Fault{Kind: simulator.ErrCodeText, Code: 40001}, 200, `{"errcode":"40001","errmsg":"invalid credential`, false},
		{simulator.Fault{Kind: simulator.ResetBefore}, 0, "", false},
		{simulator.Fault{Kind: simulator.BadGateway}, 502, "<h1>502 Bad Gateway</h1>", false},
		{simulator.Fault{Kind: simulator.HTML}, 200, "<!DOCTYPE html>", false},
		{simulator.Fault{Kind: simulator.ResetAfter}, 0, "", true},
		{simulator.Fault{Kind: simulator.Truncated}, 200, `{"authorizer_access_token":"87_`, true},
		{simulator.Fault{Kind: simulator.EmptyToken}, 200, `{"authorizer_access_token":"","authorizer_refresh_token":"","expires_in":7200}`, true},
		{simulator.Fault{Kind: simulator.ExpiresIn, Value: `"soon"`}, 200, `"expires_in":"soon"}`, true},
		{simulator.Fault{Kind: simulator.ExpiresIn, Value: `-1`}, 200, `"expires_in":-1}`, true},
		{simulator.Fault{Kind: simulator.Latency, Delay: time.Millisecond}, 200, `"expires_in":7200}`, true},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			c := start(t).ready()
			c.sim.Change(func(o *simulator.Options) { o.RotateRefreshToken = true })
			c.authorize(simulator.TeaHouse)
			before, _ := c.sim.Account(simulator.TeaHouse)
			fault := tt.fault
			fault.Path, fault.Next = refreshPath, 1
			if err := c.sim.AddFault(fault); err != nil {
				t.Fatal(err)
			}
			path := refreshPath + "?access_token=" + url.QueryEscape(c.token)
			body := fmt.Sprintf(`{"component_appid":%q,"authorizer_appid":%q,"authorizer_refresh_token":%q}`, appID, simulator.TeaHouse, before.RefreshToken)
			status, got := c.do(http.MethodPost, path, body)
			if status != tt.status || tt.status != 0 && !strings.Contains(got, tt.want) {
				t.Errorf("answer = %d %s, want %d %s", status, got, tt.status, tt.want)
			}
			if tt.fault.Kind == simulator.Truncated && json.Valid([]byte(got)) {
				t.Errorf("the truncated answer %s is JSON", got)
			}
			after, _ := c.sim.Account(simulator.TeaHouse)
			if happened := after.RefreshToken != before.RefreshToken; happened != tt.happens {
				t.Errorf("WeChat acted: %v, want %v", happened, tt.happens)
			}
			if got := c.sim.Faults().API; len(got) != 0 {
				t.Errorf("the fault for one call is still there: %+v", got)
			}
			c.preAuthCode() // other endpoints are untouched
		})
	}
}

func TestWrongAppID(t *testing.T) {
	c := start(t).ready()
	code := c.authorize(simulator.TeaHouse)
	if err := c.sim.SetFaults(simulator.Faults{API: []simulator.Fault{{Kind: simulator.WrongAppID}}}); err != nil {
		t.Fatal(err)
	}
	if got := info(c.exchange(code))["authorizer_appid"]; got == simulator.TeaHouse || got == nil {
		t.Errorf("authorizer_appid = %v, want another", got)
	}
}

func TestUnknownFaultsAreRefused(t *testing.T) {
	c := start(t)
	for _, bad := range []simulator.Fault{
		{Kind: "explode"},
		{Kind: simulator.Hang, Path: "/cgi-bin/token"},
		{Kind: simulator.Hang, Next: -1},
		{Kind: simulator.Hang, Percent: 101},
		{Kind: simulator.ExpiresIn, Value: "soon"},
	} {
		if err := c.sim.AddFault(bad); err == nil {
			t.Errorf("AddFault(%+v) gave no error", bad)
		}
	}
	if got := c.sim.Faults().API; len(got) != 0 {
		t.Errorf("refused faults are in force: %+v", got)
	}
}

// TestPercentIsSeeded compares which of 60 calls fail for equal and different seeds.
func TestPercentIsSeeded(t *testing.T) {
	pattern := func(seed int64) string {
		c := start(t, func(cfg *simulator.Config) { cfg.Seed = seed }).ready()
		if err := c.sim.AddFault(simulator.Fault{Kind: simulator.ErrCode, Percent: 30}); err != nil {
			t.Fatal(err)
		}
		text := ""
		for range 60 {
			text += fmt.Sprint(-errcode(c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID})))
		}
		return text
	}
	a, b, other := pattern(7), pattern(7), pattern(8)
	if n := strings.Count(a, "1"); a != b || a == other || n < 6 || n > 32 {
		t.Errorf("seed 7: %s\nagain:  %s\nseed 8: %s", a, b, other)
	}
}

// TestHangAndLatency uses a clock of its own: nothing waits in real time.
func TestHangAndLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := simulator.New(simulator.Config{AppID: appID, Secret: secret, Token: token, AESKey: aesKey})
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: sim.Transport(), Timeout: 10 * time.Second}
		ask := func() (time.Duration, error) {
			began := time.Now()
			resp, err := client.Post("http://wx.test/cgi-bin/component/api_component_token", "application/json", strings.NewReader(`{}`))
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			return time.Since(began), err
		}
		if err := sim.AddFault(simulator.Fault{Kind: simulator.Latency, Delay: 3 * time.Second, Next: 1}); err != nil {
			t.Fatal(err)
		}
		if took, err := ask(); took != 3*time.Second || err != nil {
			t.Errorf("with latency: %v, %v; want 3s", took, err)
		}
		if err := sim.AddFault(simulator.Fault{Kind: simulator.Hang, Next: 1}); err != nil {
			t.Fatal(err)
		}
		if took, err := ask(); took != 10*time.Second || err == nil {
			t.Errorf("hanging: %v, %v; want the client to give up after 10s", took, err)
		}
		if err := sim.AddFault(simulator.Fault{Kind: simulator.ResetAfter, Next: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(); err == nil || !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
			t.Errorf("cut: %v, want %v", err, io.ErrUnexpectedEOF)
		}
		if took, err := ask(); took != 0 || err != nil {
			t.Errorf("without faults: %v, %v", took, err)
		}
	})
}
