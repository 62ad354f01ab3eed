package wechat

import (
	"context"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// authorizationInfo is the authorization_info of two answers. Older samples call
// the id appid.
type authorizationInfo struct {
	AppID     text   `json:"authorizer_appid"`
	OldAppID  text   `json:"appid"`
	Access    text   `json:"authorizer_access_token"`
	ExpiresIn number `json:"expires_in"`
	Refresh   text   `json:"authorizer_refresh_token"`
	FuncInfo  grants `json:"func_info"`
}

func (i authorizationInfo) id() text {
	if i.AppID != "" {
		return i.AppID
	}
	return i.OldAppID
}

// Exchange spends an authorization code (获取刷新令牌,
// /cgi-bin/component/api_query_auth). An account without API permission has no
// tokens. Grants are nil when WeChat sent no func_info.
func (c *Client) Exchange(ctx context.Context, platformToken, authCode secret.Secret) (onboard.Authorization, error) {
	r := request{
		path:  "/cgi-bin/component/api_query_auth",
		token: platformToken,
		body: struct {
			AppID string `json:"component_appid"`
			Code  string `json:"authorization_code"`
		}{string(c.AppID), authCode.Reveal()},
		secrets: []secret.Secret{authCode},
	}
	var answer struct {
		Info authorizationInfo `json:"authorization_info"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return onboard.Authorization{}, err
	}
	id, ok := appID(answer.Info.id())
	if !ok {
		return onboard.Authorization{}, r.incomplete("answer without a sound authorizer_appid")
	}
	granted, ok := answer.Info.FuncInfo.domain()
	if !ok {
		return onboard.Authorization{}, r.incomplete("func_info with an entry without id")
	}
	return onboard.Authorization{AppID: id, Grants: granted, Tokens: tokens(answer.Info.Access, answer.Info.ExpiresIn, answer.Info.Refresh)}, nil
}

// tokens leaves the life zero where there is no token to live.
func tokens(access text, expiresIn number, refresh text) onboard.Tokens {
	t := onboard.Tokens{Access: secret.New(string(access)), Refresh: secret.New(string(refresh))}
	if access != "" {
		t.Life = tokenLife(expiresIn)
	}
	return t
}

// Refresh gets a new access token for an account (获取授权账号调用令牌,
// /cgi-bin/component/api_authorizer_token). The refresh token of the answer may
// be empty, which means that the one sent stays.
func (c *Client) Refresh(ctx context.Context, platformToken secret.Secret, account onboard.AppID, refresh secret.Secret) (onboard.Tokens, error) {
	r := request{
		path:  "/cgi-bin/component/api_authorizer_token",
		token: platformToken,
		body: struct {
			AppID   string `json:"component_appid"`
			Account string `json:"authorizer_appid"`
			Refresh string `json:"authorizer_refresh_token"`
		}{string(c.AppID), string(account), refresh.Reveal()},
		secrets: []secret.Secret{refresh},
	}
	var answer authorizationInfo
	if err := c.call(ctx, r, &answer); err != nil {
		return onboard.Tokens{}, err
	}
	// The page promises no appid in this answer; one that is there must be right.
	if id := answer.id(); id != "" && string(id) != string(account) {
		return onboard.Tokens{}, r.incomplete("answer for another account")
	}
	if answer.Access == "" {
		return onboard.Tokens{}, r.incomplete("answer without authorizer_access_token")
	}
	return tokens(answer.Access, answer.ExpiresIn, answer.Refresh), nil
}

// Authorizers reads one page of the accounts that WeChat holds as authorized,
// and their total (拉取已授权的账号列表,
// /cgi-bin/component/api_get_authorizer_list). An answer that is not surely a
// list is an error, because whoever is missing from the list counts as gone.
func (c *Client) Authorizers(ctx context.Context, platformToken secret.Secret, offset, count int) ([]onboard.Authorizer, int, error) {
	r := request{
		path:  "/cgi-bin/component/api_get_authorizer_list",
		token: platformToken,
		body: struct {
			AppID  string `json:"component_appid"`
			Offset int    `json:"offset"`
			Count  int    `json:"count"`
		}{string(c.AppID), offset, count},
	}
	var answer struct {
		Total number `json:"total_count"`
		List  []struct {
			AppID    text   `json:"authorizer_appid"`
			OldAppID text   `json:"appid"`
			Refresh  text   `json:"refresh_token"`
			AuthTime number `json:"auth_time"`
		} `json:"list"`
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return nil, 0, err
	}
	if !answer.Total.ok || answer.Total.n < 0 || answer.Total.n > 1<<31-1 {
		return nil, 0, r.incomplete("answer without total_count")
	}
	if answer.List == nil && int64(offset) < answer.Total.n {
		return nil, 0, r.incomplete("answer without list")
	}
	page := make([]onboard.Authorizer, 0, len(answer.List))
	for _, row := range answer.List {
		named := authorizationInfo{AppID: row.AppID, OldAppID: row.OldAppID}
		id, ok := appID(named.id())
		if !ok {
			return nil, 0, r.incomplete("list with an entry without a sound authorizer_appid")
		}
		a := onboard.Authorizer{AppID: id, Refresh: secret.New(string(row.Refresh))}
		if row.AuthTime.ok && row.AuthTime.n > 0 {
			a.AuthorizedAt = time.Unix(row.AuthTime.n, 0)
		}
		page = append(page, a)
	}
	return page, int(answer.Total.n), nil
}
