package onboard_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

// follow goes through an attempt on a phone, to the end, and returns how it ended.
func (w *world) follow(a onboard.Attempt, appID string) onboard.Attempt {
	w.t.Helper()
	ctx := w.t.Context()
	link, err := w.svc.HandOff(ctx, a.ID, onboard.H5, "phone")
	w.ok(err)
	if a.BizAppID != "" { // somebody opens the link without it
		link = strings.Replace(link, "&biz_appid="+string(a.BizAppID), "", 1)
	}
	redirect, err := w.sim.Consent(simulator.Consent{Link: link, AppID: appID})
	w.ok(err)
	back, err := url.Parse(redirect)
	w.ok(err)
	_, err = w.svc.Redirected(ctx, path.Base(back.Path), secret.New(back.Query().Get("auth_code")))
	w.ok(err)
	w.svc.Wait()
	w.ok(w.sim.Deliver(ctx))
	w.ok(w.svc.HandleArrivals(ctx))
	a, err = w.svc.Attempt(ctx, a.ID)
	w.ok(err)
	if a.FinishedAt.IsZero() {
		w.t.Fatalf("the attempt is %q, want it finished", a.State(w.now()))
	}
	return a
}

func (w *world) invite(v onboard.Invitation) onboard.Attempt {
	w.t.Helper()
	v.AuthType, v.InvitedBy = onboard.AllAccounts, "陈晓"
	a, err := w.svc.CreateInvite(w.t.Context(), v)
	w.ok(err)
	return a
}

func (w *world) standing(appID string, want onboard.Standing) {
	w.t.Helper()
	a, err := w.db.Account(w.t.Context(), onboard.AppID(appID))
	if err != nil || a.Standing != want {
		w.t.Errorf("Account(%s) is %q, %v; want %q", appID, a.Standing, err, want)
	}
}

// TestInvite_Hold: an account that an invite holds waits for the operator, and no
// way of the merchant leads around that.
func TestInvite_Hold(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	a := w.follow(w.invite(onboard.Invitation{Hold: true}), kept)
	w.standing(kept, onboard.Quarantined)

	// The page of the account asks for it once more.
	link, err := w.svc.DashboardLink(ctx, kept)
	w.ok(err)
	d, err := w.svc.Dashboard(ctx, link.Reveal())
	w.ok(err)
	own := onboard.Reauthorization(d.Account)
	own.Invited = true
	mine, err := w.svc.Begin(ctx, own)
	w.ok(err)
	w.pass(time.Minute)
	w.follow(mine, kept)
	w.standing(kept, onboard.Quarantined)

	// So does the result of the invite, and another account is not the one it brought.
	next, err := w.svc.Again(ctx, a.ID, "en", "phone")
	w.ok(err)
	if next.BizAppID != kept || !next.Hold || next.Invite() || !next.ExpiresAt.Equal(w.now().Add(onboard.DeskLife)) {
		t.Errorf("Again of an invite that brought %s = %+v", kept, next)
	}
	w.pass(time.Minute)
	if end := w.follow(next, kept); end.Verdict != onboard.Already && end.Verdict != onboard.Connected {
		t.Errorf("the same account again = %q", end.Verdict)
	}
	w.standing(kept, onboard.Quarantined)

	changed, err := w.svc.Decide(ctx, kept, false)
	w.ok(err)
	w.standing(kept, onboard.Refused)
	if again, err := w.svc.Decide(ctx, kept, false); !changed || again || err != nil {
		t.Errorf("Decide twice = %t, %t, %v; want the first to count", changed, again, err)
	}
	// Refused, it waits again when the merchant comes by another door.
	open, err := w.svc.Begin(ctx, onboard.Wish{AuthType: onboard.AllAccounts})
	w.ok(err)
	w.pass(time.Minute)
	w.follow(open, kept)
	w.standing(kept, onboard.Quarantined)

	// An invite that names it is the operator's own word.
	w.pass(time.Minute)
	w.follow(w.invite(onboard.Invitation{Wish: onboard.Wish{BizAppID: kept}}), kept)
	w.standing(kept, onboard.Active)
}

