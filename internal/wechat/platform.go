package wechat

import (
	"context"
	"time"

	"usher/internal/secret"
)

// StartPushTicket asks WeChat to push tickets (启动票据推送服务,
// /cgi-bin/component/api_start_push_ticket). It succeeds as well when pushing
// was on already.
func (c *Client) StartPushTicket(ctx context.Context) error {
	own := c.secret()
	return c.call(ctx, request{
		path: "/cgi-bin/component/api_start_push_ticket",
		body: struct {
			AppID  string `json:"component_appid"`
			Secret string `json:"component_secret"` // only here it has this name
		}{string(c.AppID), own.Reveal()},
		secrets: []secret.Secret{own},
	}, &struct{}{})
}

// PlatformToken exchanges a ticket for the platform token and its life, limited
// to 60 s … 2 h (获取令牌, /cgi-bin/component/api_component_token).
func (c *Client) PlatformToken(ctx context.Context, ticket secret.Secret) (secret.Secret, time.Duration, error) {
	own := c.secret()
	r := request{
		path: "/cgi-bin/component/api_component_token",
		body: struct {
			AppID  string `json:"component_appid"`
			Secret string `json:"component_appsecret"`
			Ticket string `json:"component_verify_ticket"`
		}{string(c.AppID), own.Reveal(), ticket.Reveal()},
		secrets: []secret.Secret{own, ticket},
	}
	var answer struct {
		Token     text   `json:"component_access_token"`
		ExpiresIn number `json:"expires_in"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return secret.Secret{}, 0, err
	}
	if answer.Token == "" {
		return secret.Secret{}, 0, r.incomplete("answer without component_access_token")
	}
	return secret.New(string(answer.Token)), tokenLife(answer.ExpiresIn), nil
}

// PreAuthCode mints one pre-authorization code and says how long it lives
// (获取预授权码, /cgi-bin/component/api_create_preauthcode). The page says 1800 s
// in its text and 600 s in its sample: what the answer says counts, up to the
// former; without a usable number it is the latter.
func (c *Client) PreAuthCode(ctx context.Context, platformToken secret.Secret) (secret.Secret, time.Duration, error) {
	r := request{
		path:  "/cgi-bin/component/api_create_preauthcode",
		token: platformToken,
		body: struct {
			AppID string `json:"component_appid"`
		}{string(c.AppID)},
	}
	var answer struct {
		Code      text   `json:"pre_auth_code"`
		ExpiresIn number `json:"expires_in"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return secret.Secret{}, 0, err
	}
	if answer.Code == "" {
		return secret.Secret{}, 0, r.incomplete("answer without pre_auth_code")
	}
	life := 10 * time.Minute
	if answer.ExpiresIn.ok && answer.ExpiresIn.n > 0 {
		life = min(time.Duration(clampSeconds(int(answer.ExpiresIn.n)))*time.Second, 30*time.Minute)
	}
	return secret.New(string(answer.Code)), life, nil
}
