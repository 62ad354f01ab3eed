package views

import "strconv"

// pluginSnippet is the script a Mini Program runs to start an attempt with
// WeChat's plug-in (授权流程技术说明, 小程序插件版授权). address answers with what
// openAuthorizeAccount takes. It is asked at the tap, because a code lives
// minutes and is spent by the first use.
func pluginSnippet(address string) string {
	return `const plugin = requirePlugin('miniprogram-thirdparty-plugin')
plugin.init(wx)

wx.request({
  url: ` + strconv.Quote(address) + `,
  method: 'POST',
  success({ statusCode, data }) {
    if (statusCode === 200) plugin.openAuthorizeAccount(data)
    else wx.showToast({ title: data.message, icon: 'none' })
  }
})
`
}
