package wechat

import (
	"net/url"
	"testing"

	"usher/internal/onboard"
)

func TestLink(t *testing.T) {
	base := onboard.LinkRequest{PreAuthCode: "preauthcode@@@a+b/c=", RedirectURL: "https://www.example.com/cb/x?a=1&b=商", AuthType: onboard.AllAccounts}
	with := func(channel onboard.Channel, change func(*onboard.LinkRequest)) onboard.LinkRequest {
		r := base
		r.Channel = channel
		if change != nil {
			change(&r)
		}
		return r
	}
	const common = "component_appid=wx00000000000000c1&pre_auth_code=preauthcode%40%40%40a%2Bb%2Fc%3D&redirect_uri=https%3A%2F%2Fwww.example.com%2Fcb%2Fx%3Fa%3D1%26b%3D%E5%95%86"
	tests := []struct {
		name   string
		client *Client
		in     onboard.LinkRequest
		want   string
	}{
		{"PC", &Client{}, with(onboard.PC, nil), "https://mp.weixin.qq.com/cgi-bin/componentloginpage?" + common + "&auth_type=6"},
		{"PC, one account, one set", &Client{}, with(onboard.PC, func(r *onboard.LinkRequest) {
			r.AuthType, r.BizAppID, r.Wanted = onboard.MiniPrograms, account, []onboard.PermissionID{99}
		}), "https://mp.weixin.qq.com/cgi-bin/componentloginpage?" + common + "&auth_type=2&biz_appid=wx00000000000000a1&category_id_list=99"},
		{"PC, two sets", &Client{}, with(onboard.PC, func(r *onboard.LinkRequest) { r.Wanted = []onboard.PermissionID{31, 99} }),
			"https://mp.weixin.qq.com/cgi-bin/componentloginpage?" + common + "&auth_type=6&category_id_list=31%7C99"},
		{"H5", &Client{}, with(onboard.H5, nil), "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&" + common + "&auth_type=6#wechat_redirect"},
		{"H5, one account, two sets", &Client{}, with(onboard.H5, func(r *onboard.LinkRequest) {
			r.AuthType, r.BizAppID, r.Wanted = onboard.SalesAssistants, account, []onboard.PermissionID{1, 17}
		}), "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&" + common + "&auth_type=8&biz_appid=wx00000000000000a1&category_id_list=1%7C17#wechat_redirect"},
		{"H5 of 2022", &Client{OldH5: true}, with(onboard.H5, nil), "https://mp.weixin.qq.com/safe/bindcomponent?action=bindcomponent&no_scan=1&" + common + "&auth_type=6#wechat_redirect"},
		{"space in the redirect", &Client{}, with(onboard.PC, func(r *onboard.LinkRequest) { r.PreAuthCode, r.RedirectURL = "p", "https://a/b c" }),
			"https://mp.weixin.qq.com/cgi-bin/componentloginpage?component_appid=wx00000000000000c1&pre_auth_code=p&redirect_uri=https%3A%2F%2Fa%2Fb%20c&auth_type=6"},
		{"other hosts", &Client{PC: "http://127.0.0.1:1", H5: "http://127.0.0.1:2"}, with(onboard.H5, func(r *onboard.LinkRequest) { r.PreAuthCode, r.RedirectURL = "p", "r" }),
			"http://127.0.0.1:2/wxaopen/safe/bindcomponent?action=bindcomponent&no_scan=1&component_appid=wx00000000000000c1&pre_auth_code=p&redirect_uri=r&auth_type=6#wechat_redirect"},
		{"plug-in", &Client{}, with(onboard.Plugin, nil), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.AppID = testAppID
			got := tt.client.Link(tt.in)
			if got != tt.want {
				t.Errorf("Link(%+v) =\n%s, want\n%s", tt.in, got, tt.want)
			}
			if u, err := url.Parse(got); err != nil || got != "" && u.Query().Get("redirect_uri") != tt.in.RedirectURL {
				t.Errorf("Link(%+v): the redirect comes back as %q, %v", tt.in, u.Query().Get("redirect_uri"), err)
			}
		})
	}
}
