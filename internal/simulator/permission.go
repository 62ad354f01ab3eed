package simulator

import "slices"

// A Kind is what an account is, as far as permission sets and auth_type go.
type Kind int

// The kinds of account that can meet a third-party platform.
const (
	OfficialAccount Kind = iota + 1 // 公众号: 订阅号 and 服务号
	MiniProgram                     // 小程序, 小商店
	Channels                        // 视频号
	Shop                            // 微信小店
	Talent                          // 带货助手
)

// String returns the Chinese name of the kind.
func (k Kind) String() string {
	switch k {
	case OfficialAccount:
		return "公众号"
	case MiniProgram:
		return "小程序"
	case Channels:
		return "视频号"
	case Shop:
		return "微信小店"
	case Talent:
		return "带货助手"
	}
	return "未知"
}

// kindsOf returns the kinds the auth_type of a link lists, per the parameter
// table of 授权流程技术说明; ok is false for a value that is not documented. A
// 微信小店 is in no documented value: it authorizes by biz_appid or silently.
func kindsOf(authType string) (kinds []Kind, ok bool) {
	switch authType {
	case "1":
		return []Kind{OfficialAccount}, true
	case "2", "4":
		return []Kind{MiniProgram}, true
	case "3":
		return []Kind{OfficialAccount, MiniProgram}, true
	case "5":
		return []Kind{Channels}, true
	case "6":
		return []Kind{OfficialAccount, MiniProgram, Channels}, true
	case "8":
		return []Kind{Talent}, true
	}
	return nil, false
}

// A permissionSet is one 权限集 as WeChat's consent page shows it.
type permissionSet struct {
	id        int
	name      string
	kinds     []Kind
	exclusive bool // 互斥: one platform per account at a time
}

func (p permissionSet) fits(k Kind) bool { return slices.Contains(p.kinds, k) }

// permissionSets is the part of the official tables that the simulated accounts
// can grant, in order of id.
func permissionSets() []permissionSet {
	oa, mp := []Kind{OfficialAccount}, []Kind{MiniProgram}
	both, ch, shop, talent := []Kind{OfficialAccount, MiniProgram}, []Kind{Channels}, []Kind{Shop}, []Kind{Talent}
	return []permissionSet{
		{1, "消息管理", oa, false},
		{2, "用户管理", oa, false},
		{3, "账号服务", oa, false},
		{4, "网页服务", oa, true},
		{6, "微信多客服", oa, false},
		{7, "群发与通知", oa, false},
		{8, "微信卡券", oa, false},
		{9, "微信扫一扫", oa, false},
		{11, "素材管理", oa, false},
		{13, "微信门店", oa, false},
		{15, "菜单管理", oa, false},
		{17, "获取小程序码", mp, false},
		{18, "小程序开发与数据分析", mp, true},
		{19, "小程序客服管理", mp, false},
		{24, "开放平台账号管理", oa, true},
		{25, "开放平台账号管理", mp, true},
		{26, "微信电子发票", oa, false},
		{27, "快速注册小程序", oa, false},
		{30, "小程序基本信息管理", mp, false},
		{31, "小程序认证名称检测", mp, false},
		{33, "小程序关联管理", oa, false},
		{34, "微信商品库管理", oa, true},
		{37, "附近的小程序管理", mp, false},
		{40, "小程序插件管理", mp, true},
		{45, "微信物流服务", mp, true},
		{48, "微信财政电子票据管理", mp, false},
		{49, "小程序云开发管理", mp, true},
		{51, "小程序即时配送", mp, true},
		{52, "小程序直播管理", mp, false},
		{54, "服务号对话管理", oa, true},
		{65, "小程序广告管理", mp, false},
		{66, "微信服务市场管理", oa, false},
		{67, "微信服务市场管理", mp, false},
		{70, "标准版交易组件商品管理", mp, false},
		{71, "标准版交易组件订单物流与售后管理", mp, false},
		{73, "标准版交易组件接入", mp, true},
		{76, "小程序违规与交易投诉管理", mp, true},
		{81, "试用小程序快速认证", mp, true},
		{84, "标准版交易组件优惠券管理", mp, false},
		{85, "自定义版交易组件管理", mp, false},
		{88, "小程序链接管理", mp, false},
		{89, "服务号订阅通知", both, false},
		{99, "云开发短信服务", mp, false},
		{119, "小程序支付管理服务", mp, true},
		{120, "小程序购物订单", mp, false},
		{129, "视频号小店商品管理", shop, false},
		{130, "视频号小店物流管理", shop, false},
		{131, "视频号小店订单与售后管理", shop, false},
		{132, "视频号小店优惠券管理", shop, false},
		{142, "小程序发货管理服务", mp, false},
		{143, "视频号留资组件管理", ch, false},
		{151, "小程序交易保障", mp, false},
		{156, "小程序备案服务", mp, false},
		{157, "小程序虚拟支付管理权限", mp, false},
		{160, "视频号留资服务的直播数据", ch, false},
		{161, "微信客服管理", both, false},
		{176, "达人数据", ch, false},
		{177, "视频号商品橱窗管理", ch, false},
		{189, "带货助手橱窗商品管理", talent, false},
		{190, "带货助手订单管理", talent, false},
	}
}

// DefaultPermissionSets returns the sets a platform holds when Config names
// none: some for every kind of account.
func DefaultPermissionSets() []int {
	return []int{
		1, 2, 3, 4, 7, 11, 15, 24, 27, 33, 54, 89,
		17, 18, 19, 25, 30, 31, 37, 40, 45, 49, 51, 52, 65, 70, 71, 73, 76, 84, 85, 88, 99, 142, 151, 156,
		129, 130, 131, 132, 143, 160, 176, 177, 189, 190,
	}
}
