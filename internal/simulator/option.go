package simulator

import "time"

// Options are the switches for behavior that WeChat's documentation leaves
// open, or that an operator or WeChat may change while the client runs.
type Options struct {
	PreAuthCodeLife      time.Duration // 1800 s in the official text, 600 s in its sample
	AuthCodeLife         time.Duration // 3600 s in captured callbacks, 600 s in the official sample
	PlatformTokenOverlap time.Duration // how long a replaced platform token still works
	ReauthorizationGrace time.Duration // how long tokens of a replaced authorization still work

	AuthCodeReusable      bool // an authorization code may be exchanged again
	DifferentCodes        bool // the redirect and the push carry two different codes
	RotateRefreshToken    bool // every refresh issues a new refresh token
	RefreshGrace          time.Duration
	ListOmitsRefreshToken bool  // api_get_authorizer_list returns empty refresh tokens
	InfoOmitsRefreshToken bool  // api_get_authorizer_info leaves the refresh token out
	ExtraSets             []int // ids appended to every func_info, such as ones nobody knows yet

	H5RefererUnchecked bool // the phone link may be opened from anywhere
	WeChatBrowserOnly  bool // the phone link refuses browsers without MicroMessenger
	RedirectLost       bool // after consent the browser is not sent back

	Unpublished bool     // not 全网发布: only TestList may authorize
	TestList    []string // original ids (gh_…) of the accounts that may

	TicketsStopped bool     // WeChat stopped the ticket push service
	AllowedIPs     []string // 白名单IP地址列表; nil = every address
	DailyQuota     int      // calls per endpoint and day
}

func defaultOptions() Options {
	return Options{
		PreAuthCodeLife:      1800 * time.Second,
		AuthCodeLife:         3600 * time.Second,
		PlatformTokenOverlap: 5 * time.Minute,
		RefreshGrace:         5 * time.Minute,
		DailyQuota:           10000,
	}
}

// Change lets set alter the switches; it takes effect for the next request.
func (s *Simulator) Change(set func(*Options)) {
	s.mu.Lock()
	set(&s.options)
	s.mu.Unlock()
	s.nudge()
}

// Options returns the switches as they are.
func (s *Simulator) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// switches names the on-off switches as the control page's form does.
func (o *Options) switches() map[string]*bool {
	return map[string]*bool{
		"auth_code_reusable":       &o.AuthCodeReusable,
		"different_codes":          &o.DifferentCodes,
		"rotate_refresh_token":     &o.RotateRefreshToken,
		"list_omits_refresh_token": &o.ListOmitsRefreshToken,
		"info_omits_refresh_token": &o.InfoOmitsRefreshToken,
		"h5_referer_unchecked":     &o.H5RefererUnchecked,
		"wechat_browser_only":      &o.WeChatBrowserOnly,
		"redirect_lost":            &o.RedirectLost,
		"unpublished":              &o.Unpublished,
		"tickets_stopped":          &o.TicketsStopped,
	}
}

// durations names the lengths of time as the control page's form does.
func (o *Options) durations() map[string]*time.Duration {
	return map[string]*time.Duration{
		"pre_auth_code_life":     &o.PreAuthCodeLife,
		"auth_code_life":         &o.AuthCodeLife,
		"platform_token_overlap": &o.PlatformTokenOverlap,
		"reauthorization_grace":  &o.ReauthorizationGrace,
		"refresh_grace":          &o.RefreshGrace,
	}
}
