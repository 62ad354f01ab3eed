package simulator

import (
	"fmt"
	"strings"
)

// resetsPerMonth is how often an account may clear its quota, over all methods.
const resetsPerMonth = 10

// A quotaBook counts calls and resets.
type quotaBook struct {
	used   map[string]int // by appid, day and path
	resets map[string]int // by appid and month
}

// quotaKey names the counter of one endpoint for one account today.
func (s *Simulator) quotaKey(appID, path string) string {
	return fmt.Sprintf("%s %s %s", appID, s.now().Format("2006-01-02"), path)
}

// spend counts a call; it reports false when the day's quota is used up. The
// calls about quotas cost nothing, or nobody could ask after the last one.
func (s *Simulator) spend(appID, path string) bool {
	if strings.Contains(path, "quota") {
		return true
	}
	key := s.quotaKey(appID, path)
	if s.quota.used[key] >= s.options.DailyQuota {
		return false
	}
	s.quota.used[key]++
	return true
}

// quotaGet is 查询API调用额度 (openapi/quota/get).
func (s *Simulator) quotaGet(c *call) (object, *apiError) {
	path, failed := c.text("cgi_path")
	if failed != nil {
		return nil, failed
	}
	if _, known := s.endpoints[path]; !known {
		return nil, failure(76003)
	}
	used := s.quota.used[s.quotaKey(c.caller, path)]
	return object{
		"errcode":    0,
		"errmsg":     "ok",
		"quota":      object{"daily_limit": s.options.DailyQuota, "used": used, "remain": max(0, s.options.DailyQuota-used)},
		"rate_limit": object{"call_count": 1000, "refresh_second": 60},
	}, nil
}

// clearQuota is 重置API调用次数 (clear_quota); the body names the token's owner.
func (s *Simulator) clearQuota(c *call) (object, *apiError) {
	id, failed := c.text("appid")
	if failed != nil {
		return nil, failed
	}
	if id != c.caller {
		return nil, failure(40013)
	}
	return s.reset(id)
}

// clearQuotaV2 is 使用AppSecret重置第三方平台API调用次数 (component/clear_quota/v2),
// which works when even api_component_token is used up.
func (s *Simulator) clearQuotaV2(c *call) (object, *apiError) {
	if failed := s.checkSecret(c, "appsecret"); failed != nil {
		return nil, failed
	}
	id, failed := c.text("appid")
	if failed != nil {
		return nil, failed
	}
	if id == "" || id == s.cfg.AppID {
		return s.reset(s.cfg.AppID)
	}
	if a := s.account(id); a == nil || a.grant == nil {
		return nil, failure(61003)
	}
	return s.reset(id)
}

func (s *Simulator) reset(appID string) (object, *apiError) {
	month := appID + s.now().Format(" 2006-01")
	if s.quota.resets[month] >= resetsPerMonth {
		return nil, failure(48006)
	}
	s.quota.resets[month]++
	for key := range s.quota.used {
		if strings.HasPrefix(key, appID+" ") {
			delete(s.quota.used, key)
		}
	}
	return object{"errcode": 0, "errmsg": "ok"}, nil
}
