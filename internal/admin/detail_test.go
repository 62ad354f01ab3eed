package admin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

const shopID = onboard.AppID("wx8f2c40d1a7be91d0")

// arrive has an account authorized at t in an attempt.
func (c console) arrive(t *testing.T, id onboard.AppID, attempt string, verdict onboard.Verdict, granted onboard.Grants, wanted []onboard.PermissionID, now time.Time) {
	t.Helper()
	code := fmt.Sprint(id, now)
	claim, err := c.db.ClaimExchange(t.Context(), code, "", now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.db.FinishExchange(t.Context(), onboard.Arrived{
		CodeHash: code, Fence: claim.Fence, AppID: id, AttemptID: attempt, Verdict: verdict, Grants: granted, Wanted: wanted,
		Tokens: onboard.Tokens{Access: secret.New("a"), Life: 2 * time.Hour, Refresh: secret.New("r")},
		At:     now.Truncate(time.Second), Now: now, DueAt: now.Add(time.Hour), Standing: onboard.Active,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccountDetail_Timeline: everything that happened is there, the newest first, and
// what happened within a second in the order in which it can happen.
func TestAccountDetail_Timeline(t *testing.T) {
	now := noon.Add(900 * time.Millisecond)
	c := open(t, func() time.Time { return now })
	me := c.owner(t, "陈晓")
	ctx := as(t.Context(), me)
	err := c.db.SaveAttempt(t.Context(), onboard.Attempt{ID: "INVITE", PhoneCode: "P", InviteCode: "I", BizAppID: shopID, InvitedBy: "陈晓", CreatedAt: now, ExpiresAt: now.Add(time.Hour), Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.db.ClaimOpened(t.Context(), "INVITE", now); err != nil {
		t.Fatal(err)
	}
	h := onboard.Handoff{ID: "H", AttemptID: "INVITE", Channel: onboard.H5, CodeHash: "c", StateHash: "s", MintedAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := c.db.SaveHandoff(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	c.arrive(t, shopID, "INVITE", onboard.Missing, onboard.Grants{{ID: 17}}, []onboard.PermissionID{17, 18}, now)
	now = now.Add(time.Minute)
	c.arrive(t, shopID, "", "", onboard.Grants{{ID: 17}, {ID: 18}}, []onboard.PermissionID{17, 18}, now)
	now = now.Add(time.Minute)
	if err := c.AddNote(ctx, shopID, "电话打过了"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if _, err := c.db.SaveRevoked(t.Context(), shopID, now.Truncate(time.Second), now); err != nil {
		t.Fatal(err)
	}
	d, err := c.AccountDetail(ctx, shopID)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, h := range d.Timeline {
		kinds = append(kinds, string(h.Kind))
	}
	want := "revoked acted refreshed changed authorized refreshed missing handed_off opened invited"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("the timeline is %q, want %q", got, want)
	}
	if d.Status != admin.Withdrawn || !d.Since.Equal(now.Truncate(time.Second)) || d.Open != nil || len(d.Notes) != 1 || d.Notes[0].Author != "陈晓" {
		t.Errorf("AccountDetail = %v since %v, open %v, notes %+v", d.Status, d.Since, d.Open, d.Notes)
	}
}

// TestAccountDetail_Sets compares what the platform has, what was asked for and what is
// granted.
func TestAccountDetail_Sets(t *testing.T) {
	c := open(t, at(noon))
	c.arrive(t, shopID, "", "", onboard.Grants{{ID: 17}, {ID: 4711}}, []onboard.PermissionID{17, 18, 19}, noon)
	c.arrive(t, "wx0000000000000001", "", "", onboard.Grants{{ID: 18}, {ID: 30}}, nil, noon)
	c.arrive(t, "wx0000000000000002", "", "", onboard.Grants{{ID: 1}}, nil, noon) // an Official Account's
	if err := c.db.SaveProfile(t.Context(), shopID, onboard.Profile{Kind: onboard.MiniProgram}, noon); err != nil {
		t.Fatal(err)
	}
	d, err := c.AccountDetail(t.Context(), shopID)
	if err != nil {
		t.Fatal(err)
	}
	want := []admin.SetRow{
		{ID: 18, Has: true, Asked: true}, {ID: 19, Asked: true}, // nobody has granted 19: perhaps the platform lacks it
		{ID: 17, Has: true, Asked: true, Granted: true}, {ID: 4711, Has: true, Granted: true},
		{ID: 30, Has: true},
	}
	if fmt.Sprint(d.Sets) != fmt.Sprint(want) {
		t.Errorf("Sets = %+v, want %+v", d.Sets, want)
	}
}

// inviter makes no invites.
type inviter struct{ all []onboard.Invitation }

func (i *inviter) CreateInvites(_ context.Context, all []onboard.Invitation) ([]onboard.Attempt, error) {
	i.all = append(i.all, all...)
	return make([]onboard.Attempt, len(all)), nil
}

// TestInviteAll_WhoIsLeftOut: nobody invites those that an operator refused, stopped or
// has yet to decide about.
func TestInviteAll_WhoIsLeftOut(t *testing.T) {
	c := open(t, at(noon))
	ctx := as(t.Context(), c.owner(t, "陈晓"))
	for i := range 5 {
		c.arrive(t, onboard.AppID(fmt.Sprintf("wx%016x", i)), "", "", onboard.Grants{{ID: 17}}, []onboard.PermissionID{17, 18}, noon.Add(time.Duration(i)*time.Second))
	}
	if _, err := c.db.SaveStopped(ctx, "wx0000000000000000", true, noon); err != nil {
		t.Fatal(err)
	}
	if err := c.db.SaveProfile(ctx, "wx0000000000000001", onboard.Profile{Kind: onboard.MiniProgram, Status: 19}, noon); err != nil {
		t.Fatal(err)
	}
	plan, err := c.PlanBulk(ctx, admin.AccountQuery{})
	if want := (admin.BulkPlan{Accounts: 5, Invitable: 3}); err != nil || plan != want {
		t.Errorf("PlanBulk = %+v, %v; want %+v", plan, err, want)
	}
	var in inviter
	if _, n, err := c.InviteAll(ctx, admin.AccountQuery{}, 2, &in); err == nil || n != 0 || len(in.all) != 0 {
		t.Errorf("InviteAll with another number = %d, %v", n, err)
	}
	batch, n, err := c.InviteAll(ctx, admin.AccountQuery{}, 3, &in)
	if err != nil || n != 3 || len(in.all) != 3 {
		t.Fatalf("InviteAll = %d, %v with %d invitations", n, err, len(in.all))
	}
	for _, v := range in.all {
		if v.Batch != batch || v.InvitedBy != "陈晓" || fmt.Sprint(v.Wanted) != "[17 18]" || v.BizAppID <= "wx0000000000000001" {
			t.Errorf("an invitation is %+v", v)
		}
	}
}
