package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/onboard"
	"usher/views"
)

// phoneKind tells the two addresses of the phone page apart.
type phoneKind int

const (
	qrPhone     phoneKind = iota // behind the code at the desk
	invitePhone                  // sent on as a link
)

// prefix is the path in front of the code.
func (k phoneKind) prefix() string {
	if k == invitePhone {
		return "/i/"
	}
	return "/q/"
}

// attempt finds the attempt of the code in the address.
func (s *Server) phoneAttempt(c echo.Context, k phoneKind) (onboard.Attempt, error) {
	if k == invitePhone {
		return s.Service.InviteAttempt(c.Request().Context(), c.Param("code"))
	}
	return s.Service.PhoneAttempt(c.Request().Context(), c.Param("code"))
}

// path is the page's address as we write it, whatever spelling of the code led here.
func (k phoneKind) path(a onboard.Attempt) string {
	if k == invitePhone {
		return views.InvitePath(a.InviteCode)
	}
	return views.PhonePath(a.PhoneCode)
}

// phone is the page on the phone. It explains and does not redirect: WeChat
// refuses a browser that comes without the address of a page of ours, and after a
// scan only a page with a button has one.
func (s *Server) phone(k phoneKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Add("Vary", "User-Agent")
		a, err := s.phoneAttempt(c, k)
		if err != nil {
			return err
		}
		m := s.phonePage(c, k, a)
		if m.Place == views.InWeChat && c.Request().Method == http.MethodGet {
			// Two taps on the button are one press only of a browser that is known
			// before the first of them.
			if _, err := s.sessions.begin(c); err != nil {
				return err
			}
			if a.OpenedAt.IsZero() {
				if err := s.Service.Opened(c.Request().Context(), a.ID); err != nil {
					return err
				}
			}
		}
		if asks(c, inWeChat) {
			m.Place = views.InWeChat
		}
		return s.render(c, http.StatusOK, views.Phone(m))
	}
}

// inWeChat in the query is somebody who says that our guess is wrong.
const inWeChat = "in=wechat"

func (s *Server) phonePage(c echo.Context, k phoneKind, a onboard.Attempt) views.PhonePage {
	path := k.path(a)
	m := views.PhonePage{
		Page: s.page(c, path), Attempt: a, Base: path, URL: s.PublicURL + path,
		Place:    placeOf(c.Request().UserAgent()),
		NotAdmin: asks(c, "not_admin=1"),
		Checked:  asks(c, "checked=1"),
		Account:  s.known(c, a),
	}
	// The address of the result has the id of the desk page in it: a photo of the
	// code must not lead there.
	if ended(a.State(s.Now())) && s.tookPart(c, a) {
		m.ResultPath = views.ResultPath(a.ID)
	}
	return m
}

// tookPart reports whether the browser began the attempt or was handed off in it.
func (s *Server) tookPart(c echo.Context, a onboard.Attempt) bool {
	session := s.sessions.id(c)
	return session != "" && s.Service.TookPart(c.Request().Context(), a, session)
}

// phoneCode is the picture of the phone page's own address, for those who opened
// it somewhere else than in WeChat.
func (s *Server) phoneCode(k phoneKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.phoneAttempt(c, k)
		if err != nil {
			return err
		}
		return s.code(c, s.PublicURL+k.path(a))
	}
}

// phoneGo mints a code and sends the phone to WeChat's page.
func (s *Server) phoneGo(k phoneKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.phoneAttempt(c, k)
		if err != nil {
			return err
		}
		return s.handOff(c, a, onboard.H5, s.drawPhone(c, k))
	}
}

// phoneCheck is deskCheck for the phone.
func (s *Server) phoneCheck(k phoneKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.phoneAttempt(c, k)
		if err != nil {
			return err
		}
		same, found := k.path(a)+checkedQuery, k.path(a)
		if placeOf(c.Request().UserAgent()) != views.InWeChat {
			same += "&" + inWeChat
		}
		if s.tookPart(c, a) {
			found = views.ResultPath(a.ID)
		}
		return s.check(c, a, same, found, s.drawPhone(c, k))
	}
}

// drawPhone answers a press with the phone page. Its buttons are shown inside
// WeChat only, or to somebody who says so.
func (s *Server) drawPhone(c echo.Context, k phoneKind) draw {
	return func(status int, a onboard.Attempt) error {
		m := s.phonePage(c, k, a)
		m.Place = views.InWeChat
		return s.render(c, status, views.Phone(m))
	}
}

// pluginLink is what openAuthorizeAccount of WeChat's plug-in takes (第三方平台服务
// 商插件), and for how many seconds it is good.
type pluginLink struct {
	PlatformAppID onboard.AppID    `json:"platformAppID"`
	PreAuthCode   string           `json:"preAuthCode"`
	AuthType      onboard.AuthType `json:"authType"`
	BizAppID      onboard.AppID    `json:"bizAppid,omitempty"`
	ExpiresIn     int              `json:"expires_in"`
}

// plugin hands a Mini Program a code. It is the only answer of ours that holds one.
func (s *Server) plugin(k phoneKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.phoneAttempt(c, k)
		if err != nil {
			return err
		}
		ctx, cancel := detached(c)
		defer cancel()
		link, err := s.Service.PluginHandOff(ctx, a.ID)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, pluginLink{
			PlatformAppID: s.Service.PlatformAppID(), PreAuthCode: link.PreAuthCode.Reveal(),
			AuthType: link.AuthType, BizAppID: link.BizAppID, ExpiresIn: int(link.ExpiresIn / time.Second),
		})
	}
}
