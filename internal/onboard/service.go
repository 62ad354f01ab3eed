package onboard

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"usher/internal/rescue"
	"usher/internal/secret"
)

// Options is what a Service is made of.
type Options struct {
	AppID    AppID // our own, the platform's (component_appid)
	Store    Store
	Platform OpenPlatform
	// Parse reads the inner XML of a stored push again.
	Parse func(innerXML []byte) (Event, error)
	// Fields reads it for people, with its secrets hidden; nil keeps nothing for them.
	Fields    func(innerXML []byte) []Field
	Hasher    secret.Hasher
	Pictures  Pictures // nil fetches none
	Peers     Peers    // the other processes on the same database; nil for none
	Log       *slog.Logger
	Now       func() time.Time // nil for time.Now
	PublicURL string           // our own address without a slash at the end
	// Rules are asked for at each step, so that a change needs no restart; nil for
	// DefaultRules.
	Rules func() Rules
	// RefreshRate limits upkeep in calls per second; 0 means 20.
	RefreshRate float64
}

// Service is the steps from the form to a kept authorization. Its methods may be
// called at the same time from many goroutines.
type Service struct {
	appID     AppID
	store     Store
	wechat    *gate
	parse     func([]byte) (Event, error)
	fields    func([]byte) []Field
	hasher    secret.Hasher
	pictures  Pictures
	log       *slog.Logger
	now       func() time.Time
	publicURL string
	rules     func() Rules

	platform platform
	roster   roster
	sweeping sweeping
	tokens   tokenCache
	steady   steady
	hub      hub
	minted   minted
	pace     *pace
	arrivals chan struct{} // wakes Run; capacity 1
	work     sync.WaitGroup
}

// NewService makes a Service; nothing runs until it is called.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RefreshRate == 0 {
		o.RefreshRate = 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Rules == nil {
		o.Rules = DefaultRules
	}
	return &Service{
		appID: o.AppID, store: o.Store, parse: o.Parse, fields: o.Fields, hasher: o.Hasher, pictures: o.Pictures, log: o.Log,
		now: o.Now, publicURL: strings.TrimSuffix(o.PublicURL, "/"), rules: o.Rules,
		wechat:   &gate{OpenPlatform: o.Platform, now: o.Now, log: o.Log},
		roster:   roster{turn: make(chan struct{}, 1)},
		hub:      hub{peers: o.Peers},
		tokens:   tokenCache{peers: o.Peers},
		pace:     newPace(o.RefreshRate),
		arrivals: make(chan struct{}, 1),
	}
}

// Now is the service's clock.
func (s *Service) Now() time.Time { return s.now() }

// PlatformAppID is our own AppID, which a plug-in needs.
func (s *Service) PlatformAppID() AppID { return s.appID }

// Watch returns a channel that receives when the attempt id changed, and a
// function that ends the watch. A wake-up may cover several changes: read again.
func (s *Service) Watch(id string) (changes <-chan struct{}, stop func()) { return s.hub.watch(id) }

// Run handles arrivals as they come until ctx ends. Wait follows it.
func (s *Service) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.arrivals:
			// An exchange that has begun must come to its end although we stop.
			turn, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
			if err := rescue.Do(func() error { return s.HandleArrivals(turn) }); err != nil {
				s.log.ErrorContext(ctx, "handling arrivals failed", rescue.Attrs(err)...)
			}
			cancel()
		}
	}
}

// Wait waits for the exchanges under way. Nothing else may use the service any more.
func (s *Service) Wait() { s.work.Wait() }

// wakeArrivals tells Run that something was stored.
func (s *Service) wakeArrivals() {
	select {
	case s.arrivals <- struct{}{}:
	default:
	}
}

// Hash purposes keep the hashes of different secrets apart.
const (
	purposeSession = "session"
	purposeState   = "state"
	purposePreAuth = "pre_auth_code"
	purposeCode    = "auth_code"
	purposeLink    = "dashboard"
	purposePrint   = "fingerprint of a field"
)

func (s *Service) sessionHash(session string) string {
	if session == "" {
		return ""
	}
	return s.hasher.Hash(purposeSession, session)
}
