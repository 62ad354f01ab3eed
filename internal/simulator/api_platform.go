package simulator

import "time"

// startPushTicket is 启动票据推送服务 (api_start_push_ticket), the only call that
// names the secret component_secret. A ticket follows at once.
func (s *Simulator) startPushTicket(c *call) (object, *apiError) {
	if failed := s.checkSecret(c, "component_secret"); failed != nil {
		return nil, failed
	}
	text := "ok"
	if !s.options.TicketsStopped && len(s.tickets) > 0 {
		text = "ticket push service is in a normal state"
	}
	s.options.TicketsStopped = false
	s.nextTicket = s.now()
	s.nudge()
	return object{"errcode": 0, "errmsg": text}, nil
}

// componentToken is 获取第三方平台令牌 (api_component_token).
func (s *Simulator) componentToken(c *call) (object, *apiError) {
	if failed := s.checkSecret(c, "component_appsecret"); failed != nil {
		return nil, failed
	}
	value, failed := c.text("component_verify_ticket")
	if failed != nil {
		return nil, failed
	}
	now := s.now()
	var found *ticket
	for i := range s.tickets {
		if s.tickets[i].value == value {
			found = &s.tickets[i]
		}
	}
	if found == nil {
		if len(s.tickets) == 0 && !s.options.TicketsStopped {
			s.nextTicket = now // nobody was told a ticket yet: push the first
			s.nudge()
		}
		return nil, failure(61006)
	}
	if now.Sub(found.at) >= ticketLife {
		return nil, failure(61005)
	}
	if old := s.platformTokens[s.platformToken]; old != nil {
		old.replace(now.Add(s.options.PlatformTokenOverlap))
	}
	s.platformToken = newAccessToken()
	s.platformTokens[s.platformToken] = &liveToken{appID: s.cfg.AppID, expires: now.Add(accessTokenLife)}
	return object{"component_access_token": s.platformToken, "expires_in": seconds(accessTokenLife)}, nil
}

// createPreAuthCode is 获取预授权码 (api_create_preauthcode).
func (s *Simulator) createPreAuthCode(c *call) (object, *apiError) {
	if failed := s.checkComponent(c); failed != nil {
		return nil, failed
	}
	code := newPreAuthCode()
	s.preAuthCodes[code] = &preAuthCode{expires: s.now().Add(s.options.PreAuthCodeLife)}
	return object{"pre_auth_code": code, "expires_in": seconds(s.options.PreAuthCodeLife)}, nil
}

// callbackIPs is 获取微信推送服务器IP (getcallbackip).
func (s *Simulator) callbackIPs(*call) (object, *apiError) {
	return object{"ip_list": []string{"127.0.0.1", "::1"}}, nil
}

// checkSecret compares component_appid and the secret in the named field.
func (s *Simulator) checkSecret(c *call, field string) *apiError {
	if failed := s.checkComponent(c); failed != nil {
		return failed
	}
	secret, failed := c.text(field)
	switch {
	case failed != nil:
		return failed
	case secret == "":
		return failure(41004)
	case secret != s.cfg.Secret:
		return failure(40125)
	}
	return nil
}

func seconds(d time.Duration) int { return int(d / time.Second) }
