package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"

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
	db, err := pgx.Connect(w.t.Context(), string(w.cfg.Database))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close(w.t.Context())
	var tables []string
	if err := db.QueryRow(w.t.Context(), "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil {
		w.t.Fatal(err)
	}
	var all []byte
	for _, table := range tables {
		var rows string
		if err := db.QueryRow(w.t.Context(), "SELECT coalesce(string_agg(t::text, ' '), '') FROM "+pgx.Identifier{table}.Sanitize()+" t").Scan(&rows); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

// keptSecrets checks that no secret is in the log or readable in the database.
func (w *world) keptSecrets() {
	w.t.Helper()
	log, disk := w.log.String(), w.databaseBytes()
	if !strings.Contains(log, `"route":"/q/:code/go"`) && !strings.Contains(log, `"route":"/c/:id/pc"`) {
		w.t.Errorf("the log has no line for the hand-off, so its search proves nothing:\n%s", log)
	}
	if !bytes.Contains(disk, []byte(platformAppID)) {
		w.t.Error("the database does not even hold the platform's AppID, so their search proves nothing")
	}
	for name, value := range w.secrets() {
		if strings.Contains(log, value) {
			w.t.Errorf("the log holds the %s", name)
		}
		if bytes.Contains(disk, []byte(value)) {
			w.t.Errorf("the database holds the %s in clear text", name)
		}
	}
}

// keptCodes checks that the codes which browsers carried are on no page and in
// no log.
func (w *world) keptCodes(browsers ...*browser) {
	w.t.Helper()
	codes := 0
	for _, b := range browsers {
		for _, visited := range b.trail {
			u, err := url.Parse(visited)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, name := range []string{"auth_code", "pre_auth_code"} {
				code := u.Query().Get(name)
				if code == "" {
					continue
				}
				codes++
				if strings.Contains(w.log.String(), code) {
					w.t.Errorf("the log holds the %s", name)
				}
				if bytes.Contains(w.databaseBytes(), []byte(code)) {
					w.t.Errorf("the database holds the %s in clear text", name)
				}
				for _, shown := range browsers {
					if strings.HasPrefix(shown.at.String(), w.base) && strings.Contains(shown.body, code) {
						w.t.Errorf("%s shows the %s", shown.at, name)
					}
				}
			}
		}
	}
	if codes < 2 {
		w.t.Errorf("the browsers carried %d codes, so this proves nothing", codes)
	}
}
