package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A controlView is what the control page shows.
type controlView struct {
	Said      string
	Truth     Truth
	Pushes    []Delivery // newest first
	Merchants []merchantView
	Endpoints []string
	Kinds     []FaultKind
	Switches  []switchView
	Durations []durationView
	EventURL  string
	Domain    string
	IPs       string
	TestList  string
	ExtraSets string
	Calls     []callView
}

type merchantView struct {
	AppID, UserName, Nickname, Kind, Note string
	Authorized, Eligible                  bool
	Sets                                  []int
	AccessUntil                           time.Time
}

type switchView struct {
	Name, Label string
	On          bool
}

type durationView struct {
	Name, Label, Value string
}

type callView struct {
	Path string
	CallCount
}

// labels explains the switches in the language of the page.
func labels() map[string]string {
	return map[string]string{
		"auth_code_reusable":       "授权码可以重复使用",
		"different_codes":          "跳转和推送带不同的授权码",
		"rotate_refresh_token":     "每次刷新都换新的刷新令牌",
		"list_omits_refresh_token": "账号列表里不给刷新令牌",
		"info_omits_refresh_token": "账号详情里不给刷新令牌",
		"h5_referer_unchecked":     "手机链接不检查来源页",
		"wechat_browser_only":      "手机链接只允许微信浏览器",
		"redirect_lost":            "同意后不跳转回去",
		"unpublished":              "未全网发布（只有测试列表能授权）",
		"tickets_stopped":          "票据推送服务已停止",
		"pre_auth_code_life":       "预授权码有效期",
		"auth_code_life":           "授权码有效期",
		"platform_token_overlap":   "旧平台令牌的过渡期",
		"reauthorization_grace":    "重新授权后旧令牌的过渡期",
		"refresh_grace":            "旧刷新令牌的过渡期",
	}
}

func (s *Simulator) controlPage(w http.ResponseWriter, r *http.Request) {
	v := controlView{Said: r.URL.Query().Get("said"), Truth: s.Truth(), Endpoints: s.Endpoints(), Kinds: FaultKinds()}
	v.Pushes = slices.Clone(v.Truth.Pushes)
	slices.Reverse(v.Pushes)
	v.Pushes = v.Pushes[:min(len(v.Pushes), 40)]
	for _, path := range v.Endpoints {
		if n := v.Truth.Calls[path]; n.Total > 0 {
			v.Calls = append(v.Calls, callView{path, n})
		}
	}
	o, text := v.Truth.Options, labels()
	for _, name := range slices.Sorted(maps.Keys(o.switches())) {
		v.Switches = append(v.Switches, switchView{name, text[name], *o.switches()[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(o.durations())) {
		v.Durations = append(v.Durations, durationView{name, text[name], o.durations()[name].String()})
	}
	v.IPs, v.TestList = strings.Join(o.AllowedIPs, ";"), strings.Join(o.TestList, ";")
	v.ExtraSets = joinInts(o.ExtraSets)
	s.mu.Lock()
	v.EventURL, v.Domain = s.cfg.EventURL, s.cfg.LaunchDomain
	for _, a := range s.accounts {
		t := s.trueAccount(a)
		v.Merchants = append(v.Merchants, merchantView{
			AppID: a.appID, UserName: a.userName, Nickname: a.nickname, Kind: a.kindName(), Note: a.note(),
			Authorized: t.Authorized, Eligible: a.eligible(), Sets: t.Permissions, AccessUntil: t.AccessTokenExpiresAt,
		})
	}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "control.html", v)
}

// note says what is special about the account.
func (a *account) note() string {
	switch {
	case a.status == 14:
		return "已注销"
	case a.status == 16:
		return "已封禁"
	case a.status == 18:
		return "已告警"
	case a.status == 19:
		return "已冻结"
	case a.kind == MiniProgram && a.serviceType == 4:
		return "小游戏，不能授权"
	case a.noAPI:
		return "没有接口权限"
	case len(a.heldElsewhere) > 0:
		return "部分互斥权限在其他平台"
	}
	return ""
}
