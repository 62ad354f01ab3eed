package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// eventRoutes show what was received from WeChat, and explain what is refused.
func (s *Server) eventRoutes(r *adminRouter) {
	r.get(adminviews.EventsPath, admin.View, s.eventsPage)
	r.get(adminviews.EventsPath+"/:event", admin.View, s.eventPage)
	r.post(adminviews.EventsPath+"/:event/again", admin.Work, s.handleAgain)
	r.post(adminviews.EventsPath+"/again", admin.Work, s.handleAllAgain)
	r.get(adminviews.LabPath, admin.ManagePlatform, s.labPage)
	r.post(adminviews.LabPath, admin.ManagePlatform, s.lab)
	r.counts[adminviews.EventsPath] = s.failedEvents
}

const (
	eventsOnPage = 50
	failedLimit  = 99 // more are "99+"
)

// failedEvents is the number beside the navigation's entry.
func (s *Server) failedEvents(ctx context.Context) (string, error) {
	n, err := s.Console.FailedEvents(ctx, failedLimit+1)
	switch {
	case err != nil || n == 0:
		return "", err
	case n > failedLimit:
		return strconv.Itoa(failedLimit) + "+", nil
	}
	return strconv.FormatInt(n, 10), nil
}

func (s *Server) eventsPage(a *adminContext) error {
	m := adminviews.EventsPage{
		Type: a.QueryParam("type"), Account: strings.TrimSpace(a.QueryParam("account")), Result: a.QueryParam("result"),
		From: a.QueryParam("from"), Until: a.QueryParam("until"),
	}
	f := admin.EventFilter{Type: onboard.EventType(m.Type), AppID: onboard.AppID(m.Account), Result: admin.ParseEventResult(m.Result), Limit: eventsOnPage}
	m.Result = string(f.Result)
	f.From, f.Until = a.day("from", 0, &m.Faults), a.day("until", 1, &m.Faults)
	f.Before, _ = strconv.ParseInt(a.QueryParam("before"), 10, 64) // nonsense begins at the newest
	m.Past = f.Before > 0
	var err error
	if m.EventList, err = s.Console.Events(a.ctx(), f); err != nil {
		return err
	}
	status := http.StatusOK
	if len(m.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	m.Frame = a.frame()
	return a.render(status, adminviews.Events(m))
}

// event reads the event that the address names.
func (a *adminContext) event() (admin.Event, error) {
	id, err := strconv.ParseInt(a.Param("event"), 10, 64)
	if err != nil {
		return admin.Event{}, onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "event %q", a.Param("event"))
	}
	return a.s.Console.Event(a.ctx(), id)
}

func (s *Server) eventPage(a *adminContext) error {
	e, err := a.event()
	if err != nil {
		return err
	}
	m := adminviews.EventPage{Event: e}
	if e.AppID != "" && s.console.shows(adminviews.AccountsPath, a.Admin.Role) {
		m.AccountPath = adminviews.AccountsPath + "/" + string(e.AppID)
	}
	if e.AttemptID != "" {
		attempt, err := s.Service.Attempt(a.ctx(), e.AttemptID)
		if kind, _ := onboard.Explain(err); err != nil && kind != onboard.NotFound {
			return err
		}
		if err == nil {
			m.Attempt = &attempt
			if attempt.InvitedBy != "" && s.console.shows(adminviews.InvitesPath, a.Admin.Role) {
				m.AttemptPath = adminviews.InvitesPath + "/" + attempt.ID
			}
		}
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Event(m))
}

// handleAgain has one event handled again and says what came of it.
func (s *Server) handleAgain(a *adminContext) error {
	e, err := a.event()
	if err != nil {
		return err
	}
	again, err := s.Service.HandleAgain(a.ctx(), e.ID)
	if err != nil {
		return err
	}
	path := adminviews.EventPath(e.ID)
	now, err := s.Console.Event(a.ctx(), e.ID)
	if err != nil {
		return err
	}
	if err := a.audit("event.again", strconv.FormatInt(e.ID, 10), string(e.Result()), string(now.Result())+" "+string(e.Type)+" "+string(now.AppID)); err != nil {
		return err
	}
	class, key := "ok", i18n.EventsAgainDone
	switch result := now.Result(); {
	case !again:
		class, key = "warn", i18n.EventsAgainNot
	case result == admin.EventFailed || result == admin.EventWaiting && now.Reason != "": // reviving it had cleared that
		class, key = "bad", i18n.EventsAgainFailed
	case result == admin.EventWaiting:
		class, key = "warn", i18n.EventsAgainWaits
	}
	if err := a.flash(class, key); err != nil {
		return err
	}
	return a.see(path)
}

// handleAllAgain is for a cause that made many events fail, such as a wrong secret.
func (s *Server) handleAllAgain(a *adminContext) error {
	n, err := s.Service.HandleAllAgain(a.ctx())
	if err != nil {
		return err
	}
	count := strconv.FormatInt(n, 10)
	if err := a.audit("event.again_all", "", "", count); err != nil {
		return err
	}
	return a.done(adminviews.EventsPath, i18n.EventsAllAgain, "n", count)
}
