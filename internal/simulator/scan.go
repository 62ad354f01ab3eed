package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A scan is one opening of an authorization page: the request for consent that
// a person may agree to on a phone.
type scan struct {
	id          string
	preAuthCode string
	redirect    *url.URL
	authType    string
	bizAppID    string
	wanted      []int // category_id_list; nil = all of the platform's
	desktop     bool  // opened on the PC page: that browser is sent back, not the phone
	done        bool
	returnTo    string // where the desktop browser goes once done; empty = nowhere
}

// A refusal is an error page: the text WeChat shows and, since the real page
// leaves developers guessing, a note on what the simulator found.
type refusal struct{ text, note string }

func (r *refusal) Error() string { return "simulator: refused: " + r.text + " (" + r.note + ")" }

const (
	badPermission = "该第三方平台指定了无效的权限，或配置的权限类型与当前微信号绑定的账号类型不一致"
	badCode       = "PreAuthCode 无效"
	deadCode      = "PreAuthCode 失效"
	badParameter  = "参数错误"
)

// parseLink checks the parameters of an authorization link against 授权流程技术说明
// and opens a scan for it. Nothing is consumed yet.
func (s *Simulator) parseLink(path string, q url.Values) (*scan, *refusal) {
	for _, name := range []string{"component_appid", "pre_auth_code", "redirect_uri", "auth_type", "biz_appid", "category_id_list", "action", "no_scan"} {
		if len(q[name]) > 1 {
			return nil, &refusal{badParameter, name + " 出现了多次"}
		}
		if q.Has(name) && q.Get(name) == "" {
			return nil, &refusal{badParameter, name + " 为空，不需要时不要带上这个参数"}
		}
	}
	for _, name := range []string{"component_appid", "pre_auth_code", "redirect_uri", "auth_type"} {
		if !q.Has(name) {
			return nil, &refusal{badParameter, "缺少 " + name}
		}
	}
	if path != pcPath {
		if a := q.Get("action"); a != "" && a != "bindcomponent" || q.Has("no_scan") && q.Get("no_scan") != "1" {
			return nil, &refusal{badParameter, "action 应为 bindcomponent，no_scan 应为 1"}
		}
	}
	if q.Get("component_appid") != s.cfg.AppID {
		return nil, &refusal{"第三方平台不存在", "component_appid 不是登记的第三方平台"}
	}
	sc := &scan{
		id:          randomText(24, hexDigits),
		preAuthCode: q.Get("pre_auth_code"),
		authType:    q.Get("auth_type"),
		bizAppID:    q.Get("biz_appid"),
		desktop:     path == pcPath,
	}
	if no := s.checkPreAuthCode(sc.preAuthCode); no != nil {
		return nil, no
	}
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || redirect.Scheme != "http" && redirect.Scheme != "https" || redirect.Host == "" {
		return nil, &refusal{badParameter, "redirect_uri 不是完整的网址"}
	}
	sc.redirect = redirect
	if _, ok := kindsOf(sc.authType); !ok {
		return nil, &refusal{badParameter, "auth_type 不是文档中的值"}
	}
	if list := q.Get("category_id_list"); list != "" {
		if no := s.parseWanted(sc, list); no != nil {
			return nil, no
		}
	}
	return sc, nil
}

// checkPreAuthCode tells a code that never was from one that is over.
func (s *Simulator) checkPreAuthCode(value string) *refusal {
	code := s.preAuthCodes[value]
	switch {
	case code == nil:
		return &refusal{badCode, "不是这个平台取到的预授权码"}
	case code.used:
		return &refusal{deadCode, "预授权码已经用过，只能用一次"}
	case !s.now().Before(code.expires):
		return &refusal{deadCode, "预授权码已过期"}
	}
	return nil
}

// parseWanted reads category_id_list: ids joined by a vertical bar, each of them
// held by the platform and fit for an account the link allows.
func (s *Simulator) parseWanted(sc *scan, list string) *refusal {
	kinds := s.kinds(sc)
	for part := range strings.SplitSeq(list, "|") {
		id, err := strconv.Atoi(part)
		if err != nil {
			return &refusal{badPermission, fmt.Sprintf("category_id_list 里的 %q 不是数字", part)}
		}
		if !slices.Contains(s.cfg.PermissionSets, id) {
			return &refusal{badPermission, fmt.Sprintf("平台没有权限集 %d", id)}
		}
		fits := slices.ContainsFunc(permissionSets(), func(p permissionSet) bool {
			return p.id == id && slices.ContainsFunc(kinds, p.fits)
		})
		if !fits {
			return &refusal{badPermission, fmt.Sprintf("权限集 %d 不适用于这类账号", id)}
		}
		sc.wanted = append(sc.wanted, id)
	}
	return nil
}

