package onboard_test

import (
	"bytes"
	"database/sql"
	"os"
	"slices"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// TestRow_GCMFail_Reconciles: SQLite does not notice a flipped byte of a token; its
// seal does. The token is not served, and comes back from WeChat's list, at the
// first read as well as by a sweep.
func TestRow_GCMFail_Reconciles(t *testing.T) {
	key := secret.NewKey()
	w, ids := crowded(t, 4, 0, key)
	w.end()
	w.flip(`SELECT refresh_token FROM account WHERE appid = '`+ids[0]+`'`, `SELECT access_token FROM account WHERE appid = '`+ids[1]+`'`,
		`SELECT refresh_token FROM account WHERE appid = '`+ids[2]+`'`)
	w.begin(key) // quick_check finds nothing
	w.ticket()
	w.served(ids[:2]...)
	w.oneSweep(4)
	w.served(ids...)
}

// TestAccessToken_WritesFail: while the database takes nothing, tokens that are good
// are served, pushes are refused so that WeChat sends them again, and the site says
// that it is not ready.
func TestAccessToken_WritesFail(t *testing.T) {
	w, ids := crowded(t, 2, 0, secret.NewKey())
	db, err := sql.Open("sqlite", "file:"+w.path+"?_busy_timeout=5000")
	w.ok(err)
	defer func() { w.ok(db.Close()) }()
	each := func(format string) {
		t.Helper()
		for _, table := range []string{"arrival", "account", "setting", "ticket", "platform_token"} {
			for _, verb := range []string{"INSERT", "UPDATE"} {
				_, err := db.Exec(strings.NewReplacer("TABLE", table, "VERB", verb).Replace(format))
				w.ok(err)
			}
		}
	}
	each(`CREATE TRIGGER refuse_TABLE_VERB BEFORE VERB ON TABLE BEGIN SELECT RAISE(ABORT, 'read-only'); END`)
	for _, id := range ids {
		token, _, err := w.svc.AccessToken(t.Context(), onboard.AppID(id))
		if err != nil || !w.sim.Works(token.Reveal()) {
			t.Errorf("AccessToken(%s) = %v, %v while nothing can be written; want one that works", id, token, err)
		}
	}
	_ = w.sim.PushTicket(t.Context())
	pushes := w.sim.Deliveries()
	if last := pushes[len(pushes)-1]; last.Status != 500 {
		t.Errorf("a push was answered %d while nothing can be written, want 500", last.Status)
	}
	if r := w.svc.Ready(t.Context()); r.OK || !slices.Equal(r.Reasons, []string{"store"}) {
		t.Errorf("Ready = %+v while nothing can be written, want not because of the store", r)
	}
	each(`DROP TRIGGER refuse_TABLE_VERB`)
	w.ticket()
	if r := w.svc.Ready(t.Context()); !r.OK {
		t.Errorf("Ready = %+v afterwards", r)
	}
}

// flip changes one character of each value that a query selects, in the file itself.
func (w *world) flip(queries ...string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path)
	w.ok(err)
	var values []string
	for _, text := range queries {
		var value string
		w.ok(db.QueryRow(text).Scan(&value))
		values = append(values, value)
	}
	w.ok(db.Close())
	b, err := os.ReadFile(w.path)
	w.ok(err)
	for _, value := range values {
		at := bytes.Index(b, []byte(value))
		if at < 0 || bytes.Count(b, []byte(value)) != 1 {
			w.t.Fatalf("%d copies of a sealed value in the file", bytes.Count(b, []byte(value)))
		}
		b[at+len(value)/2] ^= 1
	}
	w.ok(os.WriteFile(w.path, b, 0o600))
}
