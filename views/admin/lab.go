package adminviews

import (
	"context"
	"slices"
	"strconv"

	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/views"
)

// LabPage explains one request that was pasted.
type LabPage struct {
	Frame
	Query, Body string // as they were pasted
	// Explained is nil before anything was pasted. Fields are of it, masked.
	Explained *onboard.Explanation
	Fields    []onboard.MaskedField
	Faults    Faults
}

// checkWord is the state of a step as a word and a pill's class.
func checkWord(ctx context.Context, s onboard.PushStep) (class, word string) {
	switch {
	case s.State == onboard.StepTried:
		return "off", i18n.T(ctx, i18n.LabTried)
	case s.Beyond && s.State == onboard.StepPassed:
		return "off", i18n.T(ctx, i18n.LabBeyondPassed)
	case s.Beyond:
		return "off", i18n.T(ctx, i18n.LabBeyondRefused)
	case s.State == onboard.StepPassed:
		return "ok", i18n.T(ctx, i18n.LabPassed)
	}
	return "bad", i18n.T(ctx, i18n.LabStopped)
}

// foundWords say what a check came upon.
func foundWords(ctx context.Context, s onboard.PushStep) string {
	if s.Found == "" || s.Check == onboard.CheckPadding {
		return ""
	}
	unit := map[onboard.PushCheck]i18n.Key{
		onboard.CheckQuery: i18n.LabFoundParameters, onboard.CheckBody: i18n.LabFoundBytes, onboard.CheckLength: i18n.LabFoundBytes,
		onboard.CheckSize: i18n.LabFoundBytes, onboard.CheckWindow: i18n.LabFoundSeconds,
	}
	if key, ok := unit[s.Check]; ok {
		if n, err := strconv.Atoi(s.Found); err == nil {
			return i18n.T(ctx, key, "n", n)
		}
	}
	return views.DisplayName(s.Found)
}

// cause says in words why a request is refused and what to do. A wrong signature
// has three causes, which the checks behind it tell apart.
func cause(ctx context.Context, e *onboard.Explanation) string {
	key := i18n.Key("lab.cause." + e.Refusal)
	if e.Refusal == "signature" {
		ended := func(check onboard.PushCheck, state onboard.StepState) bool {
			return slices.ContainsFunc(e.Steps, func(s onboard.PushStep) bool { return s.Check == check && s.State == state })
		}
		switch {
		case ended(onboard.CheckSignature, onboard.StepPassed):
			key = i18n.LabCauseSignatureChanged // the query alone was changed
		case ended(onboard.CheckSuffix, onboard.StepPassed):
			key = i18n.LabCauseSignatureToken
		case ended(onboard.CheckPadding, onboard.StepRefused):
			key = i18n.LabCauseSignatureForged
		default:
			key = i18n.LabCauseSignatureChanged
		}
	}
	return i18n.T(ctx, key)
}
