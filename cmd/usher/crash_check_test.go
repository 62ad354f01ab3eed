//go:build unix

package main

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store"
)

// check compares what the stopped program holds with what WeChat knows: no event
// that was acknowledged is lost, no refresh token is lost, and no authorization is
// bound twice.
func (c *crash) check() {
	c.t.Helper()
	db, err := store.Open(c.t.Context(), storeOptions(c.t, c.database))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			c.t.Error(err)
		}
	}()
	c.checkAcks()
	truth := c.sim.Truth()
	for _, want := range truth.Accounts {
		c.checkAccount(db, want)
	}
	c.checkBindings(truth)
	held, err := db.Holdings(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, h := range held {
		known := slices.ContainsFunc(truth.Accounts, func(a simulator.TrueAccount) bool { return a.AppID == string(h.AppID) })
		if !known && h.Standing == onboard.Active {
			c.t.Errorf("%s is served and was never authorized", h.AppID)
		}
	}
}

// checkAcks looks for the pushes that were acknowledged. Every one of them is
// stored; one that was stored and not acknowledged may be there too.
func (c *crash) checkAcks() {
	c.t.Helper()
	lost := c.acked.digests()
	acked := len(lost)
	c.rows(`SELECT digest, type FROM arrival`, func(digest, _ string) { delete(lost, digest) })
	if len(lost) > 0 || acked == 0 {
		c.t.Errorf("%d of %d pushes that were acknowledged are not stored", len(lost), acked)
	}
	var parked int
	if err := c.raw.QueryRow(`SELECT COUNT(*) FROM arrival WHERE outcome = 'parked'`).Scan(&parked); err != nil || parked > 0 {
		c.t.Errorf("%d arrivals are parked, %v", parked, err)
	}
}

func (c *crash) checkAccount(db *store.Store, want simulator.TrueAccount) {
	c.t.Helper()
	id := onboard.AppID(want.AppID)
	a, err := db.Account(c.t.Context(), id)
	if err != nil {
		if want.Authorized {
			c.t.Errorf("%s is authorized but lost: %v", id, err)
		}
		return
	}
	if !want.Authorized {
		if a.Standing == onboard.Active || a.Standing == onboard.Quarantined {
			c.t.Errorf("%s withdrew but is %s", id, a.Standing)
		}
		return
	}
	if a.Standing != onboard.Active {
		c.t.Errorf("%s is authorized but %s (%s)", id, a.Standing, a.LastError)
		return
	}
	var sets []int
	for _, g := range a.Grants {
		sets = append(sets, int(g.ID))
	}
	if !slices.Equal(sets, want.Permissions) {
		c.t.Errorf("%s granted %v but %v is stored", id, want.Permissions, sets)
	}
	held, err := db.Credentials(c.t.Context(), id)
	if err != nil {
		c.t.Errorf("Credentials(%s) = %v", id, err)
		return
	}
	if held.Refresh.Reveal() != want.RefreshToken {
		c.t.Errorf("the refresh token of %s is lost", id)
	}
	if time.Now().Before(held.AccessExpiresAt) && !c.sim.Works(held.Access.Reveal()) {
		c.t.Errorf("a dead access token of %s would be served", id)
	}
}

// checkBindings: an attempt ends with the account that was chosen in it or not
// at all, and no authorization ends two; a code is spent by one exchange.
func (c *crash) checkBindings(truth simulator.Truth) {
	c.t.Helper()
	ended, bound := map[string]string{}, map[string]int{}
	c.rows(`SELECT id, appid FROM attempt WHERE finished_at > 0`, func(id, appID string) {
		ended[id] = appID
		bound[appID]++
	})
	exchanged := map[string]int{}
	c.rows(`SELECT code_hash, appid FROM exchange WHERE state = 'done'`, func(_, appID string) { exchanged[appID]++ })
	for appID, n := range bound {
		if n > c.given[appID] {
			c.t.Errorf("%s is bound to %d attempts after %d authorizations", appID, n, c.given[appID])
		}
	}
	for appID, n := range exchanged {
		if n > c.given[appID] {
			c.t.Errorf("%s was exchanged %d times after %d authorizations", appID, n, c.given[appID])
		}
	}
	for _, agreed := range c.consents {
		got, ok := ended[agreed.attempt]
		switch {
		case ok && got != agreed.appID:
			c.t.Errorf("attempt %s ended with %s, but %s was chosen in it", agreed.attempt, got, agreed.appID)
		case !ok && c.habit.repush && c.acked.told(agreed.code): // WeChat pushes nothing when one agrees to the same again
			c.t.Errorf("attempt %s of %s never ended", agreed.attempt, agreed.appID)
		}
	}
	// A code whose outcome is unknown is sent once more for each crash and account, and
	// after each call that WeChat spoiled.
	n := truth.Calls[exchangePath]
	if most := c.codes + 2 + 2*c.killed*len(c.given) + n.Spoiled; n.Total > most {
		c.t.Errorf("%d calls of %s, %d of them spoiled, for %d codes and %d crashes", n.Total, exchangePath, n.Spoiled, c.codes, c.killed)
	}
}

func (c *crash) rows(text string, each func(a, b string)) {
	c.t.Helper()
	rows, err := c.raw.Query(text)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func(rows *sql.Rows) { _ = rows.Close() }(rows)
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			c.t.Fatal(err)
		}
		each(a, b)
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
}

// dashboardLink reads the token of an account's dashboard from the database of
// the stopped program.
func (c *crash) dashboardLink(appID string) string {
	c.t.Helper()
	db, err := store.Open(c.t.Context(), storeOptions(c.t, c.database))
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := db.LinkByAppID(c.t.Context(), onboard.AppID(appID))
	if err = errors.Join(err, db.Close()); err != nil {
		c.t.Fatal(err)
	}
	return l.Token.Reveal()
}
