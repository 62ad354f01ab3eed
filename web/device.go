package web

import (
	"strings"

	"usher/views"
)

// placeOf tells from a User-Agent where a phone page was opened. The order
// matters: WeCom and WeChat for desktops also call themselves MicroMessenger.
// The guess decides which help is shown, never what is allowed: it can be wrong,
// so every variant of the page keeps a way to continue.
func placeOf(userAgent string) views.Place {
	ua := strings.ToLower(userAgent)
	switch {
	case strings.Contains(ua, "wxwork"):
		return views.WeCom
	case strings.Contains(ua, "windowswechat"), strings.Contains(ua, "macwechat"):
		return views.DesktopWeChat
	case strings.Contains(ua, "micromessenger"):
		return views.InWeChat
	case strings.Contains(ua, "mobile"), strings.Contains(ua, "android"):
		return views.PhoneBrowser
	}
	return views.DesktopBrowser
}
