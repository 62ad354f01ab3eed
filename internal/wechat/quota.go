package wechat

import (
	"context"
	"net/netip"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// Quota reads the usage of the platform API at path, such as
// "/cgi-bin/component/api_create_preauthcode" (查询API调用额度,
// /cgi-bin/openapi/quota/get).
func (c *Client) Quota(ctx context.Context, platformToken secret.Secret, path string) (onboard.Usage, error) {
	r := request{
		path:  "/cgi-bin/openapi/quota/get",
		token: platformToken,
		body: struct {
			Path string `json:"cgi_path"`
		}{path},
	}
	type rate struct {
		Calls  number `json:"call_count"`
		Second number `json:"refresh_second"`
	}
	var answer struct {
		Quota *struct {
			Limit  number `json:"daily_limit"`
			Used   number `json:"used"`
			Remain number `json:"remain"`
		} `json:"quota"`
		Rate          rate `json:"rate_limit"`
		ComponentRate rate `json:"component_rate_limit"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return onboard.Usage{}, err
	}
	if answer.Quota == nil {
		return onboard.Usage{}, r.incomplete("answer without quota")
	}
	limit := answer.ComponentRate // the one that counts for a platform's API
	if !limit.Calls.ok {
		limit = answer.Rate
	}
	return onboard.Usage{
		DailyLimit: answer.Quota.Limit.or(0), Used: answer.Quota.Used.or(0), Remain: answer.Quota.Remain.or(0),
		RateCalls: limit.Calls.or(0), RateWindow: time.Duration(clampSeconds(limit.Second.or(0))) * time.Second,
	}, nil
}

// ClearQuota resets the day's calls of the platform by its secret
// (/cgi-bin/component/clear_quota/v2), which works even when api_component_token
// is used up. WeChat allows 10 resets a month, so only a person may ask for one.
func (c *Client) ClearQuota(ctx context.Context) error {
	own := c.secret()
	return c.call(ctx, request{
		path: "/cgi-bin/component/clear_quota/v2",
		body: struct {
			AppID  string `json:"component_appid"`
			Secret string `json:"appsecret"`
		}{string(c.AppID), own.Reveal()},
		secrets: []secret.Secret{own},
	}, &struct{}{})
}

// CallbackIPs reads the addresses and networks from which WeChat pushes
// (获取微信推送服务器IP, /cgi-bin/getcallbackip). WeChat advises to read them
// daily.
func (c *Client) CallbackIPs(ctx context.Context, platformToken secret.Secret) ([]netip.Prefix, error) {
	r := request{path: "/cgi-bin/getcallbackip", token: platformToken}
	var answer struct {
		List []text `json:"ip_list"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, s := range answer.List {
		if ip, err := netip.ParseAddr(string(s)); err == nil {
			out = append(out, netip.PrefixFrom(ip, ip.BitLen()))
		} else if p, err := netip.ParsePrefix(string(s)); err == nil {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, r.incomplete("answer without addresses in ip_list")
	}
	return out, nil
}
