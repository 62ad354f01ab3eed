package web

import (
	"net/http"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// decideRoutes say whether an account is the right one.
func (s *Server) decideRoutes(r *adminRouter) {
	r.get(accountRoute+"/decide", admin.Work, s.decidePage)
	r.post(accountRoute+"/decide", admin.Work, s.decide)
}

const keyDecision onboard.Key = "invites.error.decision"

func (s *Server) decidePage(a *adminContext) error { return a.decision(http.StatusOK, nil) }

func (a *adminContext) decision(status int, faults adminviews.Faults) error {
	d, err := a.s.Console.Decision(a.ctx(), onboard.AppID(a.Param("appid")))
	if err != nil {
		return err
	}
	return a.render(status, adminviews.Decide(adminviews.DecidePage{Frame: a.frame(), Decision: d, Back: adminviews.AccountPath(d.Account.AppID), Faults: faults}))
}

func (s *Server) decide(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	d, err := s.Console.Decision(a.ctx(), onboard.AppID(a.Param("appid")))
	if err != nil {
		return err
	}
	answer := value("answer")
	if answer != "yes" && answer != "no" {
		return a.decision(http.StatusUnprocessableEntity, adminviews.Faults{{Field: "decision", Key: keyDecision}})
	}
	accept := answer == "yes"
	changed, err := s.Service.Decide(a.ctx(), d.Account.AppID, accept)
	if err != nil {
		return err
	}
	if !changed {
		if err := a.flash("warn", i18n.InvitesDecideChanged); err != nil {
			return err
		}
		return a.see(adminviews.AccountPath(d.Account.AppID))
	}
	action, after, said := "account.refuse", onboard.Refused, i18n.InvitesDecideDeclined
	if accept {
		action, after, said = "account.accept", onboard.Active, i18n.InvitesDecideAccepted
	}
	if err := a.audit(action, string(d.Account.AppID), string(d.Account.Standing), string(after)); err != nil {
		return err
	}
	s.Console.Decided()
	return a.done(adminviews.AccountPath(d.Account.AppID), said)
}
