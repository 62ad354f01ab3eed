// Package simulator plays the WeChat Open Platform towards one third-party
// platform: the server APIs, the authorization pages on a desktop and on a
// phone, the encrypted pushes, and a control page to make things go wrong. It
// is strict where WeChat is strict and hostile where WeChat's documentation is
// silent, so that a client that works here has little left to be surprised by.
//
// It shares the message cipher with the product and nothing else: its JSON,
// XML and parameter names are written down a second time from the official
// pages, so that a misreading in one is not repeated in the other. It refuses to
// know anything about how the client under test stores or shows things.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"usher/internal/msgcrypt"
)

// Config is the platform as its operator registered it in WeChat's console,
// and the surroundings the simulator runs in.
type Config struct {
	AppID, Secret string // component_appid and component_appsecret
	Token, AESKey string // 消息校验Token and 消息加解密Key (43 characters)
	LaunchDomain  string // 授权发起页域名: a bare host name; ports are ignored when comparing
	EventURL      string // 授权事件接收URL, where pushes go
	BaseURL       string // own address as browsers see it; empty = taken from each request's Host

	PermissionSets []int         // sets the platform holds; nil = DefaultPermissionSets
	Crowd          int           // Mini Programs beside the named merchants, see CrowdAppID
	TicketEvery    time.Duration // pause between two ticket pushes; 0 = 10 minutes
	TicketOnDemand bool          // Run pushes no ticket until the client asks for one

	Now    func() time.Time // nil = time.Now
	Client *http.Client     // for pushes; nil = one that gives up after 5 seconds, as WeChat does
	Log    *slog.Logger     // nil = discard
	Seed   int64            // decides which calls a percentage fault hits
}

// A Simulator is WeChat for one third-party platform. It is an http.Handler and
// safe for concurrent use. Make one with New.
type Simulator struct {
	cfg       Config
	endpoints map[string]endpoint
	pages     http.Handler
	control   http.Handler
	wake      chan struct{} // tells Run that the queue or the clock changed
	sending   chan struct{} // held by the one who delivers, so that pushes keep their order

	mu       sync.Mutex
	crypt    *msgcrypt.Cipher
	offset   time.Duration // added to cfg.Now
	options  Options
	faults   Faults
	random   *rand.Rand
	accounts []*account // in the order they are shown

	tickets        []ticket // oldest first
	nextTicket     time.Time
	platformTokens map[string]*liveToken
	platformToken  string // the newest
	accessTokens   map[string]*liveToken
	preAuthCodes   map[string]*preAuthCode
	authCodes      map[string]*authCode
	scans          map[string]*scan
	quota          quotaBook
	calls          map[string]*CallCount
	queue          []queuedPush
	onItsWay       int        // pushes that are being sent, which are not in queue; 0 or 1
	deliveries     []Delivery // newest last, at most keptDeliveries
}

// New returns a simulator with the default merchants, none of them authorized.
// It fails when the keys cannot encrypt or something required is missing.
func New(cfg Config) (*Simulator, error) {
	if cfg.AppID == "" || cfg.Secret == "" {
		return nil, errors.New("simulator: AppID and Secret are required")
	}
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: cfg.AppID, Token: cfg.Token, AESKey: cfg.AESKey})
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if cfg.PermissionSets == nil {
		cfg.PermissionSets = DefaultPermissionSets()
	}
	if cfg.TicketEvery == 0 {
		cfg.TicketEvery = 10 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: 5 * time.Second}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{
		cfg:            cfg,
		wake:           make(chan struct{}, 1),
		sending:        make(chan struct{}, 1),
		crypt:          crypt,
		options:        defaultOptions(),
		random:         rand.New(rand.NewPCG(uint64(cfg.Seed), 0)),
		accounts:       append(merchants(), crowd(cfg.Crowd)...),
		platformTokens: map[string]*liveToken{},
		accessTokens:   map[string]*liveToken{},
		preAuthCodes:   map[string]*preAuthCode{},
		authCodes:      map[string]*authCode{},
		scans:          map[string]*scan{},
		quota:          quotaBook{used: map[string]int{}, resets: map[string]int{}},
		calls:          map[string]*CallCount{},
	}
	s.endpoints = s.endpointTable()
	s.pages = s.pageHandler()
	s.control = s.controlHandler()
	return s, nil
}

// ServeHTTP answers for api.weixin.qq.com, mp.weixin.qq.com and
// open.weixin.qq.com at once: their paths do not overlap.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case p == "/" || p == "/control" || p == "/truth" || strings.HasPrefix(p, "/control/"):
		s.control.ServeHTTP(w, r)
	case p == pcPath || p == h5Path || p == oldH5Path || strings.HasPrefix(p, "/sim/"):
		s.pages.ServeHTTP(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// SetBaseURL sets the simulator's own address as browsers see it.
func (s *Simulator) SetBaseURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.BaseURL = u
}

// SetEventURL sets where pushes go from now on.
func (s *Simulator) SetEventURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.EventURL = u
}

// SetLaunchDomain sets the registered 授权发起页域名.
func (s *Simulator) SetLaunchDomain(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.LaunchDomain = host
}

// SetKeys changes the Token and EncodingAESKey that pushes are signed and
// encrypted with, as saving 开发资料 in the console does.
func (s *Simulator) SetKeys(token, aesKey string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: s.cfg.AppID, Token: token, AESKey: aesKey})
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	s.crypt, s.cfg.Token, s.cfg.AESKey = crypt, token, aesKey
	return nil
}

// RotateSecret replaces the platform's AppSecret and returns the new one. The
// old one is refused at once with 40125.
func (s *Simulator) RotateSecret() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Secret = randomText(32, hexDigits)
	return s.cfg.Secret
}

// AdvanceClock moves the simulator's clock by d, which may be negative. Tokens
// expire and delayed pushes become due accordingly.
func (s *Simulator) AdvanceClock(d time.Duration) {
	s.mu.Lock()
	s.offset += d
	s.mu.Unlock()
	s.nudge()
}

// now is the simulated time. The caller may or may not hold the lock for
// anything else, but must hold it for this.
func (s *Simulator) now() time.Time { return s.cfg.Now().Add(s.offset) }

// nudge makes Run look at the queue and the clock again.
func (s *Simulator) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run pushes a ticket every Config.TicketEvery and delivers queued pushes until
// ctx ends; it then returns nil. Only one Run may be active.
func (s *Simulator) Run(ctx context.Context) error {
	s.mu.Lock()
	s.nextTicket = s.now()
	if s.cfg.TicketOnDemand {
		s.nextTicket = s.nextTicket.Add(s.cfg.TicketEvery)
	}
	s.mu.Unlock()
	for {
		s.queueDueTicket()
		if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.WarnContext(ctx, "push not accepted", "err", err)
		}
		timer := time.NewTimer(s.idle())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil // being told to stop is not a failure
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}
