package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"usher/internal/simulator"
)

func TestRefresh(t *testing.T) {
	c := start(t).ready()
	first := info(c.exchange(c.authorize(simulator.TeaHouse)))
	token, refresh := fmt.Sprint(first["authorizer_access_token"]), fmt.Sprint(first["authorizer_refresh_token"])

	again := c.refresh(simulator.TeaHouse, refresh)
	second := fmt.Sprint(again["authorizer_access_token"])
	if again["authorizer_refresh_token"] != refresh || second == token || again["expires_in"] != 7200.0 || !c.sim.Works(second) {
		t.Errorf("api_authorizer_token = %v, want a new access token and the same refresh token", again)
	}
	if !c.sim.Works(token) {
		t.Error("the replaced access token stopped at once")
	}
	c.sim.AdvanceClock(5 * time.Minute)
	if c.sim.Works(token) || !c.sim.Works(second) {
		t.Error("five minutes later the old access token works or the new one does not")
	}
	for _, bad := range []string{"", "refreshtoken@@@x"} {
		if got := errcode(c.refresh(simulator.TeaHouse, bad)); got != 61023 {
			t.Errorf("refresh with %q: errcode %d, want 61023", bad, got)
		}
	}

	c.sim.Change(func(o *simulator.Options) { o.RotateRefreshToken = true })
	rotated := fmt.Sprint(c.refresh(simulator.TeaHouse, refresh)["authorizer_refresh_token"])
	if rotated == refresh || errcode(c.refresh(simulator.TeaHouse, refresh)) != 0 {
		t.Error("the refresh token did not rotate, or the old one had no grace")
	}
	c.sim.AdvanceClock(5 * time.Minute)
	if got := errcode(c.refresh(simulator.TeaHouse, refresh)); got != 61023 {
		t.Errorf("the old refresh token after its grace: errcode %d, want 61023", got)
	}
}

func TestDeadRefreshTokens(t *testing.T) {
	c := start(t).ready()
	refresh := fmt.Sprint(info(c.exchange(c.authorize(simulator.TeaHouse)))["authorizer_refresh_token"])
	if err := c.sim.ReplaceRefreshToken(simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	if got := errcode(c.refresh(simulator.TeaHouse, refresh)); got != 61023 {
		t.Errorf("a token replaced behind our back: errcode %d, want 61023", got)
	}
	truth, _ := c.sim.Account(simulator.TeaHouse)
	if got := errcode(c.refresh(simulator.TeaHouse, truth.RefreshToken)); got != 0 {
		t.Errorf("the token in its place: errcode %d", got)
	}
	if err := c.sim.KillRefreshToken(simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	if got := errcode(c.refresh(simulator.TeaHouse, truth.RefreshToken)); got != 61023 {
		t.Errorf("a killed token: errcode %d, want 61023", got)
	}
	if err := c.sim.ExpireAccessToken(simulator.TeaHouse); err != nil || c.sim.Works(truth.AccessToken) {
		t.Errorf("ExpireAccessToken = %v and the token works: %v", err, c.sim.Works(truth.AccessToken))
	}
	if err := c.sim.KillRefreshToken(simulator.Takeaway); err == nil {
		t.Error("KillRefreshToken of an account that is not authorized gave no error")
	}
}

func TestReauthorizationReplacesTokens(t *testing.T) {
	for _, grace := range []time.Duration{0, 5 * time.Minute} {
		c := start(t).ready()
		c.sim.Change(func(o *simulator.Options) { o.ReauthorizationGrace = grace })
		lateCode := c.authorize(simulator.TeaHouse, 18)
		old := info(c.exchange(c.authorize(simulator.TeaHouse, 18, 30)))
		fresh := info(c.exchange(c.authorize(simulator.TeaHouse, 18, 25)))
		refresh := fmt.Sprint(old["authorizer_refresh_token"])
		if fresh["authorizer_refresh_token"] == refresh {
			t.Error("the refresh token stayed the same")
		}
		want := 61023
		if grace > 0 {
			want = 0
		}
		if got := errcode(c.refresh(simulator.TeaHouse, refresh)); got != want {
			t.Errorf("grace %v: old refresh token: errcode %d, want %d", grace, got, want)
		}
		if got := c.sim.Works(fmt.Sprint(old["authorizer_access_token"])); got != (grace > 0) {
			t.Errorf("grace %v: old access token works: %v", grace, got)
		}
		late := info(c.exchange(lateCode))
		if sets(t, late) != "[18]" || c.sim.Works(fmt.Sprint(late["authorizer_access_token"])) {
			t.Errorf("the code of a replaced authorization gave %v, want its old sets and a dead token", late)
		}
	}
}

func TestAuthorizerTokenOnPlatformAPI(t *testing.T) {
	c := start(t).ready()
	got := info(c.exchange(c.authorize(simulator.TeaHouse)))
	c.token = fmt.Sprint(got["authorizer_access_token"])
	if got := errcode(c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID})); got != 61014 {
		t.Errorf("errcode %d, want 61014", got)
	}
	if got := errcode(c.call("/cgi-bin/clear_quota", map[string]any{"appid": simulator.TeaHouse})); got != 0 {
		t.Errorf("clear_quota with the account's token: errcode %d", got)
	}
}
