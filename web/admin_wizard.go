package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/views"
	adminviews "usher/views/admin"
)

// wizardPace is how often a step that waits is looked at anew.
const wizardPace = time.Second

// wizardRoutes lead an owner from an empty database to the first merchant.
func (s *Server) wizardRoutes(r *adminRouter) {
	r.get(adminviews.WizardPath, admin.ManagePlatform, s.wizardPage)
	r.stream(adminviews.WizardPath+liveSuffix, admin.ManagePlatform, s.wizardLive)
	r.post(adminviews.WizardPath+"/address", admin.ManagePlatform, s.wizardAddress)
	r.post(adminviews.WizardPath+"/credentials", admin.ManagePlatform, s.wizardCredentials)
	r.post(adminviews.WizardPath+"/push", admin.ManagePlatform, s.wizardPush)
	r.post(adminviews.WizardPath+"/sets", admin.ManagePlatform, s.wizardSets)
	r.post(adminviews.WizardPath+"/try", admin.ManagePlatform, s.wizardTry)
	r.post(adminviews.WizardPath+"/skip/:step", admin.ManagePlatform, s.wizardSkip)
}

// wizard reads what the page shows: the step that was asked for, or the first that
// is not settled.
func (a *adminContext) wizard(ctx context.Context) (adminviews.WizardPage, error) {
	setup, err := a.s.Console.Setup(ctx, a.s.PublicURL)
	if err != nil {
		return adminviews.WizardPage{}, err
	}
	m := adminviews.WizardPage{Setup: setup, Step: setup.Current(), PublicURL: a.s.PublicURL, Platform: string(a.s.Service.PlatformAppID()), Paste: a.s.paste(setup.Health)}
	if asked := admin.Step(a.QueryParam("step")); slices.Contains(admin.Steps(), asked) {
		m.Step = asked
	}
	m.Now, m.Admin, m.Brand = a.s.Now(), a.Admin, a.s.brand()
	switch m.Step {
	case admin.StepCredentials:
		all := a.s.Console.Credentials()
		for _, name := range []admin.CredentialName{admin.ComponentSecret, admin.PushToken, admin.AESKey} {
			m.Credentials = append(m.Credentials, adminviews.CredentialLine{
				Name: name, Credential: admin.Credential{Fixed: all[name].Fixed}, Fingerprint: a.s.Console.Fingerprint(all[name].Value),
			})
		}
	case admin.StepSets:
		for _, id := range a.s.Console.Settings().Wanted {
			m.Chosen = append(m.Chosen, strconv.Itoa(int(id)))
		}
	case admin.StepTry:
		if id := setup.Checks[admin.CheckTry].Subject; id != "" {
			t, err := a.s.Service.Attempt(ctx, id)
			if kind, _ := onboard.Explain(err); err != nil && kind != onboard.NotFound {
				return m, err
			}
			m.Try = t
			m.TryLink = a.s.PublicURL + views.InvitePath(t.InviteCode)
		}
	}
	return m, nil
}

func (s *Server) wizardPage(a *adminContext) error { return a.wizardForm(http.StatusOK, nil, nil) }

func (a *adminContext) wizardForm(status int, faults adminviews.Faults, change func(*adminviews.WizardPage)) error {
	m, err := a.wizard(a.ctx())
	if err != nil {
		return err
	}
	if change != nil {
		change(&m)
	}
	m.Frame, m.Faults = a.frame(), faults
	return a.render(status, adminviews.Wizard(m))
}

// wizardLive follows a step that waits, and leads on when it is done.
func (s *Server) wizardLive(a *adminContext) error {
	began, err := a.wizard(a.ctx())
	if err != nil {
		return err
	}
	return a.follow(livePart{name: "wizard", turn: wizardPace, onward: adminviews.WizardPath, draw: func(ctx context.Context) (templ.Component, error) {
		m, err := a.wizard(ctx)
		if err == nil && m.Setup.State(began.Step).Done && !began.Setup.State(began.Step).Done {
			return nil, errLeft
		}
		m.Step = began.Step
		return adminviews.WizardLive(m), err
	}})
}

// wizardAddress looks whether our public address leads to us.
func (s *Server) wizardAddress(a *adminContext) error {
	err := s.reachSelf(a.ctx())
	failure := ""
	if err != nil {
		out, ok := errors.AsType[*notReached](err)
		if !ok {
			return err
		}
		s.note(a, err)
		failure = out.kind
	}
	if err := s.Console.SaveAddressCheck(a.ctx(), s.PublicURL, failure); err != nil {
		return err
	}
	return a.see(wizardStep(admin.StepAddress, failure == ""))
}

