package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// A failure goes on where no success lies between it and the one before; see
// admin.Check. Both engines name the row as it was by its table.
const (
	goesOn = `health_check.failed_at > health_check.ok_at AND health_check.failed_at > excluded.ok_at AND health_check.subject = excluded.subject`
	newer  = `health_check.subject <> excluded.subject OR excluded.failed_at > 0 AND excluded.failed_at >= health_check.failed_at`

	saveCheck = `INSERT INTO health_check (platform, name, subject, ok_at, failed_at, since, times, code, what, rid, address)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (platform, name) DO UPDATE SET
			since = CASE WHEN ` + goesOn + ` THEN health_check.since ELSE excluded.since END,
			times = CASE WHEN ` + goesOn + ` THEN health_check.times + excluded.times ELSE excluded.times END,
			ok_at = CASE WHEN health_check.subject <> excluded.subject OR excluded.ok_at > health_check.ok_at THEN excluded.ok_at ELSE health_check.ok_at END,
			failed_at = CASE WHEN ` + newer + ` THEN excluded.failed_at ELSE health_check.failed_at END,
			code = CASE WHEN ` + newer + ` THEN excluded.code ELSE health_check.code END,
			what = CASE WHEN ` + newer + ` THEN excluded.what ELSE health_check.what END,
			rid = CASE WHEN ` + newer + ` THEN excluded.rid ELSE health_check.rid END,
			address = CASE WHEN (` + newer + `) AND excluded.address <> '' THEN excluded.address ELSE health_check.address END,
			subject = excluded.subject`

	pulseSince  = `SELECT kind, CAST(SUM(n) AS BIGINT), MAX(last_at) FROM pulse WHERE platform = $1 AND minute >= $2 GROUP BY kind ORDER BY kind`
	ticketTimes = `SELECT received_at FROM arrival WHERE platform = $1 AND type = 'component_verify_ticket' AND received_at >= $2 ORDER BY received_at`
	firstTicket = `SELECT received_at FROM arrival WHERE platform = $1 AND type = 'component_verify_ticket' ORDER BY received_at LIMIT 1`
)

// SavePulse implements [admin.Store].
func (s *Store) SavePulse(ctx context.Context, beats []admin.Beat, checks []admin.Check, forget time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		for _, b := range beats {
			if _, err := exec(ctx, q, `INSERT INTO pulse (platform, minute, kind, n, last_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (platform, minute, kind) DO UPDATE SET n = pulse.n + excluded.n,
					last_at = CASE WHEN excluded.last_at > pulse.last_at THEN excluded.last_at ELSE pulse.last_at END`,
				s.platform, ms(b.Minute), b.Kind, b.N, ms(b.LastAt)); err != nil {
				return 0, err
			}
		}
		for _, c := range checks {
			if _, err := exec(ctx, q, saveCheck, s.platform, string(c.Name), c.Subject, ms(c.OKAt), ms(c.FailedAt), ms(c.Since), c.Times,
				c.Code, c.What, c.RID, c.Address); err != nil {
				return 0, err
			}
		}
		return exec(ctx, q, `DELETE FROM pulse WHERE platform = $1 AND minute < $2`, s.platform, ms(forget))
	})
	return err
}

// Pulse implements [admin.Store].
func (s *Store) Pulse(ctx context.Context, since time.Time) ([]admin.Beat, error) {
	return many(ctx, s.engine.read, func(r *sql.Rows) (b admin.Beat, err error) {
		return b, r.Scan(&b.Kind, &b.N, msTime{&b.LastAt})
	}, pulseSince, s.platform, ms(since))
}

// Checks implements [admin.Store].
func (s *Store) Checks(ctx context.Context) ([]admin.Check, error) {
	return many(ctx, s.engine.read, func(r *sql.Rows) (c admin.Check, err error) {
		return c, r.Scan(&c.Name, &c.Subject, msTime{&c.OKAt}, msTime{&c.FailedAt}, msTime{&c.Since}, &c.Times, &c.Code, &c.What, &c.RID, &c.Address)
	}, `SELECT name, subject, ok_at, failed_at, since, times, code, what, rid, address FROM health_check WHERE platform = $1 ORDER BY name`, s.platform)
}

func scanTime(r *sql.Rows) (t time.Time, err error) { return t, r.Scan(msTime{&t}) }

// TicketTimes implements [admin.Store].
func (s *Store) TicketTimes(ctx context.Context, since time.Time) (times []time.Time, first time.Time, err error) {
	if times, err = many(ctx, s.engine.read, scanTime, ticketTimes, s.platform, ms(since)); err != nil {
		return nil, first, err
	}
	first, err = one(ctx, s.engine.read, scanTime, firstTicket, s.platform)
	if errors.Is(err, onboard.ErrNoRow) {
		err = nil
	}
	return times, first, err
}

// Load implements [admin.Store].
func (s *Store) Load(ctx context.Context) (l admin.Load, err error) {
	_, err = one(ctx, s.engine.read, func(r *sql.Rows) (struct{}, error) {
		return struct{}{}, r.Scan(&l.Waiting, &l.Parked)
	}, `SELECT
		(SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = ''),
		(SELECT COUNT(*) FROM arrival WHERE platform = $1 AND outcome = 'parked')`, s.platform)
	if err != nil {
		return l, err
	}
	l.DatabaseSize, err = one(ctx, s.engine.read, scanInt, s.engine.size)
	return l, err
}

// CheckDatabase implements [admin.Store]. PostgreSQL has checks of its own. Nobody
// waits for this one: it reads beside the writer.
func (s *Store) CheckDatabase(ctx context.Context) (damage string, err error) {
	if s.engine.file == "" {
		return "", errors.ErrUnsupported
	}
	if err = s.fullCheck(ctx); errors.Is(err, ErrDamaged) {
		return err.Error(), nil
	}
	return "", err
}

// usage is what WeChat said of the daily calls, as it is stored.
type usage struct {
	At  int64
	All []onboard.Usage
}

// SaveUsage implements [admin.Store].
func (s *Store) SaveUsage(ctx context.Context, all []onboard.Usage, at time.Time) error {
	text, err := json.Marshal(usage{ms(at), all})
	if err != nil {
		return err
	}
	_, err = write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `INSERT INTO setting (platform, name, value) VALUES ($1, 'usage', $2)
			ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value`, s.platform, string(text))
	})
	return err
}

// Usage implements [admin.Store].
func (s *Store) Usage(ctx context.Context) (all []onboard.Usage, at time.Time, err error) {
	text, err := one(ctx, s.engine.read, scanString, `SELECT value FROM setting WHERE platform = $1 AND name = 'usage'`, s.platform)
	if err != nil {
		return nil, at, err
	}
	var u usage
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		return nil, at, err
	}
	return u.All, time.UnixMilli(u.At).UTC(), nil
}