// TestInvite_Canceled: an account that arrives through an invite that was taken back
// meanwhile is put aside, and the invite begins nothing any more.
func TestInvite_Canceled(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	a := w.invite(onboard.Invitation{})
	link, err := w.svc.HandOff(ctx, a.ID, onboard.H5, "phone")
	w.ok(err)
	if changed, err := w.svc.CancelInvite(ctx, a.ID); !changed || err != nil {
		t.Errorf("CancelInvite = %t, %v", changed, err)
	}
	if changed, err := w.svc.CancelInvite(ctx, a.ID); changed || err != nil {
		t.Errorf("CancelInvite once more = %t, %v; want nothing changed", changed, err)
	}
	_, err = w.svc.HandOff(ctx, a.ID, onboard.H5, "other")
	w.expired("HandOff", err)
	_, err = w.svc.Again(ctx, a.ID, "en", "phone")
	w.expired("Again", err)
	_, err = w.sim.Consent(simulator.Consent{Link: link, AppID: kept})
	w.ok(err)
	w.svc.Wait()
	w.ok(w.sim.Deliver(ctx))
	w.ok(w.svc.HandleArrivals(ctx))
	w.standing(kept, onboard.Quarantined)

	// Sent again, it is another invite.
	next, err := w.svc.Resend(ctx, a.ID, "王", time.Hour)
	w.ok(err)
	if next.ID == a.ID || next.InviteCode == a.InviteCode || next.InvitedBy != "王" || !next.ExpiresAt.Equal(w.now().Add(time.Hour)) {
		t.Errorf("Resend of a canceled invite = %+v", next)
	}
}

func (w *world) expired(what string, err error) {
	w.t.Helper()
	if kind, _ := onboard.Explain(err); kind != onboard.Expired {
		w.t.Errorf("%s = %v, want it expired", what, err)
	}
}

// TestInvite_Again: until an account came, another try is the same invite with
// another link, and ends with it. A merchant cannot make an invite live longer.
func TestInvite_Again(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	a := w.invite(onboard.Invitation{Wish: onboard.Wish{BizAppID: changed}, Recipient: "林", Reference: "7", ReturnURL: "https://shop.example.com/", Batch: "B", Life: time.Hour})
	w.pass(10 * time.Minute)
	next, err := w.svc.Again(ctx, a.ID, "en", "phone")
	w.ok(err)
	if next.ID == a.ID || !next.Invite() || next.InviteCode == a.InviteCode || next.BizAppID != changed || next.Recipient != "林" || next.Reference != "7" ||
		next.ReturnURL != a.ReturnURL || next.Batch != "B" || next.InvitedBy != "陈晓" || !next.ExpiresAt.Equal(a.ExpiresAt) {
		t.Errorf("Again = %+v of %+v", next, a)
	}
	same, err := w.svc.Invite(ctx, a.ID, "somebody else")
	if err != nil || !same.ExpiresAt.Equal(a.ExpiresAt) || same.Recipient != "林" {
		t.Errorf("Invite of an operator's invite = %+v, %v; want it as it was", same, err)
	}
	if end := w.follow(next, kept); end.Verdict != onboard.WrongAccount {
		t.Errorf("another account = %q, want the wrong one", end.Verdict)
	}
	w.standing(kept, onboard.Quarantined)
	w.pass(time.Hour)
	_, err = w.svc.Again(ctx, next.ID, "en", "phone")
	w.expired("Again after the wrong account and the end", err)
}

