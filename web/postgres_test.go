//go:build unix

package web

import (
	"testing"

	"usher/internal/store/pgtest"
)

// TestPostgreSQL sends what is no text, or hostile text, to pages on the other
// database, which is strict about it.
func TestPostgreSQL(t *testing.T) {
	server := pgtest.Start(t)
	tests := map[string]func(t *testing.T, database string){"forms": plainForms, "browser": signInBrowser, "hostile": hostileConsole}
	if raced {
		delete(tests, "hostile") // takes a minute more then; the gate runs it without
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, server.Database(t)) })
	}
}
