package simulator

import (
	"cmp"
	"slices"
)

// queryAuth is 使用授权码获取授权信息 (api_query_auth).
func (s *Simulator) queryAuth(c *call) (object, *apiError) {
	if failed := s.checkComponent(c); failed != nil {
		return nil, failed
	}
	value, failed := c.text("authorization_code")
	if failed != nil {
		return nil, failed
	}
	code := s.authCodes[value]
	switch {
	case code == nil, code.used && !s.options.AuthCodeReusable, code.grant.ended:
		return nil, failure(61009)
	case !s.now().Before(code.expires):
		return nil, failure(61010)
	}
	code.used = true
	g := code.grant
	info := object{
		"authorizer_appid": g.account.appID,
		"func_info":        s.funcInfo(g),
	}
	if !g.account.noAPI {
		info["authorizer_access_token"] = s.newAccess(g)
		info["expires_in"] = seconds(accessTokenLife)
		info["authorizer_refresh_token"] = g.refresh
	}
	return object{"authorization_info": info}, nil
}

// funcInfo lists what was granted. Some entries carry confirm_info, as in the
// official sample.
func (s *Simulator) funcInfo(g *grant) []object {
	list := []object{}
	for _, id := range slices.Concat(g.sets, s.options.ExtraSets) {
		entry := object{"funcscope_category": object{"id": id}}
		if id%2 == 1 {
			entry["confirm_info"] = object{"need_confirm": 0, "already_confirm": 0, "can_confirm": 0}
		}
		list = append(list, entry)
	}
	return list
}

// authorizerToken is 刷新授权账号令牌 (api_authorizer_token).
func (s *Simulator) authorizerToken(c *call) (object, *apiError) {
	a, failed := s.named(c)
	if failed != nil {
		return nil, failed
	}
	refresh, failed := c.text("authorizer_refresh_token")
	if failed != nil {
		return nil, failed
	}
	g, now := a.grant, s.now()
	if a.noAPI || !g.accepts(refresh, now) {
		return nil, failure(61023)
	}
	if s.options.RotateRefreshToken {
		g.oldRefresh[g.refresh] = now.Add(s.options.RefreshGrace)
		g.refresh = newRefreshToken()
	}
	return object{
		"authorizer_access_token":  s.newAccess(g),
		"expires_in":               seconds(accessTokenLife),
		"authorizer_refresh_token": g.refresh,
	}, nil
}

// authorizerInfo is 获取授权账号详情 (api_get_authorizer_info).
func (s *Simulator) authorizerInfo(c *call) (object, *apiError) {
	a, failed := s.named(c)
	if failed != nil {
		return nil, failed
	}
	authorization := object{"authorizer_appid": a.appID, "func_info": s.funcInfo(a.grant)}
	if !a.noAPI && !s.options.InfoOmitsRefreshToken {
		authorization["authorizer_refresh_token"] = a.grant.refresh
	}
	return object{"authorizer_info": a.profile(c.base), "authorization_info": authorization}, nil
}

// authorizerList is 拉取已授权的账号信息 (api_get_authorizer_list), oldest first.
func (s *Simulator) authorizerList(c *call) (object, *apiError) {
	if failed := s.checkComponent(c); failed != nil {
		return nil, failed
	}
	offset, failed := c.number("offset")
	if failed != nil {
		return nil, failed
	}
	count, failed := c.number("count")
	if failed != nil {
		return nil, failed
	}
	if count > 500 {
		return nil, failure(40170)
	}
	if offset < 0 || count < 0 {
		return nil, failure(40097)
	}
	var all []*account
	for _, a := range s.accounts {
		if a.grant != nil {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(x, y *account) int { return cmp.Compare(x.grant.at.Unix(), y.grant.at.Unix()) })
	list := []object{}
	for _, a := range all[min(offset, len(all)):min(offset+count, len(all))] {
		refresh := a.grant.refresh
		if a.noAPI || s.options.ListOmitsRefreshToken {
			refresh = ""
		}
		list = append(list, object{"authorizer_appid": a.appID, "refresh_token": refresh, "auth_time": a.grant.at.Unix()})
	}
	return object{"total_count": len(all), "list": list}, nil
}

// named returns the authorized account that the body's authorizer_appid names.
func (s *Simulator) named(c *call) (*account, *apiError) {
	if failed := s.checkComponent(c); failed != nil {
		return nil, failed
	}
	id, failed := c.text("authorizer_appid")
	if failed != nil {
		return nil, failed
	}
	a := s.account(id)
	switch {
	case a == nil:
		return nil, failure(40013)
	case a.grant == nil:
		return nil, failure(61003)
	}
	return a, nil
}
