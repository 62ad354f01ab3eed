package views

import (
	"fmt"
	"strconv"
)

// pluginSnippet is the script a Mini Program runs to start this attempt with
// WeChat's plug-in (授权流程技术说明, 小程序插件版授权). The code is fetched at the
// tap, because it lives minutes and is spent by the first use.
func pluginSnippet(m AttemptPage) string {
	biz := ""
	if m.Attempt.BizAppID != "" {
		biz = fmt.Sprintf("\n    bizAppid: %s,", strconv.Quote(string(m.Attempt.BizAppID)))
	}
	return fmt.Sprintf(`const plugin = requirePlugin('miniprogram-thirdparty-plugin')
plugin.init(wx)

wx.request({
  url: %s,
  method: 'POST',
  success: ({ data }) => plugin.openAuthorizeAccount({
    platformAppID: %s,
    preAuthCode: data.pre_auth_code,
    authType: %d,%s
  })
})
`, strconv.Quote(m.PluginURL), strconv.Quote(string(m.PlatformAppID)), m.Attempt.AuthType, biz)
}
