package admin

import (
	"context"
	"slices"
	"time"

	"usher/internal/onboard"
)

// Step is one step of setting the platform up.
type Step string

// The steps in their order.
const (
	StepAdmin       Step = "admin"
	StepAddress     Step = "address"
	StepCredentials Step = "credentials"
	StepAllowList   Step = "allow_list"
	StepPush        Step = "push"
	StepSets        Step = "sets"
	StepTry         Step = "try"
)

// Steps lists them in their order.
func Steps() []Step {
	return []Step{StepAdmin, StepAddress, StepCredentials, StepAllowList, StepPush, StepSets, StepTry}
}

// skippable are the steps without which merchants can be served: a server behind a
// router may not reach its own public address although others do.
var skippable = []Step{StepAddress, StepSets, StepTry}

// Skippable reports whether the step may be left out.
func (st Step) Skippable() bool { return slices.Contains(skippable, st) }

// skipPrefix begins the name of the check that remembers a step left out.
const skipPrefix = "skip."

// StepState is how far one step is.
type StepState struct {
	Step    Step
	Done    bool
	Skipped bool // left out, and not done
	At      time.Time
}

// Settled reports whether nobody has to do anything about the step.
func (s StepState) Settled() bool { return s.Done || s.Skipped }

// Setup is how far the platform is set up.
type Setup struct {
	Health
	Steps []StepState
}

// Setup reads how far the platform is set up. publicURL is our address now.
func (s *Service) Setup(ctx context.Context, publicURL string) (Setup, error) {
	h, err := s.Health(ctx)
	return h.Setup(publicURL), err
}

// Setup tells the steps from what is known about the platform.
func (h Health) Setup(publicURL string) Setup {
	u := Setup{Health: h}
	proven := func(name CheckName) (bool, time.Time) {
		c := h.Checks[name]
		return c.Proven(), c.OKAt
	}
	for _, step := range Steps() {
		st := StepState{Step: step}
		switch step {
		case StepAdmin:
			st.Done = true // somebody is looking at it
		case StepAddress:
			c := h.Checks[CheckAddress]
			st.Done, st.At = c.Proven() && c.Subject == publicURL, c.OKAt
		case StepCredentials:
			st.Done, st.At = proven(CheckSecret)
			st.Done = st.Done && len(h.Missing) == 0 && !h.Checks[CheckAppID].Failing()
		case StepAllowList:
			st.Done, st.At = proven(CheckAllowList)
		case StepPush:
			st.Done, st.At = h.Ticket != TicketNever && h.Ticket != TicketExpired, h.TicketAt
		case StepSets:
			st.Done, st.At = proven(CheckSets)
		case StepTry:
			st.Done = h.Accounts > 0
		}
		if skip := h.Checks[CheckName(skipPrefix+string(step))]; !st.Done && step.Skippable() && skip.Proven() {
			st.Skipped, st.At = true, skip.OKAt
		}
		u.Steps = append(u.Steps, st)
	}
	return u
}

// State is how far one step is.
func (u Setup) State(step Step) StepState {
	for _, st := range u.Steps {
		if st.Step == step {
			return st
		}
	}
	return StepState{}
}

// Current is the first step that is not settled, empty when all are.
func (u Setup) Current() Step {
	for _, st := range u.Steps {
		if st.Settled() {
			continue
		}
		// WeChat looks at our address before it looks at the AppSecret.
		if st.Step == StepCredentials && len(u.Missing) == 0 && u.Checks[CheckAllowList].Failing() {
			return StepAllowList
		}
		return st.Step
	}
	return ""
}

// Complete reports whether nothing is left to do.
func (u Setup) Complete() bool { return u.Current() == "" }

// Settled counts the steps that are done or were left out.
func (u Setup) Settled() (n int) {
	for _, st := range u.Steps {
		if st.Settled() {
			n++
		}
	}
	return n
}

// ProveAddress is the answer by which we know ourselves again behind our public
// address: only who holds our key can give it.
func (s *Service) ProveAddress(nonce string) string { return s.hasher.Hash(purposeAddress, nonce) }

// SaveAddressCheck notes whether our public address leads to us; failure is empty
// when it does.
func (s *Service) SaveAddressCheck(ctx context.Context, publicURL, failure string) error {
	c := Check{Name: CheckAddress, Subject: publicURL, OKAt: s.now()}
	if failure != "" {
		c.OKAt, c.FailedAt, c.Since, c.Times, c.What = time.Time{}, s.now(), s.now(), 1, failure
	}
	return s.saveChecks(ctx, Entry{Action: "wizard.address", Target: publicURL, After: failure}, c)
}

// SkipStep leaves a step out.
func (s *Service) SkipStep(ctx context.Context, step Step) error {
	if !step.Skippable() {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "step %q is not one to leave out", step)
	}
	return s.saveChecks(ctx, Entry{Action: "wizard.skip", Target: string(step)}, Check{Name: CheckName(skipPrefix + string(step)), OKAt: s.now()})
}

// ChooseSets saves the permission sets to ask for by default.
func (s *Service) ChooseSets(ctx context.Context, wanted []onboard.PermissionID) error {
	next := s.Settings()
	next.Wanted = wanted
	if err := s.SaveSettings(ctx, next); err != nil {
		return err
	}
	return s.store.SavePulse(ctx, nil, []Check{{Name: CheckSets, OKAt: s.now()}}, s.now().Add(-pulseMemory))
}

// SaveTry remembers the invite for the operator's own account.
func (s *Service) SaveTry(ctx context.Context, attemptID string) error {
	return s.saveChecks(ctx, Entry{Action: "wizard.try", Target: attemptID}, Check{Name: CheckTry, Subject: attemptID, OKAt: s.now()})
}

func (s *Service) saveChecks(ctx context.Context, e Entry, checks ...Check) error {
	if err := s.store.SavePulse(ctx, nil, checks, s.now().Add(-pulseMemory)); err != nil {
		return err
	}
	return s.Audit(ctx, e)
}

// SaveUsage keeps what WeChat said of the day's calls.
func (s *Service) SaveUsage(ctx context.Context, all []onboard.Usage) error {
	if err := s.store.SaveUsage(ctx, all, s.now()); err != nil {
		return err
	}
	return s.Audit(ctx, Entry{Action: "quota.read", Target: "platform"})
}

// Usage is what WeChat said of the day's calls, and when; nothing when it was not
// asked yet.
func (s *Service) Usage(ctx context.Context) ([]onboard.Usage, time.Time, error) {
	all, at, err := s.store.Usage(ctx)
	if isNoRow(err) {
		err = nil
	}
	return all, at, err
}
