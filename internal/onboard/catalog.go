package onboard

import "slices"

// catalog lists every permission set seen in official tables and in public code,
// by WeChat's number (权限集说明). Names are the newest official ones; sets without
// a name were seen in answers only. Flags that no table shows are unknown.
var catalog = [...]PermissionSet{
	{1, "消息管理", "Message management", []AccountKind{OfficialAccount}, Shared},
	{2, "用户管理", "User management", []AccountKind{OfficialAccount}, Shared},
	{3, "账号服务", "Account services", []AccountKind{OfficialAccount}, Shared},
	{4, "网页服务", "Web services", []AccountKind{OfficialAccount}, Exclusive},
	{5, "微信小店", "WeChat store (legacy)", []AccountKind{OfficialAccount}, Shared},
	{6, "微信多客服", "Multi-agent customer service", []AccountKind{OfficialAccount}, Shared},
	{7, "群发与通知", "Broadcast and notices", []AccountKind{OfficialAccount}, Shared},
	{8, "微信卡券", "Cards and coupons", []AccountKind{OfficialAccount}, Shared},
	{9, "微信扫一扫", "WeChat scan", []AccountKind{OfficialAccount}, Shared},
	{10, "微信连WIFI", "Wi-Fi via WeChat", []AccountKind{OfficialAccount}, Shared},
	{11, "素材管理", "Media management", []AccountKind{OfficialAccount}, Shared},
	{12, "微信摇周边", "Shake nearby", []AccountKind{OfficialAccount}, Shared},
	{13, "微信门店", "Store locations", []AccountKind{OfficialAccount}, Shared},
	{14, "微信支付权限", "WeChat Pay (withdrawn)", []AccountKind{OfficialAccount}, ExclusiveUnknown},
	{15, "菜单管理", "Menu management", []AccountKind{OfficialAccount}, Shared},
	{16, "获取认证状态及信息", "Verification status (legacy)", []AccountKind{OfficialAccount}, ExclusiveUnknown},
	{17, "获取小程序码", "Mini Program codes", []AccountKind{MiniProgram}, Shared},
	{18, "小程序开发与数据分析", "Mini Program development and analytics", []AccountKind{MiniProgram}, Exclusive},
	{19, "小程序客服管理", "Mini Program customer service", []AccountKind{MiniProgram}, Shared},
	{20, "微信登录权限（小程序）", "Login (legacy)", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{21, "数据分析权限（小程序）", "Analytics (legacy)", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{22, "城市服务", "City services", []AccountKind{OfficialAccount}, Shared},
	{23, "广告管理", "Ads management", []AccountKind{OfficialAccount}, Shared},
	{24, "开放平台账号管理", "Open Platform account management", []AccountKind{OfficialAccount}, Exclusive},
	{25, "开放平台账号管理", "Open Platform account management", []AccountKind{MiniProgram}, Exclusive},
	{26, "微信电子发票", "E-invoices", []AccountKind{OfficialAccount}, Shared},
	{27, "快速注册小程序", "Quick Mini Program registration", []AccountKind{OfficialAccount}, Shared},
	{30, "小程序基本信息管理", "Mini Program basic information", []AccountKind{MiniProgram}, Shared},
	{31, "小程序认证名称检测", "Certification name check", []AccountKind{MiniProgram}, Shared},
	{33, "小程序关联管理", "Mini Program links", []AccountKind{OfficialAccount}, Shared},
	{34, "微信商品库管理", "Product library", []AccountKind{OfficialAccount}, Exclusive},
	{35, "微信卡路里权限", "Calories", []AccountKind{OfficialAccount}, ExclusiveUnknown},
	{36, "微信卡路里管理", "Calories", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{37, "附近的小程序管理", "Nearby Mini Programs", []AccountKind{MiniProgram}, Shared},
	{40, "小程序插件管理", "Mini Program plug-ins", []AccountKind{MiniProgram}, Exclusive},
	{41, "好物圈管理", "Good-product circle", []AccountKind{MiniProgram}, Exclusive},
	{44, "好物圈", "Good-product circle", []AccountKind{OfficialAccount}, Shared},
	{45, "微信物流服务", "Logistics", []AccountKind{MiniProgram}, Exclusive},
	{46, "微信一物一码", "One item one code", []AccountKind{OfficialAccount}, Shared},
	{47, "微信财政电子票据", "Fiscal e-receipts", []AccountKind{OfficialAccount}, Shared},
	{48, "微信财政电子票据管理", "Fiscal e-receipts", []AccountKind{MiniProgram}, Shared},
	{49, "小程序云开发管理", "Cloud development", []AccountKind{MiniProgram}, Exclusive},
	{51, "小程序即时配送", "Instant delivery", []AccountKind{MiniProgram}, Exclusive},
	{52, "小程序直播管理", "Mini Program live streaming", []AccountKind{MiniProgram}, Shared},
	{54, "服务号对话管理", "Service-account dialogue", []AccountKind{OfficialAccount}, Exclusive},
	{57, "页面推送权限", "Push pages to search", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{65, "小程序广告管理", "Mini Program ads", []AccountKind{MiniProgram}, Shared},
	{66, "微信服务市场管理", "Service market", []AccountKind{OfficialAccount}, Shared},
	{67, "微信服务市场管理", "Service market", []AccountKind{MiniProgram}, Shared},
	{70, "标准版交易组件商品管理", "Trade component: goods", []AccountKind{MiniProgram}, Shared},
	{71, "标准版交易组件订单物流与售后管理", "Trade component: orders, logistics, after-sale", []AccountKind{MiniProgram}, Shared},
	{73, "标准版交易组件接入", "Trade component: onboarding", []AccountKind{MiniProgram}, Exclusive},
	{76, "小程序违规与交易投诉管理", "Violations and trade complaints", []AccountKind{MiniProgram}, Exclusive},
	{81, "试用小程序快速认证", "Trial Mini Program certification", []AccountKind{MiniProgram}, Exclusive},
	{84, "标准版交易组件优惠券管理", "Trade component: coupons", []AccountKind{MiniProgram}, Shared},
	{85, "自定义版交易组件管理", "Custom trade component", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{86, "小商店装修", "Mini-shop decoration", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{88, "小程序链接管理", "Mini Program links and URL schemes", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{89, "服务号订阅通知", "Subscription notices", []AccountKind{OfficialAccount, MiniProgram}, Shared},
	{93, "小程序联盟管理", "Mini Program affiliate", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{99, "云开发短信服务", "Cloud development SMS", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{102, "云开发微信支付", "Cloud development WeChat Pay", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{104, "标准版组件资金链路", "Trade component: funds", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{105, "城市服务", "City services", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{107, "连接器电商场景接入", "Connector e-commerce", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{112, "红包封面管理", "Red-packet covers", nil, ExclusiveUnknown},
	{113, "就医助手", "Medical assistant", []AccountKind{OfficialAccount}, Shared},
	{115, "", "", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{116, "获取自定义版交易组件数据", "Custom trade component data", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{117, "小程序图像处理", "Image processing", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{118, "硬件服务", "Hardware services", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{119, "小程序支付管理服务", "Payment management", []AccountKind{MiniProgram}, Exclusive},
	{120, "小程序购物订单", "Mini Program shopping orders", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{121, "公众号购物订单", "Official Account shopping orders", []AccountKind{OfficialAccount}, ExclusiveUnknown},
	{129, "视频号小店商品管理", "Channels shop goods", []AccountKind{Shop}, ExclusiveUnknown},
	{130, "视频号小店物流管理", "Channels shop logistics", []AccountKind{Shop}, ExclusiveUnknown},
	{131, "视频号小店订单与售后管理", "Channels shop orders and after-sale", []AccountKind{Shop}, ExclusiveUnknown},
	{132, "视频号小店优惠券管理", "Channels shop coupons", []AccountKind{Shop}, ExclusiveUnknown},
	{133, "视频号商品橱窗管理", "Channels showcase", []AccountKind{Shop, Channels}, ExclusiveUnknown},
	{135, "流量主代运营权限集", "Publisher operation", []AccountKind{OfficialAccount, MiniProgram}, ExclusiveUnknown},
	{138, "视频号小店资金管理", "Channels shop funds", []AccountKind{Shop}, ExclusiveUnknown},
	{139, "小程序运费险", "Freight insurance", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{140, "小程序推广员", "Mini Program promoters", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{141, "视频号小店优选联盟", "Selected alliance", []AccountKind{Shop}, ExclusiveUnknown},
	{142, "小程序发货管理服务", "Shipping management", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{143, "视频号留资组件管理", "Channels lead component", []AccountKind{Channels}, Shared},
	{144, "微信学生身份验证", "Student verification", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{151, "小程序交易保障", "Trade assurance", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{153, "微短剧小程序资源管理", "Short-drama media", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{156, "小程序备案服务", "ICP filing", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{157, "小程序虚拟支付管理权限", "Virtual payment", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{159, "视频号电子面单管理", "E-waybills", []AccountKind{Shop}, ExclusiveUnknown},
	{160, "视频号留资服务的直播数据", "Live data for leads", []AccountKind{Channels}, Shared},
	{161, "微信客服管理", "WeChat customer service", []AccountKind{OfficialAccount, MiniProgram}, ExclusiveUnknown},
	{171, "消息推送调试（小程序）", "Message-push debugging (Mini Program)", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{172, "消息推送调试（公众号）", "Message-push debugging (Official Account)", []AccountKind{OfficialAccount}, ExclusiveUnknown},
	{173, "消息推送调试（小游戏）", "Message-push debugging (mini game)", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{174, "消息推送调试（视频号）", "Message-push debugging (Channels)", []AccountKind{Channels}, ExclusiveUnknown},
	{175, "", "", []AccountKind{Shop}, ExclusiveUnknown},
	{176, "达人数据", "Creator e-commerce data", []AccountKind{Channels}, Shared},
	{177, "视频号商品橱窗管理", "Channels showcase shelf", []AccountKind{Channels}, Shared},
	{182, "小程序订单管理服务", "Order management", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{185, "小程序管理微信小店会员", "Shop members from a Mini Program", []AccountKind{MiniProgram}, ExclusiveUnknown},
	{186, "", "", []AccountKind{MiniProgram, Shop}, ExclusiveUnknown},
	{189, "带货助手橱窗商品管理", "Sales assistant showcase goods", []AccountKind{SalesAssistant}, Shared},
	{190, "带货助手订单管理", "Sales assistant orders", []AccountKind{SalesAssistant}, Shared},
}

// Catalog returns every known set, ascending by id.
func Catalog() []PermissionSet { return slices.Clone(catalog[:]) }

// LookupSet returns what is known of the set id. For an id that is not in the
// catalog ok is false and only ID is set: show it by its number and keep it.
func LookupSet(id PermissionID) (set PermissionSet, ok bool) {
	i, ok := slices.BinarySearchFunc(catalog[:], id, func(s PermissionSet, id PermissionID) int { return int(s.ID) - int(id) })
	if !ok {
		return PermissionSet{ID: id}, false
	}
	return catalog[i], true
}

// GrantedBy reports whether an account of kind k can grant the set. Where nobody
// knows, it says yes: WeChat decides.
func (p PermissionSet) GrantedBy(k AccountKind) bool {
	return len(p.Kinds) == 0 || k == UnknownKind || slices.Contains(p.Kinds, k)
}
