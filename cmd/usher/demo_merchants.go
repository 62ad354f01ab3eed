package main

import (
	"context"
	"fmt"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
)

// demoMerchant is somebody who was on board before the demo began.
type demoMerchant struct {
	appID   string
	wanted  []onboard.PermissionID
	granted []int // nil for everything that was asked for
	hold    bool  // somebody has to say that it is the right account
	left    bool  // canceled again
}

// demoMerchants differ in what the console has to say about them. Those that are not
// here are left to whoever tries the demo.
var demoMerchants = []demoMerchant{
	{appID: simulator.Personal, wanted: []onboard.PermissionID{17, 18}, left: true},
	{appID: simulator.MiniShop, wanted: []onboard.PermissionID{17, 18, 70, 71}},
	{appID: simulator.ChannelsLive, wanted: []onboard.PermissionID{143, 176, 177}},
	{appID: simulator.OldAccount, wanted: []onboard.PermissionID{1, 2, 11, 15}},
	{appID: simulator.NoAPI, wanted: []onboard.PermissionID{1, 7}},
	{appID: simulator.Subscription, wanted: []onboard.PermissionID{1, 4, 7, 11, 15}, granted: []int{1, 4, 11, 15}},
	{appID: simulator.ServiceAccount, wanted: []onboard.PermissionID{1, 2, 4, 15}, hold: true},
	{appID: simulator.WeChatShop},
	{appID: simulator.Takeaway, wanted: []onboard.PermissionID{17, 18, 19, 25, 30, 40}, granted: []int{17, 18, 25, 30}},
}

// bringMerchants has them accept their invites, as merchants would.
func bringMerchants(ctx context.Context, svc *onboard.Service, sim *simulator.Simulator) error {
	for _, m := range demoMerchants {
		invite, err := svc.CreateInvite(ctx, onboard.Invitation{
			Wish: onboard.Wish{AuthType: onboard.AllAccounts, BizAppID: onboard.AppID(m.appID), Wanted: m.wanted, Language: "zh-CN"}, InvitedBy: demoOwner, Hold: m.hold,
		})
		if err != nil {
			return err
		}
		link, err := svc.HandOff(ctx, invite.ID, onboard.H5, "")
		if err != nil {
			return err
		}
		if _, err = sim.Consent(simulator.Consent{Link: link, AppID: m.appID, Permissions: m.granted}); err != nil {
			return fmt.Errorf("%s: %w", m.appID, err)
		}
		if err := sim.Deliver(ctx); err != nil {
			return err
		}
		if err := waitFinished(ctx, svc, invite.ID); err != nil {
			return fmt.Errorf("%s: %w", m.appID, err)
		}
	}
	for _, m := range demoMerchants { // not at once: their profiles are being read
		if m.left {
			if err := sim.Revoke(ctx, m.appID); err != nil {
				return err
			}
		}
	}
	return nil
}

// waitFinished waits until the site has dealt with what WeChat said of an attempt.
func waitFinished(ctx context.Context, svc *onboard.Service, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	changes, stop := svc.Watch(id)
	defer stop()
	for {
		a, err := svc.Attempt(ctx, id)
		if err != nil || !a.FinishedAt.IsZero() {
			return err
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
