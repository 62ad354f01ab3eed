package store

import (
	"context"
	"database/sql"
	"strconv"

	"usher/internal/onboard"
)

// SaveTicket implements [onboard.Store].
func (s *Store) SaveTicket(ctx context.Context, t onboard.Ticket) (bool, error) {
	at := ms(t.CreatedAt)
	sealed := s.ring.Seal("ticket", "value", s.ticketRow(at), t.Value)
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		// The casts tell PostgreSQL the types, which it does not take from the
		// columns when the values come from a SELECT.
		n, err := exec(ctx, q, `INSERT INTO ticket (platform, created_at, value, received_at)
			SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT)
			WHERE NOT EXISTS (SELECT 1 FROM ticket WHERE platform = $1 AND created_at > $2)
			ON CONFLICT (platform, created_at) DO UPDATE SET value = excluded.value, received_at = excluded.received_at`,
			s.platform, at, sealed, ms(t.ReceivedAt))
		if err != nil || n == 0 {
			return false, err
		}
		_, err = exec(ctx, q, `DELETE FROM ticket WHERE platform = $1 AND created_at NOT IN (
			SELECT created_at FROM ticket WHERE platform = $1 ORDER BY created_at DESC LIMIT 3)`, s.platform)
		return true, err
	})
}

type sealedTicket struct {
	onboard.Ticket
	at    int64
	value string
}

func scanTicket(r *sql.Rows) (t sealedTicket, err error) {
	err = r.Scan(&t.at, &t.value, msTime{&t.ReceivedAt})
	return t, err
}

// Tickets implements [onboard.Store].
func (s *Store) Tickets(ctx context.Context) ([]onboard.Ticket, error) {
	rows, err := many(ctx, s.engine.read, scanTicket,
		`SELECT created_at, value, received_at FROM ticket WHERE platform = $1 ORDER BY created_at DESC LIMIT 3`, s.platform)
	if err != nil {
		return nil, err
	}
	out := make([]onboard.Ticket, 0, len(rows))
	for _, r := range rows {
		t := r.Ticket
		if err := (msTime{&t.CreatedAt}).Scan(r.at); err != nil {
			return nil, err
		}
		if t.Value, err = s.open("ticket", "value", s.ticketRow(r.at), r.value); err != nil {
			s.log.ErrorContext(ctx, "a ticket does not open", "err", err)
			continue
		}
		out = append(out, t)
	}
	return out, nil
}

func (s *Store) ticketRow(at int64) string { return s.row(strconv.FormatInt(at, 10)) }
