//go:build unix

package main

import (
	"testing"

	"usher/internal/store/pgtest"
)

// TestJourney_PostgreSQL walks the same ways with the other database.
func TestJourney_PostgreSQL(t *testing.T) {
	server := pgtest.Start(t)
	postgres := func(t *testing.T) options { return options{quiet: true, database: server.Database(t)} }
	t.Run("journeys", func(t *testing.T) { // ends before the server does
		for name, journey := range map[string]func(*testing.T, engine){
			"desk and phone":      deskAndPhoneOn,
			"witnesses":           witnesses,
			"rush":                func(t *testing.T, on engine) { rush(t, on, 200, false) },
			"wrong account":       wrongAccount,
			"missing sets":        missingSets,
			"changed by merchant": changedByMerchant,
			"again":               again,
			"withdrawal":          withdrawal,
			"code of another":     codeOfAnother,
			"plug-in":             plugin,
			"restart":             restart,
			"upkeep":              upkeep,
			"page flood":          pushUnderPageFlood,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				journey(t, postgres)
			})
		}
	})
}
