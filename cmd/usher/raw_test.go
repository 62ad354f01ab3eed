package main

import (
	"database/sql"
	"errors"
	"strings"
)

// raw opens the site's database beside the site.
func (w *world) raw() (*sql.DB, error) {
	if strings.HasPrefix(string(w.cfg.Database), "postgres") {
		return sql.Open("pgx", string(w.cfg.Database))
	}
	return sql.Open("sqlite", "file:"+string(w.cfg.Database)+"?_busy_timeout=5000")
}

// exec changes the database behind the site's back.
func (w *world) exec(text string) {
	w.t.Helper()
	db, err := w.raw()
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = db.ExecContext(w.t.Context(), text)
	if err = errors.Join(err, db.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// makeDue makes every account due for a refresh.
func (w *world) makeDue() {
	w.t.Helper()
	w.exec(`UPDATE account SET due_at = 1 WHERE due_at > 0`)
}
