package views_test

import (
	"strings"
	"testing"

	"usher/internal/i18n"
	"usher/views/styleguide"
)

// rows are the states that a merchant can meet, each with the scenes that show it
// and a sentence of it in both languages: what happened, or what to do.
var rows = []struct {
	state  string
	scenes string // separated by spaces
	zh, en string
}{
	{"form", "connect", "连接你的公众号或小程序", "Connect your Official Account or Mini Program"},
	{"form without a type", "connect-errors", "选择要授权的账号类型", "Choose which kind of account to connect"},
	{"form with a wrong AppID", "connect-errors", "AppID 以 wx 开头，共 18 位", "An AppID starts with wx and has 18 characters"},
	{"by invitation only", "connect-invite-only", "需要邀请链接", "You need an invite"},
	{"waiting for a scan", "attempt-created live-created", "等待扫码", "Waiting for a scan"},
	{"open on the phone", "attempt-opened live-opened", "手机已打开，等待确认", "Open on the phone"},
	{"handed off", "attempt-handed-off live-handed-off attempt-wechats-page", "正在微信中确认", "Being confirmed in WeChat"},
	{"exchanging", "attempt-exchanging live-exchanging phone-exchanging result-exchanging result-phone-exchanging", "已授权，正在读取权限…", "Connected. Reading permissions…"},
	{"done", "attempt-done live-done result-ok result-phone-ok result-ok-many", "授权完成", "Connected"},
	{"done, seen from a tab in the background", "result-ok", "<title>✓ 已授权", "<title>✓ Connected"},
	{"done, profile late", "result-ok-late result-phone-ok-late", "账号资料稍后显示", "Account details will appear soon"},
	{"waiting for the decision of the operator", "result-held result-phone-held", "已授权，等待核对", "waiting to be checked"},
	{"on to the site of the operator", "result-return result-phone-return result-return-missing", "继续前往 shop.example.com", "Continue to shop.example.com"},
	{"refused by the operator", "dashboard-refused", "没有使用", "Not in use"},
	{"permissions missing", "attempt-done-missing result-missing result-phone-missing", "还缺 2 项权限", "2 permissions missing"},
	{"permissions missing, how to mend it", "result-missing result-phone-missing", "补充授权", "Add permissions"},
	{"missing because exclusive", "result-missing result-phone-missing", "只能授权给一个服务商", "Only one provider can hold"},
	{"already connected", "result-already result-phone-already", "已经授权过了", "was already connected"},
	{"updated", "result-updated result-phone-updated", "新增 2 项，减少 1 项", "2 added, 1 removed"},
	{"wrong account", "attempt-done-wrong result-wrong result-phone-wrong result-wrong-stranger", "授权的不是指定账号", "Not the expected account"},
	{"wrong account, which", "result-wrong result-phone-wrong", "你授权了“山茶花外卖”，但这次需要“山茶花茶舍”", "山茶花外卖"},
	{"WeChat allows one account only", "help", "仅支持指定账号", "one specific account only"},
	{"not an admin", "phone-not-admin", "转发给管理员", "admin"},
	{"not an admin, in WeChat's words", "help", "尚未绑定为任何小程序或公众号的管理员", "尚未绑定为任何小程序或公众号的管理员"},
	{"no answer", "attempt-no-answer live-no-answer phone-returned result-waiting result-phone-waiting", "微信没有告诉我们结果", "WeChat has not told us the result"},
	{"no answer, how to go on", "attempt-no-answer phone-returned", "继续授权", "Continue"},
	{"checked, nothing yet", "attempt-no-answer phone-returned-checked result-waiting", "还没有查到", "Nothing found yet"},
	{"code expired", "attempt-expired live-expired", "二维码已过期", "This code has expired"},
	{"code expired, how to go on", "attempt-expired", "换一个二维码", "Get a new code"},
	{"code expired, on the phone", "phone-expired", "请在电脑上换一个二维码再扫", "new code"},
	{"invite expired", "attempt-invite-expired phone-invite-expired", "邀请已过期", "This invite has expired"},
	{"invite expired, by the operator", "attempt-invite-expired-operator", "请让发给你的人重新发一个", "Ask the person who sent it for a new one"},
	{"invite used", "phone-invite-used", "这个邀请已经用过了", "This invite has been used"},
	{"code used", "phone-used phone-used-stranger", "这个二维码已经用过了", "This code has been used"},
	{"revoked", "attempt-revoked result-revoked result-phone-revoked result-revoked-stranger dashboard-revoked", "取消", "cancel"},
	{"revoked, by whom and when", "result-revoked", "“山茶花茶舍”在 11 月 12 日 10:34 取消了授权，我们已停用它的令牌", "We have stopped using its tokens"},
	{"WeChat does not answer", "attempt-blocked-wechat phone-blocked-wechat result-blocked", "微信暂时没有响应", "WeChat is not answering"},
	{"ticket missing", "attempt-blocked-ticket phone-blocked-ticket", "暂时不能发起授权", "Cannot start right now"},
	{"credentials refused", "attempt-blocked-credentials phone-blocked-credentials", "暂时不能发起授权", "Cannot start right now"},
	{"address refused", "attempt-blocked-ip phone-blocked-ip", "白名单", "allow"},
	{"a blocked page has a reference", "attempt-blocked-ticket phone-blocked-ticket", "编号 R-8K2M", "R-8K2M"},
	{"quota used up", "attempt-blocked-quota phone-blocked-quota", "今天的次数用完了", "The limit for today is reached"},
	{"not released", "attempt-blocked-unpublished phone-blocked-unpublished", "这个平台还没有全网发布", "not released yet"},
	{"account not eligible", "help", "已注销、冻结、封禁或没有完成注册的账号不会出现", "do not appear"},
	{"outside WeChat, desktop", "phone-desktop-browser phone-desktop-wechat", "用手机微信扫一扫", "Scan with WeChat on your phone"},
	{"outside WeChat, phone", "phone-phone-browser", "请在微信里打开", "Open this in WeChat"},
	{"outside WeChat, ways in", "phone-phone-browser phone-wecom", "保存二维码", "Save the code"},
	{"WeCom", "phone-wecom", "请用微信打开，不是企业微信", "not WeCom"},
	{"our guess is wrong", "phone-desktop-browser phone-desktop-wechat phone-phone-browser phone-wecom", "已经在微信里？继续", "WeChat"},
	{"connection lost", "attempt-created attempt-blocked-ticket result-exchanging", "连接断开，正在重连…", "Connection lost. Reconnecting…"},
	{"without script", "attempt-created result-exchanging", `<noscript><meta http-equiv="refresh" content="5">`, `<noscript><meta http-equiv="refresh" content="5">`},
	{"without script, said", "attempt-created result-exchanging", "本页每 5 秒刷新一次。", "This page refreshes every 5 seconds."},
	{"not found", "problem-404", "找不到这个页面", "Page not found"},
	{"failed", "problem-500", "编号 R-8K2M", "R-8K2M"},
	{"phone, start", "phone-start phone-start-invite", "授权小程序给青禾云", "Mini Program"},
	{"phone, start, exclusive", "phone-start phone-start-invite", "3 项独占", "3 exclusive"},
	{"desk, exclusive permissions", "attempt-created", "6 项，其中 3 项独占", "3 exclusive"},
	{"desk, what set 18 means", "attempt-created phone-start", "不能再从公众平台发布版本", "publish from the WeChat console"},
	{"dashboard", "dashboard-ok", "连接正常", "Connected"},
	{"dashboard, missing", "dashboard-missing", "还缺 2 项权限", "2 permissions missing"},
	{"dashboard, how to cancel", "dashboard-ok dashboard-official", "怎样取消授权", "cancel"},
	{"dashboard, dead token", "dashboard-rescan", "需要重新授权", "again"},
}

// TestEveryRowIsDrawn checks that no state a merchant can meet has lost its scene or
// its sentence.
func TestEveryRowIsDrawn(t *testing.T) {
	for _, l := range i18n.Langs() {
		drawn := map[string]string{}
		for _, s := range styleguide.Scenes(styleguide.Kind, styleguide.Look{}) {
			drawn[s.Name] = string(render(t, s, l))
		}
		for _, row := range rows {
			want := row.zh
			if l == i18n.English {
				want = row.en
			}
			for name := range strings.FieldsSeq(row.scenes) {
				page, ok := drawn[name]
				if !ok {
					t.Errorf("%s: there is no scene %s", row.state, name)
				} else if !strings.Contains(page, want) {
					t.Errorf("%s: %s in %s does not say %q", row.state, name, l, want)
				}
			}
		}
	}
}
