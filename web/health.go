package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// health is what monitoring reads.
type health struct {
	Status  string   `json:"status"` // "ok" or "unavailable"
	Version string   `json:"version,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
	// Proof answers the nonce of the query, by which the site knows itself again
	// behind its public address.
	Proof string `json:"proof,omitempty"`
}

// healthz says that the process answers.
func (s *Server) healthz(c echo.Context) error {
	h := health{Status: "ok", Version: s.Version}
	if nonce := c.QueryParam("nonce"); s.Console != nil && isNonce(nonce) {
		h.Proof = s.Console.ProveAddress(nonce)
	}
	return c.JSON(http.StatusOK, h)
}

// readyz says whether merchants can be served, and why not.
func (s *Server) readyz(c echo.Context) error {
	ready := s.Service.Ready(c.Request().Context())
	if !ready.OK {
		return c.JSON(http.StatusServiceUnavailable, health{Status: "unavailable", Version: s.Version, Reasons: ready.Reasons})
	}
	return c.JSON(http.StatusOK, health{Status: "ok", Version: s.Version})
}
