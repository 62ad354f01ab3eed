//go:build unix

package main

import (
	"testing"

	"usher/internal/store/pgtest"
)

// TestJourney_PostgreSQL walks the same way with the other database, restart
// included.
func TestJourney_PostgreSQL(t *testing.T) {
	w := startAll(t, options{quiet: true, database: pgtest.Start(t).Database(t)})
	desk, phone := w.browser(desktopAgent), w.browser(wechatAgent)
	deskAndPhone(t, w, desk, phone)
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	desk.refresh().expect(200, "山茶花茶舍")
}
