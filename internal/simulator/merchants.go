package simulator

import (
	"fmt"
	"strings"
)

// AppIDs of the simulated merchants that tests and demonstrations name. Each
// stands for one way in which merchants differ.
const (
	TeaHouse       = "wx8f2c40d1a7be91d0" // 山茶花茶舍: verified Mini Program of a company
	Takeaway       = "wx3b7e90c25d18fa46" // 山茶花外卖: unverified Mini Program of the same company
	ServiceAccount = "wx51d0c8e7a2946b3f" // 青禾生活: verified 服务号
	Subscription   = "wx6a9f13b0d47c2e85" // 老城面馆: unverified personal 订阅号 …
	OldAccount     = "wx0c4d7a81e5b92f36" // 江南茶讯: 订阅号 upgraded from an old account
	Personal       = "wx7d18e4c0ab35f692" // 阿木的小本子: personal Mini Program
	MiniShop       = "wx92ab6f0d31c7e845" // 禾木良品: 小商店
	ChannelsLive   = "wx2e60b9f7d4c8a153" // 山茶花的一天: 视频号
	TalentHelper   = "wxc03f5d8e91a7b264" // 小满好物: 带货助手
	WeChatShop     = "wx48c7d21e0fb96a35" // 山茶花官方小店: 微信小店
	NoAPI          = "wxa5e2079c4d1b8f36" // 邻里通知: no API permission, so no tokens
	Frozen         = "wx1f8b3c6e7d20a954" // 停业烘焙坊: frozen, not listed
	Banned         = "wxd97e25b04c1fa863" // 特价代购社: banned, not listed
	MiniGame       = "wxe4b80c7f5a12d936" // 茶园消消乐: mini game, cannot authorize
	TakenElsewhere = "wxb6d10f93e87c25a4" // 渡口书店: set 18 is held by another platform
	Hostile        = "wxf2076c9ad5e1b384" // a nickname made to break pages
)

// hostileNickname mixes markup, quotes, a right-to-left override and great
// length, all of which WeChat has let through in one place or another.
func hostileNickname() string {
	return `<script>alert(1)</script>"'&amp;]]>` + "\u202e茶\u202c👩‍🍳" + strings.Repeat("很长的名字", 12)
}

func merchants() []*account {
	const (
		camellia = "杭州山茶花餐饮管理有限公司"
		personal = "个人"
	)
	food := [][2]string{{"餐饮服务", "点餐平台"}, {"商家自营", "食品饮料"}}
	return []*account{
		{appID: TeaHouse, userName: "gh_8c1f40d7a2be", kind: MiniProgram, nickname: "山茶花茶舍", verifyType: 0, status: 1, principal: camellia, signature: "一壶好茶，慢慢喝。", categories: food},
		{appID: Takeaway, userName: "gh_3b7e90c25d18", kind: MiniProgram, nickname: "山茶花外卖", verifyType: -1, status: 1, registerType: 2, principal: camellia, signature: "半小时送到。", categories: food},
		{appID: ServiceAccount, userName: "gh_51d0c8e7a294", kind: OfficialAccount, nickname: "青禾生活", serviceType: 2, verifyType: 0, status: 1, principal: "青禾（苏州）生活服务有限公司", alias: "qinghe-life"},
		{appID: Subscription, userName: "gh_6a9f13b0d47c", kind: OfficialAccount, nickname: "老城面馆", serviceType: 0, verifyType: -1, status: 1, principal: personal},
		{appID: OldAccount, userName: "gh_0c4d7a81e5b9", kind: OfficialAccount, nickname: "江南茶讯", serviceType: 1, verifyType: 3, status: 18, principal: "江南茶叶研究会", alias: "jncx2014"},
		{appID: Personal, userName: "gh_7d18e4c0ab35", kind: MiniProgram, nickname: "阿木的小本子", verifyType: -1, status: 1, registerType: 16, principal: personal, signature: "记账用", categories: [][2]string{{"工具", "记账"}}},
		{appID: MiniShop, userName: "gh_92ab6f0d31c7", kind: MiniProgram, nickname: "禾木良品", serviceType: 10, verifyType: 0, status: 1, principal: "禾木（成都）商贸有限公司", signature: "手作与好物", categories: [][2]string{{"商家自营", "服装内衣"}}},
		{appID: ChannelsLive, userName: "gh_2e60b9f7d4c8", kind: Channels, nickname: "山茶花的一天", verifyType: 0, status: 1, principal: camellia},
		{appID: TalentHelper, userName: "gh_c03f5d8e91a7", kind: Talent, nickname: "小满好物", verifyType: -1, status: 1, principal: personal},
		{appID: WeChatShop, userName: "gh_48c7d21e0fb9", kind: Shop, nickname: "山茶花官方小店", verifyType: 0, status: 1, principal: camellia},
		{appID: NoAPI, userName: "gh_a5e2079c4d1b", kind: OfficialAccount, nickname: "邻里通知", serviceType: 0, verifyType: -1, status: 1, principal: personal, noAPI: true},
		{appID: Frozen, userName: "gh_1f8b3c6e7d20", kind: MiniProgram, nickname: "停业烘焙坊", verifyType: 0, status: 19, principal: "南京停业烘焙有限公司", categories: food},
		{appID: Banned, userName: "gh_d97e25b04c1f", kind: OfficialAccount, nickname: "特价代购社", serviceType: 0, verifyType: -1, status: 16, principal: personal},
		{appID: MiniGame, userName: "gh_e4b80c7f5a12", kind: MiniProgram, nickname: "茶园消消乐", serviceType: 4, verifyType: 0, status: 1, principal: camellia, categories: [][2]string{{"小游戏", "休闲游戏"}}},
		{appID: TakenElsewhere, userName: "gh_b6d10f93e87c", kind: MiniProgram, nickname: "渡口书店", verifyType: 0, status: 1, principal: "重庆渡口图书有限公司", signature: "在江边读书", categories: [][2]string{{"教育", "图书"}}, heldElsewhere: map[int]string{18: "青藤云建站"}},
		{appID: Hostile, userName: "gh_f2076c9ad5e1", kind: MiniProgram, nickname: hostileNickname(), verifyType: -1, status: 1, principal: `<b>"某某"</b> & Co.`, signature: "]]><xml>", categories: food},
	}
}

// CrowdAppID is the AppID of the i-th account, from 0, of Config.Crowd.
func CrowdAppID(i int) string { return fmt.Sprintf("wxc0%014x", i) }

// crowd makes n verified Mini Programs that differ in nothing but their names.
func crowd(n int) []*account {
	all := make([]*account, n)
	for i := range all {
		all[i] = &account{
			appID: CrowdAppID(i), userName: fmt.Sprintf("gh_c0%010x", i), kind: MiniProgram, nickname: fmt.Sprintf("分店 %d", i+1),
			status: 1, principal: "连锁（演示）有限公司", categories: [][2]string{{"商家自营", "食品饮料"}},
		}
	}
	return all
}
