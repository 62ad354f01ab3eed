package onboard_test

import (
	"testing"
	"time"

	"usher/internal/onboard"
)

// TestState is the state machine of an attempt: which facts, at which minute,
// make a page show what, and when it changes by the clock alone.
func TestState(t *testing.T) {
	begin := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	fresh := onboard.Attempt{CreatedAt: begin, ExpiresAt: at(onboard.DeskLife)}
	with := func(change func(*onboard.Attempt)) onboard.Attempt {
		a := fresh
		change(&a)
		return a
	}
	handedOff := with(func(a *onboard.Attempt) { a.HandedOffAt, a.CodeEndsAt = at(time.Minute), at(11*time.Minute) })
	finished := with(func(a *onboard.Attempt) {
		a.ArrivedAt, a.FinishedAt, a.Verdict = at(time.Minute), at(2*time.Minute), onboard.Connected
	})
	tests := []struct {
		name    string
		attempt onboard.Attempt
		now     time.Duration
		want    onboard.State
		next    time.Duration // of the next change by the clock; 0 for never
	}{
		{"new", fresh, 0, onboard.Created, onboard.DeskLife},
		{"a second before its end", fresh, onboard.DeskLife - time.Second, onboard.Created, onboard.DeskLife},
		{"at its end", fresh, onboard.DeskLife, onboard.ExpiredNow, 0},
		{"an invite outlives the desk", with(func(a *onboard.Attempt) { a.ExpiresAt = at(onboard.InviteLife) }), onboard.DeskLife, onboard.Created, onboard.InviteLife},
		{"phone open", with(func(a *onboard.Attempt) { a.OpenedAt = begin }), time.Minute, onboard.Opened, onboard.DeskLife},
		{"phone open, expired", with(func(a *onboard.Attempt) { a.OpenedAt = begin }), time.Hour, onboard.ExpiredNow, 0},
		{"at WeChat", handedOff, time.Minute, onboard.HandedOff, 150 * time.Second},
		{"90 seconds at WeChat", handedOff, 150 * time.Second, onboard.NoAnswer, onboard.DeskLife},
		{"its code is over", with(func(a *onboard.Attempt) { a.HandedOffAt, a.CodeEndsAt = at(time.Minute), at(90*time.Second) }), 90 * time.Second, onboard.NoAnswer, onboard.DeskLife},
		{"at WeChat and expired", handedOff, onboard.DeskLife, onboard.ExpiredNow, 0},
		{"code came back", with(func(a *onboard.Attempt) { a.HandedOffAt, a.ArrivedAt = at(time.Minute), at(2*time.Minute) }), 5 * time.Minute, onboard.Exchanging, 0},
		{"code came back, past its end", with(func(a *onboard.Attempt) { a.ArrivedAt = at(29 * time.Minute) }), time.Hour, onboard.Exchanging, 0},
		{"exchange blocked", with(func(a *onboard.Attempt) { a.ArrivedAt, a.Blocked = at(time.Minute), onboard.KeyBlockedWeChat }), 2 * time.Minute, onboard.Blocked, 0},
		{"mint blocked", with(func(a *onboard.Attempt) { a.Blocked = onboard.KeyBlockedTicket }), time.Minute, onboard.Blocked, 0},
		{"taken back", with(func(a *onboard.Attempt) { a.CanceledAt, a.ExpiresAt = at(time.Minute), at(time.Minute) }), 2 * time.Minute, onboard.ExpiredNow, 0},
		{"mint blocked and taken back", with(func(a *onboard.Attempt) {
			a.Blocked, a.CanceledAt, a.ExpiresAt = onboard.KeyBlockedTicket, at(time.Minute), at(time.Minute)
		}), 2 * time.Minute, onboard.ExpiredNow, 0},
		{"done", finished, 3 * time.Minute, onboard.Done, 0},
		{"done long ago", finished, 30 * 24 * time.Hour, onboard.Done, 0},
		{"done and withdrawn", with(func(a *onboard.Attempt) { *a = finished; a.RevokedAt = at(time.Hour) }), 2 * time.Hour, onboard.Withdrawn, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.attempt.State(at(tt.now)); got != tt.want {
				t.Errorf("State(+%v) = %q, want %q", tt.now, got, tt.want)
			}
			var want time.Time
			if tt.next != 0 {
				want = at(tt.next)
			}
			if got := tt.attempt.NextChange(at(tt.now)); !got.Equal(want) {
				t.Errorf("NextChange(+%v) = %v, want %v", tt.now, got, want)
			}
		})
	}
}
