package web

import (
	"net/http"
	"strconv"
	"strings"

	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

func (s *Server) labPage(a *adminContext) error {
	return a.render(http.StatusOK, adminviews.Lab(adminviews.LabPage{Frame: a.frame()}))
}

// lab explains a pasted request. Nothing of it is stored, and the audit tells the
// verdict only.
func (s *Server) lab(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	m := adminviews.LabPage{Query: strings.TrimSpace(value("query")), Body: unbroken(value("body"))}
	if m.Query == "" && strings.TrimSpace(m.Body) == "" {
		m.Faults = adminviews.Faults{{Field: "query", Key: "lab.error.empty"}}
		m.Frame = a.frame()
		if err := a.audit("lab.open", "", "", "empty"); err != nil {
			return err
		}
		return a.render(http.StatusUnprocessableEntity, adminviews.Lab(m))
	}
	e := s.explain(rawQuery(m.Query), []byte(m.Body))
	m.Explained, m.Fields = &e, s.Service.Masked(e.Fields)
	verdict := e.Refusal
	if verdict == "" {
		verdict = "accepted"
	}
	if err := a.audit("lab.open", "", "", verdict); err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Lab(m))
}

// explain is what the endpoint would do with a request: see push.
func (s *Server) explain(rawQuery string, body []byte) onboard.Explanation {
	if tooLarge(body) {
		return onboard.Explanation{Refusal: "size", Steps: []onboard.PushStep{{Check: onboard.CheckBody, State: onboard.StepRefused, Found: strconv.Itoa(len(body))}}}
	}
	if s.Explain == nil {
		return onboard.Explanation{Refusal: "keys", Steps: []onboard.PushStep{{Check: onboard.CheckKeys, State: onboard.StepRefused}}}
	}
	return s.Explain(rawQuery, body)
}

// unbroken undoes what a form does to line breaks.
func unbroken(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// rawQuery is the query of what was pasted: itself, a whole address, or a line of a
// log.
func rawQuery(pasted string) string {
	if _, query, ok := strings.Cut(pasted, "?"); ok {
		pasted = query
	}
	query, _, _ := strings.Cut(strings.TrimSpace(pasted), " ")
	return query
}
