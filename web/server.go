package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/static"
	"usher/views"
)

// Server answers the site's addresses. Set the fields, then call Handler.
type Server struct {
	Service Service
	// Receive verifies and decrypts a push from WeChat: raw query and raw body.
	// Its errors are logged, so they must not hold content.
	Receive func(rawQuery string, body []byte) (onboard.Push, error)
	// Explain tells check by check what Receive would do; nil explains nothing.
	Explain func(rawQuery string, body []byte) onboard.Explanation
	// Echo answers WeChat's check of an address with the text of its echostr.
	// nil means that there is no such check.
	Echo func(rawQuery string) (string, error)

	// PublicURL is the address merchants use, without a trailing slash. Whether it
	// is https decides the cookies and HSTS, whatever a request says.
	PublicURL string
	Brand     views.Brand
	// SessionKeys are pairs of hash key (32 or 64 bytes) and block key (16, 24 or
	// 32 bytes). The first pair writes; the others still read.
	SessionKeys [][]byte
	// TrustedProxies are believed about the client's address. Empty: nobody is.
	TrustedProxies []netip.Prefix
	// FormTargets are the origins of WeChat's pages, to which our forms lead.
	FormTargets []string
	// AuthType is preselected in the form; zero means Official Accounts and Mini
	// Programs.
	AuthType onboard.AuthType
	Limits   Limits
	// Guide adds the style guide at /styleguide.
	Guide bool
	// Version is shown at /healthz; may be empty.
	Version string
	Log     *slog.Logger     // nil means slog.Default
	Now     func() time.Time // nil means time.Now

	// Console is the domain of /admin; nil leaves it out.
	Console *admin.Service
	// Reconcile compares with WeChat's list for the console; nil leaves that out.
	Reconcile *admin.Reconciler
	// Self is the way to our own public address; nil is the network.
	Self http.RoundTripper

	sessions      *browserSessions
	adminSessions *browserSessions
	console       *adminRouter
	streams       *streams
	drain         drain
	codes         recent[func() ([]byte, error)] // pictures by their text, each drawn once
	buffers       sync.Pool                      // of *bytes.Buffer, for pages being rendered
}

// drain is a door that closes once.
type drain struct {
	once   sync.Once
	closed chan struct{}
	shut   sync.Once
}

// done is closed when the server is about to stop.
func (d *drain) done() chan struct{} {
	d.once.Do(func() { d.closed = make(chan struct{}) })
	return d.closed
}

// How long a request may take. WeChat waits five seconds for the answer to a push.
const (
	pageTime = 15 * time.Second
	pushTime = 4500 * time.Millisecond
)

// Handler returns the site, or why the fields do not make one. Call it once.
func (s *Server) Handler() (http.Handler, error) {
	public, err := url.Parse(s.PublicURL)
	switch {
	case err != nil || public.Host == "" || (public.Scheme != "https" && public.Scheme != "http") || public.Path != "" || public.RawQuery != "" || public.Fragment != "":
		return nil, fmt.Errorf("public address %q is not like https://open.example.com", s.PublicURL)
	case s.Service == nil:
		return nil, errors.New("a Server needs a Service")
	case s.Receive == nil:
		return nil, errors.New("a Server needs Receive, which verifies pushes")
	}
	if s.sessions, err = newBrowserSessions(s.secure(), s.SessionKeys, "session", sessionLife); err != nil {
		return nil, err
	}
	if s.adminSessions, err = newBrowserSessions(s.secure(), s.SessionKeys, "admin", admin.SessionLife); err != nil {
		return nil, err
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.AuthType == 0 {
		s.AuthType = onboard.OfficialAndMini
	}
	s.Limits = s.Limits.withDefaults()
	s.streams = newStreams(s.Limits)
	s.codes.keep = codesKept

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(s.TrustedProxies)
	e.SchemeExtractor = clientScheme(s.TrustedProxies)
	e.HTTPErrorHandler = s.answerError
	crossSite, err := s.refuseCrossSite()
	if err != nil {
		return nil, err
	}
	gzip := middleware.GzipWithConfig(middleware.GzipConfig{Level: 1, Skipper: func(c echo.Context) bool { return kindOf(c) != htmlAnswer }})
	e.Use(s.identify, s.logRequest, s.headers(), gzip, s.settle, s.chooseLanguage, crossSite, plainAddress, limitBody)
	s.routes(e)
	if s.Guide {
		s.guideRoutes(e)
	}
	if s.Console != nil {
		e.GET("/brand/:name", s.logo, within(pageTime))
		if err := s.adminRoutes(e); err != nil {
			return nil, fmt.Errorf("the console: %w", err)
		}
	}
	return e, nil
}

// secure reports whether merchants come by https.
func (s *Server) secure() bool { return strings.HasPrefix(s.PublicURL, "https://") }

// Close ends all live pages and refuses new ones, so that http.Server.Shutdown
// does not wait for them. Browsers reconnect by themselves.
func (s *Server) Close() { s.drain.shut.Do(func() { close(s.drain.done()) }) }

// routes is the whole site. GET never mints a code: whoever previews or checks a
// link spends nothing.
func (s *Server) routes(e *echo.Echo) {
	page := within(pageTime)
	get := func(path string, h echo.HandlerFunc) {
		e.GET(path, h, page)
		e.HEAD(path, h, page)
	}
	press := func(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
		e.POST(path, h, append([]echo.MiddlewareFunc{page}, m...)...)
	}

	get("/", s.home)
	press("/connect", s.connect, s.limited())

	desk := s.limited()
	get("/c/:id", s.desk)
	e.GET("/c/:id/events", s.events)
	get("/c/:id/qr.png", s.deskCode)
	press("/c/:id/pc", s.deskGo, desk)
	press("/c/:id/check", s.deskCheck, s.limited())
	press("/c/:id/invite", s.invite, s.limited())
	press("/c/:id/again", s.again, s.limited())

	for _, p := range []phoneKind{qrPhone, invitePhone} {
		base := p.prefix() + ":code"
		get(base, s.phone(p))
		get(base+"/qr.png", s.phoneCode(p))
		press(base+"/go", s.phoneGo(p), s.limited())
		press(base+"/check", s.phoneCheck(p), s.limited())
		press(base+"/plugin", s.plugin(p), s.limited())
	}

	e.GET("/cb/:state", s.callback) // not HEAD: a link checker must not spend the code
	e.GET("/cb/", s.callback)       // a code without a state leaves the address bar too
	get("/done/:id", s.done)
	get("/m/:token", s.dashboard)
	press("/m/:token/renew", s.renew, s.limited())
	press("/m/:token/again", s.widen, s.limited())
	get("/help/wechat-errors", s.help)
	get(picturePath, s.picture)

	e.POST("/wechat/events", s.push, within(pushTime))
	e.GET("/wechat/events", s.pushCheck)
	get("/healthz", s.healthz)
	get("/readyz", s.readyz)
	files := echo.WrapHandler(static.Handler())
	get("/static/*", files)
	get("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, static.URL("favicon.svg")) })
}
