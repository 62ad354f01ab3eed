package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// PlatformService is what the console's pages about the platform ask of the
// domain. Every method calls WeChat.
type PlatformService interface {
	// StartPush asks for ticket pushes to begin, which also shows whether WeChat
	// accepts our address and the AppSecret.
	StartPush(ctx context.Context) error
	// CheckPlatform finds out whether WeChat serves us.
	CheckPlatform(ctx context.Context) error
	// Quotas asks how many of the day's calls are used; ClearQuota begins them anew.
	Quotas(ctx context.Context) ([]onboard.Usage, error)
	ClearQuota(ctx context.Context) error
}

// healthPace is how often a live page of the platform's health is looked at anew.
const healthPace = 3 * time.Second

// healthRoutes show how the platform is, and let an owner act.
func (s *Server) healthRoutes(r *adminRouter) {
	r.get(adminviews.HealthPath, admin.View, s.healthPage)
	r.stream(adminviews.HealthPath+liveSuffix, admin.View, s.healthLive)
	r.post(adminviews.HealthPath+"/check", admin.ManagePlatform, s.checkPlatform)
	r.post(adminviews.HealthPath+"/push", admin.ManagePlatform, s.startPush)
	r.get(adminviews.QuotaPath, admin.View, s.quotaPage)
	r.post(adminviews.QuotaPath, admin.ManagePlatform, s.readQuota)
	r.get(adminviews.QuotaPath+"/clear", admin.ManagePlatform, s.clearQuotaPage)
	r.post(adminviews.QuotaPath+"/clear", admin.ManagePlatform, s.clearQuota)
}

// health reads what the page shows. Frame is set for a whole page only.
func (a *adminContext) health(ctx context.Context) (adminviews.HealthPage, error) {
	setup, err := a.s.Console.Setup(ctx, a.s.PublicURL)
	m := adminviews.HealthPage{
		Setup: setup, Findings: setup.Findings(), Platform: string(a.s.Service.PlatformAppID()), Version: a.s.Version, Paste: a.s.paste(setup.Health),
	}
	m.Now, m.Admin = a.s.Now(), a.Admin
	return m, err
}

// paste is what belongs into WeChat's console.
func (s *Server) paste(h admin.Health) adminviews.Paste {
	p := adminviews.Paste{Events: s.PublicURL + "/wechat/events", Messages: s.PublicURL + "/wechat/messages/$APPID$", Address: h.Address()}
	if u, err := url.Parse(s.PublicURL); err == nil {
		p.Domain = u.Host
	}
	return p
}

func (s *Server) healthPage(a *adminContext) error {
	m, err := a.health(a.ctx())
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Health(m))
}

func (s *Server) healthLive(a *adminContext) error {
	return a.follow(livePart{name: "health", turn: healthPace, draw: func(ctx context.Context) (templ.Component, error) {
		m, err := a.health(ctx)
		return adminviews.HealthLive(m), err
	}})
}

// asked ends a call to WeChat that somebody pressed a button for: what it told is
// stored at once, and said. done is the sentence when it went well.
func (a *adminContext) asked(path string, err error, action string, done i18n.Key) error {
	if saved := a.s.Console.SavePulse(a.ctx()); saved != nil {
		return saved
	}
	outcome := "ok"
	if err != nil {
		outcome = "failed"
		a.s.note(a, err)
	}
	if audited := a.audit(action, "platform", "", outcome); audited != nil {
		return audited
	}
	if err == nil {
		return a.done(path, done)
	}
	key, args := refusal(err)
	if flashed := a.flash("bad", key, args...); flashed != nil {
		return flashed
	}
	return a.see(path)
}

// refusal is the sentence about a call to WeChat that failed.
func refusal(err error) (key i18n.Key, args []string) {
	up, ok := errors.AsType[*onboard.UpstreamError](err)
	switch {
	case !ok:
		switch _, key := onboard.Explain(err); key {
		case onboard.KeyBlockedTicket:
			return i18n.HealthSaidTicket, nil
		case onboard.KeyBlockedCredentials:
			return i18n.HealthFindingCredentialsTitle, nil
		}
		return i18n.HealthSaidInternal, nil
	case up.Code == 0:
		return i18n.HealthSaidUnreachable, nil
	case up.Code == 48006:
		return i18n.HealthSaidResets, nil
	}
	return i18n.HealthSaidRefused, []string{"code", adminviews.Number(up.Code), "api", up.API}
}

func (s *Server) checkPlatform(a *adminContext) error {
	return a.asked(adminviews.HealthPath, s.Service.CheckPlatform(a.ctx()), "health.check", i18n.HealthSaidChecked)
}

func (s *Server) startPush(a *adminContext) error {
	return a.asked(adminviews.HealthPath, s.Service.StartPush(a.ctx()), "health.push", i18n.HealthSaidPush)
}

func (s *Server) quotaPage(a *adminContext) error {
	all, at, err := s.Console.Usage(a.ctx())
	if err != nil {
		return err
	}
	return a.render(http.StatusOK, adminviews.Quota(adminviews.QuotaPage{Frame: a.frame(), All: all, At: at}))
}

func (s *Server) readQuota(a *adminContext) error {
	all, err := s.Service.Quotas(a.ctx())
	if err != nil {
		return a.asked(adminviews.QuotaPath, err, "quota.read", i18n.HealthSaidQuota)
	}
	if err := s.Console.SaveUsage(a.ctx(), all); err != nil {
		return err
	}
	return a.done(adminviews.QuotaPath, i18n.HealthSaidQuota)
}

func (s *Server) clearQuotaPage(a *adminContext) error {
	return a.render(http.StatusOK, adminviews.ClearQuota(adminviews.QuotaPage{Frame: a.frame()}))
}

func (s *Server) clearQuota(a *adminContext) error {
	return a.asked(adminviews.QuotaPath, s.Service.ClearQuota(a.ctx()), "quota.clear", i18n.HealthSaidCleared)
}