// TestInvite_Resend gives the same link more time, also when it has expired.
func TestInvite_Resend(t *testing.T) {
	w, _ := newWorld(t)
	ctx := t.Context()
	a := w.invite(onboard.Invitation{Recipient: "  林小雨 ", Reference: strings.Repeat("长", 100), Life: time.Hour})
	if a.Recipient != "林小雨" || a.Reference != strings.Repeat("长", 64) || !a.Invited {
		t.Errorf("CreateInvite = %+v", a)
	}
	w.pass(2 * time.Hour)
	if a.State(w.now()) != onboard.ExpiredNow {
		t.Errorf("State = %q, want expired", a.State(w.now()))
	}
	_, err := w.svc.Again(ctx, a.ID, "en", "phone")
	w.expired("Again of an invite that ran out", err)
	changes, stop := w.svc.Watch(a.ID)
	defer stop()
	next, err := w.svc.Resend(ctx, a.ID, "王", 0)
	w.ok(err)
	if next.ID != a.ID || next.InviteCode != a.InviteCode || !next.ExpiresAt.Equal(w.now().Add(onboard.InviteLife)) || next.State(w.now()) != onboard.Created {
		t.Errorf("Resend = %+v", next)
	}
	select {
	case <-changes:
	default:
		t.Error("a live page does not hear of it")
	}
	desk, err := w.svc.Begin(ctx, onboard.Wish{AuthType: onboard.AllAccounts})
	w.ok(err)
	_, resent := w.svc.Resend(ctx, desk.ID, "王", 0)
	_, canceled := w.svc.CancelInvite(ctx, desk.ID)
	for what, err := range map[string]error{"Resend": resent, "CancelInvite": canceled} {
		if kind, _ := onboard.Explain(err); kind != onboard.NotFound {
			t.Errorf("%s of what is no invite = %v, want it not found", what, err)
		}
	}
	// A merchant's own attempt begins again as before.
	own, err := w.svc.Again(ctx, desk.ID, "en", "phone")
	if err != nil || own.Invite() || own.InvitedBy != "" || own.ID == desk.ID {
		t.Errorf("Again of a merchant's attempt = %+v, %v", own, err)
	}
}

func TestParseReturnURL(t *testing.T) {
	hosts := []string{"shop.example.com", "xn--fiq228c.example.com"}
	for text, want := range map[string]string{
		"":                                   "",
		" https://shop.example.com/a?b=c#d ": "https://shop.example.com/a?b=c#d",
		"https://SHOP.example.com/":          "https://SHOP.example.com/",
	} {
		if got, err := onboard.ParseReturnURL(text, hosts); got != want || err != nil {
			t.Errorf("ParseReturnURL(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"http://shop.example.com/", "https://example.com/", "https://shop.example.com.evil.test/", "https://evil.test\\@shop.example.com/",
		"https://user@shop.example.com/", "https://shop.example.com:8443/", "//shop.example.com/", "/done", "javascript:alert(1)",
		"https:shop.example.com", "https://shop.example.com/\nx", "https://shop.example.com/\tx", "https://shop.example.com/ x", "https://shop.example.com/店",
		"https://shop.example.com/" + strings.Repeat("a", 500), "https://", "https:///shop.example.com", "HTTPS//shop.example.com",
	} {
		if got, err := onboard.ParseReturnURL(text, hosts); err == nil || got != "" {
			t.Errorf("ParseReturnURL(%q) = %q, want it refused", text, got)
		}
	}
	if got, err := onboard.ParseReturnURL("https://shop.example.com/", nil); err == nil {
		t.Errorf("ParseReturnURL without hosts = %q, want it refused", got)
	}
}

func TestUngrantable(t *testing.T) {
	w, _ := newWorld(t)
	w.authorize(kept) // a Mini Program
	for _, tt := range []struct {
		of    onboard.AuthType
		appID onboard.AppID
		ids   []onboard.PermissionID
		want  int
	}{
		{onboard.MiniPrograms, "", []onboard.PermissionID{17, 18}, 0},
		{onboard.MiniPrograms, "", []onboard.PermissionID{1, 17}, 1},
		{onboard.OfficialAccounts, "", []onboard.PermissionID{1, 17}, 1},
		{onboard.AllAccounts, "", []onboard.PermissionID{1, 17, 9999}, 0},
		{onboard.AllAccounts, kept, []onboard.PermissionID{1, 17}, 1},
		{onboard.OfficialAccounts, "wx0123456789abcdef", []onboard.PermissionID{1}, 0},
	} {
		got, err := w.svc.Ungrantable(t.Context(), tt.of, tt.appID, tt.ids)
		if err != nil || len(got) != tt.want {
			t.Errorf("Ungrantable(%d, %q, %v) = %v, %v; want %d", tt.of, tt.appID, tt.ids, got, err, tt.want)
		}
	}
}
