package simulator

import "slices"

// An account is one merchant's Official Account, Mini Program or the like: what
// api_get_authorizer_info says of it, and what it has granted to our platform.
type account struct {
	appID, userName  string // appid and 原始ID
	kind             Kind
	nickname         string
	serviceType      int
	verifyType       int
	status           int // account_status: 1 normal, 14 cancelled, 16 banned, 18 warned, 19 frozen
	registerType     int
	principal, alias string
	signature        string
	categories       [][2]string
	noAPI            bool           // has no API permission: an exchange returns no tokens
	heldElsewhere    map[int]string // exclusive sets another platform holds, and its name

	grant *grant // nil while not authorized
	held  bool   // has been authorized at some time
}

// eligible reports whether WeChat lists the account for authorization at all:
// cancelled, banned and frozen ones are not shown, and mini games cannot
// authorize.
func (a *account) eligible() bool {
	if a.status != 1 && a.status != 18 {
		return false
	}
	return !(a.kind == MiniProgram && a.serviceType == 4)
}

// offer returns the sets the account can grant out of those wanted (nil = all)
// and held by the platform, and those it cannot because another platform holds
// them exclusively.
func (a *account) offer(wanted, held []int) (free, taken []permissionSet) {
	for _, p := range permissionSets() {
		if !p.fits(a.kind) || !slices.Contains(held, p.id) || wanted != nil && !slices.Contains(wanted, p.id) {
			continue
		}
		if _, elsewhere := a.heldElsewhere[p.id]; elsewhere && p.exclusive {
			taken = append(taken, p)
		} else {
			free = append(free, p)
		}
	}
	return free, taken
}

// account returns the account with that appid, or nil.
func (s *Simulator) account(appID string) *account {
	for _, a := range s.accounts {
		if a.appID == appID {
			return a
		}
	}
	return nil
}

// profile writes authorizer_info in the shape of 获取授权账号详情
// (api_get_authorizer_info). base is the simulator's own address.
func (a *account) profile(base string) object {
	info := object{
		"nick_name":         a.nickname,
		"head_img":          base + "/sim/head/" + a.appID + ".png",
		"service_type_info": object{"id": a.serviceType},
		"verify_type_info":  object{"id": a.verifyType},
		"user_name":         a.userName,
		"alias":             a.alias,
		"qrcode_url":        base + "/sim/code/" + a.appID + ".png",
		"business_info":     object{"open_pay": 0, "open_shake": 0, "open_scan": 0, "open_card": 0, "open_store": 0},
		"idc":               1,
		"principal_name":    a.principal,
		"account_status":    a.status,
	}
	switch a.kind {
	case MiniProgram:
		info["signature"] = a.signature
		info["register_type"] = a.registerType
		info["basic_config"] = object{"is_phone_configured": true, "is_email_configured": a.verifyType == 0}
		categories := []object{}
		for _, c := range a.categories {
			categories = append(categories, object{"first": c[0], "second": c[1]})
		}
		network := object{"RequestDomain": []string{"https://api.example.com"}}
		for _, name := range []string{"WsRequestDomain", "UploadDomain", "DownloadDomain", "BizDomain", "UDPDomain", "TCPDomain", "PrefetchDNSDomain",
			"NewRequestDomain", "NewWsRequestDomain", "NewUploadDomain", "NewDownloadDomain", "NewBizDomain", "NewUDPDomain", "NewTCPDomain", "NewPrefetchDNSDomain"} {
			network[name] = []string{}
		}
		info["MiniProgramInfo"] = object{"network": network, "categories": categories, "visit_status": 0}
	case Channels:
		info["channels_info"] = object{"id": 0}
	case Shop:
		info["store_info"] = object{"id": 0}
	case Talent:
		info["talent_info"] = object{"id": 0}
	}
	return info
}