// wizardStep is where a step leads: on when it is done, back to it otherwise.
func wizardStep(step admin.Step, done bool) string {
	if done {
		return adminviews.WizardPath
	}
	return adminviews.WizardPath + "?step=" + string(step)
}

// wizardCredentials stores what was typed and asks WeChat whether it is right.
func (s *Server) wizardCredentials(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	var faults adminviews.Faults
	typed := map[admin.CredentialName]secret.Secret{}
	all := s.Console.Credentials()
	names := []admin.CredentialName{admin.ComponentSecret, admin.PushToken, admin.AESKey}
	for _, name := range names {
		v := secret.New(strings.TrimSpace(value("secret-" + string(name))))
		switch fault := admin.CredentialFault(name, v); {
		case all[name].Fixed:
		case fault != "":
			faults = append(faults, adminviews.Fault{Field: "secret-" + string(name), Key: fault})
		case !v.Empty():
			typed[name] = v
		case all[name].Value.Empty():
			faults = append(faults, adminviews.Fault{Field: "secret-" + string(name), Key: onboard.Key(i18n.WizardErrorEmpty)})
		}
	}
	if len(faults) > 0 {
		return a.wizardForm(http.StatusUnprocessableEntity, faults, func(m *adminviews.WizardPage) { m.Step = admin.StepCredentials })
	}
	for _, name := range names {
		if v, ok := typed[name]; ok {
			if err := s.Console.SaveCredential(a.ctx(), name, v); err != nil {
				return err
			}
		}
	}
	return a.wizardAsk(admin.StepCredentials)
}

// wizardPush asks for pushes again; the same call shows whether the secret is right
// and our address is allowed.
func (s *Server) wizardPush(a *adminContext) error { return a.wizardAsk("") }

// wizardAsk asks WeChat and leads to the step that is next then.
func (a *adminContext) wizardAsk(from admin.Step) error {
	err := a.s.Service.StartPush(a.ctx())
	if err := a.s.Console.SavePulse(a.ctx()); err != nil {
		return err
	}
	outcome := "ok"
	if err != nil {
		outcome = "failed"
		a.s.note(a, err)
	}
	if err := a.audit("wizard.ask", "platform", "", outcome); err != nil {
		return err
	}
	setup, err := a.s.Console.Setup(a.ctx(), a.s.PublicURL)
	if err != nil {
		return err
	}
	if from != "" && outcome == "failed" && setup.Current() != admin.StepAllowList {
		return a.see(wizardStep(from, false))
	}
	return a.see(adminviews.WizardPath)
}

// wizardSets saves which permission sets invites ask for.
func (s *Server) wizardSets(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	text := value("sets")
	if text == "" {
		text = strings.Join(a.Request().PostForm["set"], "|")
	}
	wanted, err := onboard.ParsePermissionIDs(text)
	if err == nil {
		err = s.Console.ChooseSets(a.ctx(), wanted)
	}
	if fault, ok := a.fault(err, "sets", admin.Entrance{}); ok {
		return a.wizardForm(http.StatusUnprocessableEntity, adminviews.Faults{fault}, func(m *adminviews.WizardPage) {
			m.Step, m.Chosen = admin.StepSets, strings.Split(text, "|")
		})
	}
	if err != nil {
		return err
	}
	return a.see(adminviews.WizardPath)
}

// wizardTry makes the invite for the operator's own account.
func (s *Server) wizardTry(a *adminContext) error {
	t, err := s.Service.CreateInvite(a.ctx(), onboard.Invitation{
		Wish:      onboard.Wish{AuthType: s.AuthType, Language: string(i18n.From(a.ctx()))},
		Recipient: i18n.T(a.ctx(), i18n.WizardTryRecipient), InvitedBy: a.Admin.Name, Own: true,
	})
	if err != nil {
		return err
	}
	if err := s.Console.SaveTry(a.ctx(), t.ID); err != nil {
		return err
	}
	return a.see(wizardStep(admin.StepTry, false))
}

func (s *Server) wizardSkip(a *adminContext) error {
	step, err := url.PathUnescape(a.Param("step"))
	if err != nil {
		step = ""
	}
	if err := s.Console.SkipStep(a.ctx(), admin.Step(step)); err != nil {
		return err
	}
	return a.see(adminviews.WizardPath)
}
