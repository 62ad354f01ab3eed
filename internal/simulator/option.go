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
