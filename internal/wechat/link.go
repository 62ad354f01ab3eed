package wechat

import (
	"net/url"
	"strconv"
	"strings"

	"usher/internal/onboard"
)

// Link builds the address of WeChat's authorization page, its parameters in the
// order of 授权流程技术说明. A plug-in is opened by script, not by an address:
// for it Link returns the empty string.
func (c *Client) Link(r onboard.LinkRequest) string {
	var b strings.Builder
	switch r.Channel {
	case onboard.PC:
		b.WriteString(c.pc() + "/cgi-bin/componentloginpage?")
	case onboard.H5:
		if c.OldH5 {
			b.WriteString(c.pc() + "/safe/bindcomponent?")
		} else {
			b.WriteString(c.h5() + "/wxaopen/safe/bindcomponent?")
		}
		b.WriteString("action=bindcomponent&no_scan=1&")
	default:
		return ""
	}
	b.WriteString("component_appid=" + escape(string(c.AppID)))
	b.WriteString("&pre_auth_code=" + escape(r.PreAuthCode))
	b.WriteString("&redirect_uri=" + escape(r.RedirectURL))
	b.WriteString("&auth_type=" + strconv.Itoa(int(r.AuthType)))
	if r.BizAppID != "" {
		b.WriteString("&biz_appid=" + escape(string(r.BizAppID)))
	}
	for i, id := range r.Wanted {
		if i == 0 {
			b.WriteString("&category_id_list=")
		} else {
			b.WriteString("%7C")
		}
		b.WriteString(strconv.Itoa(int(id)))
	}
	if r.Channel == onboard.H5 {
		b.WriteString("#wechat_redirect")
	}
	return b.String()
}

// escape percent-encodes everything but letters, digits and "-_.~", a space too:
// nothing says that WeChat reads a plus sign as one.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
