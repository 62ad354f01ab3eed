package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

const eventColumns = `a.id, a.type, a.appid, COALESCE(l.name, ''), a.attempt_id, a.created_at, a.received_at, a.tries, a.due_at,
	a.outcome, a.reason, a.finished_at, a.payload <> '', a.masked`

func scanEvent(r *sql.Rows) (e admin.Event, err error) {
	return e, r.Scan(&e.ID, &e.Type, &e.AppID, &e.Name, &e.AttemptID, msTime{&e.CreatedAt}, msTime{&e.ReceivedAt}, &e.Tries, msTime{&e.DueAt},
		&e.Outcome, &e.Reason, msTime{&e.FinishedAt}, &e.Kept, jsonOf[[]onboard.MaskedField]{&e.Fields})
}

const eventsFrom = ` FROM arrival a LEFT JOIN account_list l ON l.platform = a.platform AND l.appid = a.appid AND a.appid <> ''`

// eventWay is the condition whose index leads to the rows, always from the newest
// to the oldest: an id grows with the time it was received at.
type eventWay string

const (
	eventsAll      eventWay = ""
	eventsFailed   eventWay = ` AND a.outcome = 'parked'`
	eventsWaiting  eventWay = ` AND a.outcome = ''`
	eventsOfApp    eventWay = ` AND a.appid = $5 AND a.appid <> ''`
	eventsOfType   eventWay = ` AND a.type || '' = $4`
	eventsOfResult eventWay = ` AND a.outcome = $6 AND a.outcome <> ''`
)

// How $7 of a list limits the rest.
const (
	eventsAny = iota
	eventsActedOn
	eventsUnheeded
	eventsNotFailed
)

// actedTypes are the types that something is done about, as SQL.
var actedTypes = func() string {
	var b strings.Builder
	for i, t := range onboard.ActedTypes() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + string(t) + "'")
	}
	return b.String()
}()

// eventTexts are the lists by their way. Where a column must not be used for the
// search, it is part of an expression.
var eventTexts = func() map[eventWay]string {
	texts := map[eventWay]string{}
	for _, way := range []eventWay{eventsAll, eventsFailed, eventsWaiting, eventsOfApp, eventsOfType, eventsOfResult} {
		span, order := `a.id >= $2 AND a.id < $3`, `a.id DESC`
		if way == eventsOfType { // as a pair, which only the index of both can follow
			span, order = `(a.type, a.id) >= ($4, $2) AND (a.type, a.id) < ($4, $3)`, `a.type DESC, a.id DESC`
		}
		texts[way] = `SELECT ` + eventColumns + eventsFrom + ` WHERE a.platform = $1 AND ` + span + `
			AND ($4 = '' OR a.type || '' = $4) AND ($5 = '' OR a.appid || '' = $5) AND ($6 = '' OR a.outcome || '' = $6)
			AND (CAST($7 AS BIGINT) <> 1 OR a.type || '' IN (` + actedTypes + `)) AND ($7 <> 2 OR a.type || '' NOT IN (` + actedTypes + `))
			AND ($7 <> 3 OR a.outcome || '' <> 'parked')` + string(way) + ` ORDER BY ` + order + ` LIMIT $8`
	}
	return texts
}()

const (
	eventByID       = `SELECT ` + eventColumns + eventsFrom + ` WHERE a.platform = $1 AND a.id = $2`
	eventTypeAfter  = `SELECT type FROM arrival WHERE platform = $1 AND type > $2 ORDER BY type LIMIT 1`
	countOfType     = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM arrival WHERE platform = $1 AND type = $2 LIMIT $3) AS few`
	countOfOutcome  = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM arrival WHERE platform = $1 AND outcome = $2 AND outcome <> '' LIMIT $3) AS few`
	countParked     = `SELECT COUNT(*) FROM (SELECT 1 AS one FROM arrival WHERE platform = $1 AND outcome = 'parked' LIMIT $2) AS few`
	eventTypesAsked = 100  // of one platform; WeChat knows some dozens
	fewEvents       = 2000 // that are soon sorted out one by one
)

// Events implements [admin.EventStore].
func (s *Store) Events(ctx context.Context, f admin.EventFilter) ([]admin.Event, error) {
	from, until := firstID(f.From), int64(1)<<62
	if !f.Until.IsZero() {
		until = firstID(f.Until)
	}
	if f.Before > 0 {
		until = min(until, f.Before)
	}
	way, outcome, only := eventsAll, "", eventsAny
	switch f.Result {
	case admin.EventFailed:
		way = eventsFailed
	case admin.EventWaiting:
		way = eventsWaiting
	case admin.EventHandled:
		outcome = string(onboard.Handled)
	case admin.EventAttached:
		outcome = string(onboard.Attached)
	case admin.EventIgnored:
		outcome, only = string(onboard.Ignored), eventsActedOn
	case admin.EventUnknown:
		outcome, only = string(onboard.Ignored), eventsUnheeded
	}
	if f.NoFailed {
		only = eventsNotFailed
	}
	switch {
	case way != eventsAll:
	case f.AppID != "":
		way = eventsOfApp
	case f.Type != "" && outcome != "":
		way = eventsOfType
		ofType, err := one(ctx, s.engine.read, scanInt, countOfType, s.platform, string(f.Type), fewEvents)
		if err != nil {
			return nil, fmt.Errorf("events: %w", err)
		}
		ofOutcome, err := one(ctx, s.engine.read, scanInt, countOfOutcome, s.platform, outcome, fewEvents)
		if err != nil {
			return nil, fmt.Errorf("events: %w", err)
		}
		if ofOutcome < ofType {
			way = eventsOfResult
		}
	case f.Type != "":
		way = eventsOfType
	case outcome != "":
		way = eventsOfResult
	}
	rows, err := many(ctx, s.engine.read, scanEvent, eventTexts[way], s.platform, from, until, string(f.Type), string(f.AppID), outcome, only, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return rows, nil
}

// firstID is below every id made at t or later, and above those made before.
func firstID(t time.Time) int64 { return max(ms(t), 0) << idBits }

// Event implements [admin.EventStore].
func (s *Store) Event(ctx context.Context, id int64) (admin.Event, error) {
	return one(ctx, s.engine.read, scanEvent, eventByID, s.platform, id)
}

// EventTypes implements [admin.EventStore]. It goes from type to type, because
// most of a million rows are of one.
func (s *Store) EventTypes(ctx context.Context) (types []onboard.EventType, err error) {
	after := ""
	for len(types) < eventTypesAsked {
		next, err := many(ctx, s.engine.read, scanString, eventTypeAfter, s.platform, after)
		if err != nil || len(next) == 0 {
			return types, err
		}
		after = next[0]
		types = append(types, onboard.EventType(after))
	}
	return slices.Clip(types), nil
}

// FailedEvents implements [admin.EventStore].
func (s *Store) FailedEvents(ctx context.Context, limit int) (int64, error) {
	return one(ctx, s.engine.read, scanInt, countParked, s.platform, limit)
}
