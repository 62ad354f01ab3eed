package admin

import (
	"context"

	"usher/internal/onboard"
)

// Decision is what an admin has to know to say whether an account is the right one.
type Decision struct {
	Account onboard.Account
	Status  Status
	// Invite is the newest attempt by which the account was put aside; its ID is
	// empty when nobody remembers.
	Invite onboard.Attempt
	// Expected is the account that Invite asked for, when it is another one and known.
	Expected *onboard.Account
}

// Open reports whether somebody still has to decide.
func (d Decision) Open() bool { return d.Account.Standing == onboard.Quarantined }

// Refused reports whether somebody said no, which can be taken back.
func (d Decision) Refused() bool { return d.Account.Standing == onboard.Refused }

// Decided forgets what is known of how many accounts wait, after a decision.
func (s *Service) Decided() { s.changedAccounts() }

// KnownAccount reads an account, or nil for one that we do not know.
func (s *Service) KnownAccount(ctx context.Context, appID onboard.AppID) (*onboard.Account, error) {
	account, err := s.store.Account(ctx, appID)
	if isNoRow(err) || err == nil && account.Standing == "" {
		return nil, nil
	}
	return &account, err
}

// Decision reads what the question about an account is.
func (s *Service) Decision(ctx context.Context, appID onboard.AppID) (d Decision, err error) {
	if d.Account, err = s.accountOr404(ctx, appID); err != nil {
		return d, err
	}
	d.Status = StatusOf(d.Account)
	attempts, err := s.store.AttemptsOf(ctx, appID, attemptsShown)
	if err != nil {
		return d, err
	}
	for _, a := range attempts {
		if a.AppID == appID && a.PutsAside() {
			d.Invite = a
			break
		}
	}
	if id := d.Invite.BizAppID; id != "" && id != appID {
		d.Expected, err = s.KnownAccount(ctx, id)
	}
	return d, err
}
