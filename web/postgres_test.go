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
	for name, test := range map[string]func(t *testing.T, database string){"forms": plainForms, "browser": signInBrowser, "hostile": hostileConsole} {
		t.Run(name, func(t *testing.T) { test(t, server.Database(t)) })
	}
}
