package store

import (
	"context"
	"database/sql"

	"usher/internal/onboard"
)

// grantRow is a grant as it is stored.
type grantRow struct {
	ID      onboard.PermissionID `json:"id"`
	Confirm *confirmRow          `json:"confirm,omitempty"`
}

type confirmRow struct {
	Need    bool `json:"need"`
	Already bool `json:"already"`
	Can     bool `json:"can"`
}

func grantsJSON(g onboard.Grants) string {
	rows := make([]grantRow, len(g))
	for i, grant := range g {
		rows[i] = grantRow{grant.ID, (*confirmRow)(grant.Confirm)}
	}
	return toJSON(rows)
}

// grantsOf scans a column that grantsJSON wrote.
type grantsOf struct{ to *onboard.Grants }

// Scan implements [sql.Scanner].
func (g grantsOf) Scan(v any) error {
	var rows []grantRow
	if err := (jsonOf[[]grantRow]{&rows}).Scan(v); err != nil {
		return err
	}
	*g.to = nil
	for _, r := range rows {
		*g.to = append(*g.to, onboard.Grant{ID: r.ID, Confirm: (*onboard.Confirm)(r.Confirm)})
	}
	return nil
}

func scanGrantChange(r *sql.Rows) (c onboard.GrantChange, err error) {
	type ids = jsonOf[[]onboard.PermissionID]
	return c, r.Scan(msTime{&c.At}, ids{&c.Added}, ids{&c.Removed})
}

// GrantChanges implements [onboard.Store]. The first authorization of an account
// is no change.
func (s *Store) GrantChanges(ctx context.Context, appID onboard.AppID, limit int) ([]onboard.GrantChange, error) {
	return many(ctx, s.engine.read, scanGrantChange, `SELECT at, added, removed FROM grant_change
		WHERE platform = $1 AND appid = $2 ORDER BY id DESC LIMIT $3`, s.platform, string(appID), limit)
}
