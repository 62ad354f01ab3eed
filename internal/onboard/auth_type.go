package onboard

// AuthType limits which accounts WeChat lists on the merchant's phone.
type AuthType int

// The values are WeChat's own and travel in the link's auth_type parameter
// (授权流程技术说明). 7 is not documented.
const (
	OfficialAccounts AuthType = 1 // 公众号
	MiniPrograms     AuthType = 2 // 小程序
	OfficialAndMini  AuthType = 3 // 公众号和小程序
	Promoters        AuthType = 4 // 小程序推客
	ChannelsAccounts AuthType = 5 // 视频号
	AllAccounts      AuthType = 6 // 公众号、小程序和视频号
	SalesAssistants  AuthType = 8 // 带货助手
)

// authTypes lists every documented value in WeChat's order.
var authTypes = [...]AuthType{OfficialAccounts, MiniPrograms, OfficialAndMini, Promoters, ChannelsAccounts, AllAccounts, SalesAssistants}

// ParseAuthType reads a form value. There is no default: the newest official
// page marks the parameter as required.
func ParseAuthType(s string) (AuthType, error) {
	if len(s) == 1 {
		for _, t := range authTypes {
			if s[0] == byte('0'+t) {
				return t, nil
			}
		}
	}
	return 0, Errorf(Invalid, KeyAuthType, "auth_type %q is not 1 to 6 or 8", s)
}

// Covers reports whether an account of kind k can be chosen under t. Nobody
// knows for kinds that WeChat added later, so an unknown kind is covered.
func (t AuthType) Covers(k AccountKind) bool {
	switch k {
	case OfficialAccount:
		return t == OfficialAccounts || t == OfficialAndMini || t == AllAccounts
	case MiniProgram:
		return t == MiniPrograms || t == OfficialAndMini || t == AllAccounts || t == Promoters
	case Channels:
		return t == ChannelsAccounts || t == AllAccounts
	case SalesAssistant:
		return t == SalesAssistants
	}
	return true
}
