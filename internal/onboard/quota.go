package onboard

import (
	"context"
	"time"

	"usher/internal/secret"
)

// Usage is how much of an API's allowance is used. Limits that WeChat did not
// send are zero.
type Usage struct {
	API                      string // last path segment, such as "api_query_auth"
	DailyLimit, Used, Remain int
	// RateCalls are allowed in every RateWindow.
	RateCalls  int
	RateWindow time.Duration
}

// countedAPIs are the platform's own APIs whose daily calls are limited, in the order of
// an authorization.
var countedAPIs = []string{
	"api_component_token", "api_create_preauthcode", "api_query_auth", "api_authorizer_token",
	"api_get_authorizer_info", "api_get_authorizer_list",
}

// Quotas asks WeChat how many of the day's calls are used (quota/get), which
// costs none of them.
func (s *Service) Quotas(ctx context.Context) ([]Usage, error) {
	all := make([]Usage, 0, len(countedAPIs))
	for _, api := range countedAPIs {
		var u Usage
		err := s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
			u, err = s.wechat.Quota(ctx, token, "/cgi-bin/component/"+api)
			return err
		})
		if err != nil {
			return nil, err
		}
		u.API = api
		all = append(all, u)
	}
	return all, nil
}

// ClearQuota begins the day's calls anew. WeChat allows it 10 times a month, so
// only a person may ask for it.
func (s *Service) ClearQuota(ctx context.Context) error {
	err := s.wechat.ClearQuota(ctx)
	if err == nil {
		s.TryAgain()
	}
	return err
}

// StartPush asks WeChat to push tickets. It harms nothing when they come already,
// and it tells whether WeChat accepts our address, AppID and AppSecret. A person
// asks: perhaps what kept us away is mended, so WeChat is really called.
func (s *Service) StartPush(ctx context.Context) error {
	s.TryAgain()
	s.platform.mu.Lock()
	s.platform.askedAt = s.now()
	s.platform.mu.Unlock()
	return s.wechat.StartPushTicket(ctx)
}

// CheckPlatform finds out whether WeChat serves us: by the AppSecret, and where
// there is a ticket by a token too.
func (s *Service) CheckPlatform(ctx context.Context) error {
	if err := s.StartPush(ctx); err != nil {
		return err
	}
	tickets, err := s.store.Tickets(ctx)
	if err != nil || len(tickets) == 0 || s.now().Sub(tickets[0].ReceivedAt) >= TicketLife {
		return err
	}
	err = s.withPlatformToken(ctx, func(token secret.Secret) error {
		_, _, err := s.wechat.Authorizers(ctx, token, 0, 1)
		return err
	})
	if err != nil {
		return err
	}
	return s.goOn(ctx)
}
