package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"usher/internal/store"
)

// TestSQLite_InvitePlans: the invites of one state are found without passing by
// those of the others, and a word is looked for among the newest only.
func TestSQLite_InvitePlans(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	index := map[string]string{"": "attempt_invites ", "waiting": "attempt_invites_open ", "lapsed": "attempt_invites_open ",
		"expired": "attempt_invites_open ", "done": "attempt_invites_done ", "canceled": "attempt_invites_canceled "}
	for state, name := range index {
		plan, err := s.Plan(t.Context(), store.HotQueries["ListInvites "+state])
		if err != nil || !strings.Contains(plan, name) {
			t.Errorf("invites that are %q: %s, %v; want %s", state, plan, err, name)
		}
		plan, err = s.Plan(t.Context(), store.HotQueries["ListInvites of a batch "+state])
		if err != nil || !strings.Contains(plan, "attempt_batch ") {
			t.Errorf("invites of a batch that are %q: %s, %v; want attempt_batch", state, plan, err)
		}
		plan, err = s.Plan(t.Context(), store.InviteSearch()[state])
		if err != nil || !strings.Contains(plan, name) {
			t.Errorf("a word among invites that are %q: %s, %v; want %s", state, plan, err, name)
		}
	}
	for text, name := range store.OverviewCounts() {
		plan, err := s.Plan(t.Context(), text)
		if err != nil || !strings.Contains(plan, name) || strings.Contains(plan, "SCAN a") {
			t.Errorf("%s: %s, %v; want %s", text, plan, err, name)
		}
	}
}
