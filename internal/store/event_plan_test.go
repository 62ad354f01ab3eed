package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"usher/internal/store"
)

// TestSQLite_EventPlans: each list of events goes along the index that chooses
// least, and taking in and handling events is not led astray by the new indexes.
func TestSQLite_EventPlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	for name, index := range map[string]string{
		"Events":              "arrival_id (platform=? AND id>? AND id<?)",
		"Events(failed)":      "arrival_parked (platform=? AND id>? AND id<?)",
		"Events(waiting)":     "arrival_waiting (platform=? AND id>? AND id<?)",
		"Events(account)":     "arrival_appid (platform=? AND appid=? AND id>? AND id<?)",
		"Events(type)":        "arrival_type (platform=? AND (type,id)>(?,?) AND (type,id)<(?,?))",
		"Events(result)":      "arrival_outcome (platform=? AND outcome=? AND id>? AND id<?)",
		"Event":               "arrival_id (platform=? AND id=?)",
		"EventTypes":          "arrival_type (platform=? AND type>?)",
		"ReviveArrival":       "arrival_id (platform=? AND id=?)",
		"ReviveParked":        "arrival_parked (platform=?)",
		"ClaimArrivals":       "arrival_waiting (platform=?)",
		"no arrivals":         "arrival_waiting (platform=?)",
		"ClaimArrivals(code)": "arrival_code (platform=? AND code_hash=?",
	} {
		plan, err := s.Plan(t.Context(), store.HotQueries[name])
		if err != nil || !strings.Contains(plan, "INDEX "+index) {
			t.Errorf("%s: %s, %v; want %s", name, plan, err, index)
		}
	}
	counts := append(store.EventCounts, // and those of Health
		`SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = ''`, `SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = 'parked'`)
	for _, text := range counts {
		if plan, err := s.Plan(t.Context(), text); err != nil || strings.Contains(plan, "SCAN arrival") || !strings.Contains(plan, "COVERING INDEX") {
			t.Errorf("%s: %s, %v", text, plan, err)
		}
	}
}