// kinds is what accounts the link allows; biz_appid wins over auth_type.
func (s *Simulator) kinds(sc *scan) []Kind {
	if a := s.account(sc.bizAppID); a != nil {
		return []Kind{a.kind}
	}
	kinds, _ := kindsOf(sc.authType)
	return kinds
}

// candidates lists the accounts a person who administers all of them may choose
// from, and why there is none if there is none.
func (s *Simulator) candidates(sc *scan) ([]*account, *refusal) {
	kinds := s.kinds(sc)
	var list []*account
	untested := false
	for _, a := range s.accounts {
		if !a.eligible() || !slices.Contains(kinds, a.kind) || sc.bizAppID != "" && a.appID != sc.bizAppID {
			continue
		}
		if s.options.Unpublished && !slices.Contains(s.options.TestList, a.userName) {
			untested = true
			continue
		}
		if free, _ := a.offer(sc.wanted, s.cfg.PermissionSets); len(free) > 0 {
			list = append(list, a)
		}
	}
	switch {
	case len(list) > 0:
		return list, nil
	case untested:
		return nil, &refusal{"该第三方平台未全网发布，仅支持授权测试列表中的账号", "平台未全网发布"}
	case sc.bizAppID != "":
		return nil, &refusal{"该第三方平台仅支持指定账号「" + sc.bizAppID + "」进行授权", "指定的账号不存在、已冻结或不能授权"}
	}
	return nil, &refusal{badPermission, "没有账号能给出这些权限"}
}

// notAdmin is what a person who administers none of the accounts is told.
func (s *Simulator) notAdmin(sc *scan) *refusal {
	const note = "扫码的人不是管理员"
	if sc.bizAppID != "" {
		return &refusal{"该第三方平台仅支持指定账号「" + sc.bizAppID + "」进行授权", note}
	}
	switch sc.authType {
	case "1":
		return &refusal{"该授权仅支持公众号账号，当前微信号尚未绑定为任何公众号的管理员", note}
	case "2", "4":
		return &refusal{"该授权仅支持小程序账号，当前微信号尚未绑定为任何小程序的管理员", note}
	case "5":
		return &refusal{"该授权仅支持视频号账号，当前微信号尚未绑定为任何视频号的管理员", note}
	case "8":
		return &refusal{"该授权仅支持带货助手账号，当前微信号尚未绑定为任何带货助手的管理员", note}
	}
	return &refusal{"该授权支持小程序和公众号账号，当前微信号尚未绑定为任何小程序或公众号的管理员", note}
}

// agree consumes the pre-authorization code, authorizes the account and returns
// where the browser that opened the link goes; empty when RedirectLost.
func (s *Simulator) agree(sc *scan, appID string, ids []int) (string, error) {
	if no := s.checkPreAuthCode(sc.preAuthCode); no != nil {
		return "", no
	}
	list, no := s.candidates(sc)
	if no != nil {
		return "", no
	}
	i := slices.IndexFunc(list, func(a *account) bool { return a.appID == appID })
	if i < 0 {
		return "", &refusal{"请选择要授权的账号", "账号不在可选的列表里"}
	}
	ids, err := s.allowed(list[i], ids, sc.wanted)
	if err != nil {
		return "", &refusal{badPermission, "选择了这个账号不能给出的权限集"}
	}
	if len(ids) == 0 {
		return "", &refusal{"请至少选择一项权限", "没有选择权限集"}
	}
	s.preAuthCodes[sc.preAuthCode].used = true
	code := s.announce(list[i], ids, sc.preAuthCode)
	sc.done = true
	if !s.options.RedirectLost {
		sc.returnTo = s.returnURL(sc, code)
	}
	return sc.returnTo, nil
}

// returnURL appends auth_code and expires_in to redirect_uri, after the query
// that is already there.
func (s *Simulator) returnURL(sc *scan, code string) string {
	u := *sc.redirect
	add := url.Values{"auth_code": {code}, "expires_in": {strconv.Itoa(int(s.options.AuthCodeLife / time.Second))}}.Encode()
	if u.RawQuery != "" {
		add = u.RawQuery + "&" + add
	}
	u.RawQuery = add
	return u.String()
}

// Consent is an administrator who opens an authorization link and agrees.
type Consent struct {
	Link        string // the link as the client made it, PC or phone
	AppID       string // the account to authorize
	Permissions []int  // sets to tick; nil = all that are offered
}

// Consent does what the pages do after their Referer check: it opens the link,
// agrees, queues the push and returns where the browser is sent. The error's
// text is the one the page would show.
func (s *Simulator) Consent(c Consent) (redirect string, err error) {
	u, err := url.Parse(c.Link)
	if err != nil {
		return "", fmt.Errorf("simulator: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sc, no := s.parseLink(u.Path, u.Query())
	if no == nil {
		no = s.checkHosts(sc, "", false)
	}
	if no != nil {
		return "", no
	}
	return s.agree(sc, c.AppID, c.Permissions)
}
