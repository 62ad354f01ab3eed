package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// secrets lists every value that may be nowhere but sealed: those of WeChat as
// the stand-in knows them, and our own settings.
func (w *world) secrets() map[string]string {
	truth := w.sim.Truth()
	all := map[string]string{
		"AppSecret": platformSecret, "push token": pushToken, "EncodingAESKey": pushKey, "sealing key": sealingKey,
		"ticket": truth.Platform.Ticket, "platform token": truth.Platform.PlatformToken,
	}
	for _, a := range truth.Accounts {
		all["access token of "+a.AppID] = a.AccessToken
		all["refresh token of "+a.AppID] = a.RefreshToken
		all["pre_auth_code of "+a.AppID] = a.PreAuthCode
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// databaseBytes is all that is kept: the files of SQLite, or every row of
// PostgreSQL.
func (w *world) databaseBytes() []byte {
	w.t.Helper()
	if w.cfg.Database.IsPostgres() {
		return w.postgresRows()
	}
	var all []byte
	files, err := filepath.Glob(string(w.cfg.Database) + "*")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

func (w *world) postgresRows() []byte {
	w.t.Helper()
	ctx := context.Background() // that of the test has ended when this is called last
	db, err := pgx.Connect(ctx, string(w.cfg.Database))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close(ctx)
	var tables []string
	if err := db.QueryRow(ctx, "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil {
		w.t.Fatal(err)
	}
	var all []byte
	for _, table := range tables {
		var rows string
		if err := db.QueryRow(ctx, "SELECT coalesce(string_agg(t::text, ' '), '') FROM "+pgx.Identifier{table}.Sanitize()+" t").Scan(&rows); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

// keptSecrets checks that no secret is in the log, readable in the database, on a
// page or in a QR code. It knows those of the settings, those that WeChat has now and those
// that ever went between the site and WeChat.
func (w *world) keptSecrets() {
	w.t.Helper()
	log, disk := w.log.String(), w.databaseBytes()
	if !strings.Contains(log, `"msg":"started"`) {
		w.t.Errorf("the log does not even tell that the site started, so its search proves nothing:\n%s", log)
	}
	if !bytes.Contains(disk, []byte(platformAppID)) {
		w.t.Error("the database does not even hold the platform's AppID, so its search proves nothing")
	}
	w.keeps("the log", log)
	w.keeps("the database", string(disk))
	codes, pictures := false, 0
	for _, b := range w.browsers {
		codes = codes || slices.ContainsFunc(b.trail, func(visited string) bool { return strings.Contains(visited, "auth_code=") })
		for _, page := range b.shown {
			if strings.HasPrefix(page.at.String(), w.base+"/") {
				if strings.HasSuffix(page.at.Path, "/qr.png") {
					pictures++
				}
				w.keeps("the page "+page.at.String(), page.body)
				w.keeps("the address of a page", page.at.String())
			}
		}
	}
	if codes && pictures == 0 {
		w.t.Error("no code of a page was read, so the search in them proves nothing")
	}
	if codes && w.wire.count("preauthcode") == 0 {
		w.t.Error("browsers carried codes that were not heard on the wire, so the search proves nothing")
	}
}

// keeps checks that a text which is called what holds no secret.
func (w *world) keeps(what, text string) {
	w.t.Helper()
	for name, value := range w.secrets() {
		if strings.Contains(text, value) {
			w.t.Errorf("%s holds the %s", what, name)
		}
	}
	for _, kind := range w.wire.leaks([]byte(text)) {
		w.t.Errorf("%s holds a %s", what, kind)
	}
}

// TestWire holds that the search finds what it looks for, escaped or cut too.
func TestWire(t *testing.T) {
	var x wire
	random := strings.Repeat("aB3-_", 20)
	x.listen([]byte(`{"pre_auth_code":"preauthcode@@@` + random + `"}`))
	x.listen([]byte("auth_code=queryauthcode%40%40%40" + strings.ToUpper(random)))
	x.listen([]byte(`{"component_access_token":"87_` + strings.Repeat("xyzzy", 27) + `"}`))
	tests := []struct{ text, want string }{
		{"nothing here", ""},
		{"preauthcode@@@" + random, "preauthcode"},
		{"…%40%40%40" + random + "&x", "preauthcode"},
		{"cut: " + random[40:70], "preauthcode"},
		{strings.ToUpper(random), "queryauthcode"},
		{strings.Repeat("xyzzy", 27), "87"},
	}
	for _, tt := range tests {
		found := x.leaks([]byte(tt.text))
		if tt.want == "" && len(found) > 0 || tt.want != "" && !slices.Contains(found, tt.want) {
			t.Errorf("leaks(%q) = %q, want %q", tt.text, found, tt.want)
		}
	}
}
