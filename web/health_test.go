package web

import (
	"strings"
	"testing"

	"usher/internal/onboard"
)

func TestHealth(t *testing.T) {
	service := reading(waiting(), nil)
	service.ready = onboard.Readiness{Reasons: []string{"no_ticket"}}
	h, _, _ := site(t, service, func(s *Server) { s.Version = "v1.2.3" })
	if w := ask(h, "GET", "/healthz", ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok","version":"v1.2.3"}` {
		t.Errorf("GET /healthz = %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/readyz", ""); w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"status":"unavailable","version":"v1.2.3","reasons":["no_ticket"]}` {
		t.Errorf("GET /readyz = %d %s", w.Code, w.Body)
	}
	service.ready = onboard.Readiness{OK: true}
	h, _, _ = site(t, service, nil)
	if w := ask(h, "GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("GET /readyz = %d %s", w.Code, w.Body)
	}
}
