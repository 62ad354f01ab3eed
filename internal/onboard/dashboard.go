package onboard

import (
	"context"
	"errors"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

// Dashboard is what a merchant sees of its own account.
type Dashboard struct {
	Account Account
	Changes []GrantChange  // newest first, at most ten
	Missing []PermissionID // asked for when it was last authorized and not granted
}

// DashboardLink returns the token of the account's live link, making one when
// there is none.
func (s *Service) DashboardLink(ctx context.Context, appID AppID) (secret.Secret, error) {
	l, err := s.store.LinkByAppID(ctx, appID)
	if !errors.Is(err, ErrNoRow) {
		return l.Token, err
	}
	l = s.newLink(appID)
	failpoint.Hit("link.before_save")
	if err := s.store.SaveLink(ctx, l); err != nil {
		return secret.Secret{}, err
	}
	failpoint.Hit("link.after_save")
	// Two pages may have made one each at a time: the stored one counts.
	l, err = s.store.LinkByAppID(ctx, appID)
	return l.Token, err
}

func (s *Service) newLink(appID AppID) DashboardLink {
	token := secret.New(newToken())
	return DashboardLink{Hash: s.hasher.Hash(purposeLink, token.Reveal()), Token: token, AppID: appID, CreatedAt: s.now()}
}

// Dashboard reads what the holder of a link may see.
func (s *Service) Dashboard(ctx context.Context, token string) (Dashboard, error) {
	l, err := s.store.LinkByHash(ctx, s.hasher.Hash(purposeLink, token))
	if errors.Is(err, ErrNoRow) {
		return Dashboard{}, Errorf(NotFound, KeyNotFound, "dashboard link is unknown or revoked")
	}
	if err != nil {
		return Dashboard{}, err
	}
	a, err := s.store.Account(ctx, l.AppID)
	if err != nil {
		return Dashboard{}, err
	}
	changes, err := s.store.GrantChanges(ctx, l.AppID, 10)
	if err != nil {
		return Dashboard{}, err
	}
	return Dashboard{Account: a, Changes: changes, Missing: a.Missing()}, nil
}

// OwnAccount is an account that a browser connected, with the token of its page.
type OwnAccount struct {
	Account Account
	Link    secret.Secret
}

// Others lists the other accounts that a browser session connected, by the same rule
// by which the results of their attempts lead to their pages.
func (s *Service) Others(ctx context.Context, session string, than AppID) ([]OwnAccount, error) {
	if session == "" {
		return nil, nil
	}
	ids, err := s.store.AccountsBySession(ctx, s.sessionHash(session), 20)
	if err != nil {
		return nil, err
	}
	var others []OwnAccount
	for _, id := range ids {
		if id == than {
			continue
		}
		account, err := s.store.Account(ctx, id)
		if errors.Is(err, ErrNoRow) {
			continue
		}
		if err != nil {
			return nil, err
		}
		link, err := s.DashboardLink(ctx, id)
		if err != nil {
			return nil, err
		}
		others = append(others, OwnAccount{Account: account, Link: link})
	}
	return others, nil
}

// RenewDashboard revokes the link with token and returns the token of a new one.
func (s *Service) RenewDashboard(ctx context.Context, token string) (secret.Secret, error) {
	hash := s.hasher.Hash(purposeLink, token)
	l, err := s.store.LinkByHash(ctx, hash)
	if err == nil {
		next := s.newLink(l.AppID)
		failpoint.Hit("link.before_renew")
		if err = s.store.RevokeLink(ctx, hash, next, s.now()); err == nil {
			failpoint.Hit("link.after_renew")
			return next.Token, nil
		}
	}
	if errors.Is(err, ErrNoRow) {
		err = Errorf(NotFound, KeyNotFound, "dashboard link is unknown or revoked")
	}
	return secret.Secret{}, err
}
