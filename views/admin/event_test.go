package adminviews_test

import (
	"time"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// eventPages are the pages about what was received.
func eventPages(f adminviews.Frame, text string) map[string]templ.Component {
	fields := []onboard.MaskedField{{Name: text, Value: text}, {Name: text, Length: 30, Print: "0badcafe"}, {Name: text, Length: 1}}
	event := func(t string, o onboard.Outcome, reason string) admin.Event {
		return admin.Event{
			ID: 7, Type: onboard.EventType(t), AppID: onboard.AppID(text), Name: text, CreatedAt: noon, ReceivedAt: noon, FinishedAt: noon,
			DueAt: noon.Add(time.Hour), Tries: 12, Outcome: o, Reason: reason, Kept: o == onboard.Parked || o == "", Fields: fields,
		}
	}
	failed := event("authorized", onboard.Parked, "api_query_auth 61010 rid "+text)
	waiting, unknown := event("redirect", "", "blocked.ticket"), event(text, onboard.Ignored, text)
	every := []admin.Event{waiting, unknown, event("component_verify_ticket", onboard.Handled, ""), event("unauthorized", onboard.Ignored, ""),
		event("authorized", onboard.Attached, "waiting"), event("authorized", "", "api_query_auth gave no readable answer"), event("authorized", "", text+" -1 rid")}
	explained := func(refusal string, steps ...onboard.PushStep) adminviews.LabPage {
		for i := range steps {
			steps[i].Found = text
		}
		return adminviews.LabPage{Frame: f, Query: text, Body: "</textarea>" + text, Fields: fields,
			Explained: &onboard.Explanation{Steps: steps, Refusal: refusal, Type: onboard.EventType(text)}}
	}
	signature := onboard.PushStep{Check: onboard.CheckSignature, State: onboard.StepRefused, Age: "current"}
	return map[string]templ.Component{
		"events": adminviews.Events(adminviews.EventsPage{Frame: f, EventList: admin.EventList{
			Failed: []admin.Event{failed}, More: true, Rows: every, Next: 9, Types: []onboard.EventType{onboard.EventType(text), "authorized"}},
			Type: text, Account: text, Result: text, From: text, Until: text, Faults: adminviews.Faults{{Field: "from", Key: "audit.error.date"}}}),
		"no events":     adminviews.Events(adminviews.EventsPage{Frame: f}),
		"failed event":  adminviews.Event(adminviews.EventPage{Frame: f, Event: failed, Attempt: &onboard.Attempt{CreatedAt: noon, InviteCode: "X"}, AccountPath: "/admin/accounts/" + text, AttemptPath: "/admin/invites/" + text}),
		"waiting event": adminviews.Event(adminviews.EventPage{Frame: f, Event: waiting, Attempt: &onboard.Attempt{CreatedAt: noon}}),
		"unknown event": adminviews.Event(adminviews.EventPage{Frame: f, Event: unknown}),
		"lab":           adminviews.Lab(adminviews.LabPage{Frame: f, Query: text, Faults: adminviews.Faults{{Field: "query", Key: "lab.error.empty"}}}),
		"lab, accepted": adminviews.Lab(explained("", onboard.PushStep{Check: onboard.CheckQuery, State: onboard.StepPassed})),
		"lab, refused": adminviews.Lab(explained("signature", signature,
			onboard.PushStep{Check: onboard.CheckPadding, State: onboard.StepTried, Age: "previous", Beyond: true},
			onboard.PushStep{Check: onboard.CheckSuffix, State: onboard.StepPassed, Beyond: true},
			onboard.PushStep{Check: onboard.CheckSuffix, State: onboard.StepRefused, Beyond: true})),
	}
}
