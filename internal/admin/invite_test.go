package admin_test

import (
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

func TestInviteCursor(t *testing.T) {
	c := admin.InviteCursor{At: time.UnixMilli(1764201600123), ID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	if got := admin.ParseInviteCursor(c.String()); !got.At.Equal(c.At) || got.ID != c.ID {
		t.Errorf("ParseInviteCursor(%q) = %+v, want %+v", c.String(), got, c)
	}
	if got := (admin.InviteCursor{}).String(); got != "" {
		t.Errorf("the zero cursor is written %q", got)
	}
	for _, text := range []string{"", "!", "MQ", "eCB5", "MTI", c.String() + "!"} {
		if got := admin.ParseInviteCursor(text); !got.Zero() {
			t.Errorf("ParseInviteCursor(%q) = %+v, want none", text, got)
		}
	}
}

func TestInviteStateOf(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		a    onboard.Attempt
		want admin.InviteState
	}{
		{onboard.Attempt{ExpiresAt: now.Add(time.Second)}, admin.InviteWaiting},
		{onboard.Attempt{ExpiresAt: now}, admin.InviteExpired},
		{onboard.Attempt{ExpiresAt: now.Add(time.Second), CanceledAt: now}, admin.InviteCanceled},
		{onboard.Attempt{ExpiresAt: now, CanceledAt: now, FinishedAt: now}, admin.InviteDone},
	} {
		if got := admin.InviteStateOf(tt.a, now); got != tt.want {
			t.Errorf("InviteStateOf(%+v) = %q, want %q", tt.a, got, tt.want)
		}
	}
	for _, s := range admin.InviteStates() {
		if got := admin.ParseInviteState(string(s)); got != s {
			t.Errorf("ParseInviteState(%q) = %q", s, got)
		}
	}
	if got := admin.ParseInviteState("odd"); got != admin.InviteAny {
		t.Errorf("ParseInviteState(odd) = %q, want none", got)
	}
}

// TestAttention: every cause is either the platform's or somebody's, and what keeps
// merchants or accounts from being served is serious.
func TestAttention(t *testing.T) {
	for _, tt := range []struct {
		a                 admin.Attention
		platform, serious bool
	}{
		{admin.Attention{Cause: admin.CauseNoTicket}, true, true},
		{admin.Attention{Cause: admin.CauseTicketLate}, true, false},
		{admin.Attention{Cause: admin.CauseBlocked, Block: onboard.KeyBlockedIP}, true, true},
		{admin.Attention{Cause: admin.CauseStatus, Status: admin.Dead}, false, true},
		{admin.Attention{Cause: admin.CauseStatus, Status: admin.Incomplete}, false, false},
		{admin.Attention{Cause: admin.CauseParked}, false, false},
		{admin.Attention{Cause: admin.CauseLapsed}, false, false},
	} {
		if tt.a.Platform() != tt.platform || tt.a.Serious() != tt.serious {
			t.Errorf("%+v is the platform's: %t, serious: %t; want %t, %t", tt.a, tt.a.Platform(), tt.a.Serious(), tt.platform, tt.serious)
		}
	}
}
