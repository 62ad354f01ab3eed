package web

import (
	"net/http"
	"strings"
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
		return s.render(c, http.StatusOK, views.Phone(m))
	}
}

func (s *Server) phonePage(c echo.Context, k phoneKind, a onboard.Attempt) views.PhonePage {
	path, query := k.path(a), c.Request().URL.RawQuery
	return views.PhonePage{
		Page: s.page(c, path), Attempt: a, Base: path, URL: s.PublicURL + path,
		Place:    placeOf(c.Request().UserAgent()),
		NotAdmin: strings.Contains(query, "not_admin=1"),
		Checked:  strings.Contains(query, "checked=1"),
	}
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
		return s.check(c, a, k.path(a), s.drawPhone(c, k))
	}
}

func (s *Server) drawPhone(c echo.Context, k phoneKind) draw {
	return func(status int, a onboard.Attempt) error {
		c.Response().Header().Add("Vary", "User-Agent")
		return s.render(c, status, views.Phone(s.phonePage(c, k, a)))
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
