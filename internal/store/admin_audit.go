package store

import (
	"context"
	"database/sql"
	"strings"

	"usher/internal/admin"
)

const auditColumns = `seq, at, actor_id, actor, action, target, was, became, address, request_id, prev, hash`

func scanEntry(r *sql.Rows) (e admin.Entry, err error) {
	return e, r.Scan(&e.Seq, msTime{&e.At}, &e.ActorID, &e.Actor, &e.Action, &e.Target, &e.Before, &e.After, &e.Address, &e.RequestID, &e.Prev, &e.Hash)
}

type auditHead struct {
	seq  int64
	hash string
}

func scanHead(r *sql.Rows) (h auditHead, err error) { return h, r.Scan(&h.seq, &h.hash) }

// AppendAudit implements [admin.Store].
func (s *Store) AppendAudit(ctx context.Context, e admin.Entry) (admin.Entry, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (admin.Entry, error) {
		if err := s.lockConsole(ctx, q); err != nil {
			return e, err
		}
		head, err := one(ctx, q, scanHead, `SELECT seq, hash FROM audit_head WHERE platform = $1`, s.platform)
		if err != nil {
			return e, err
		}
		e := e // the write may run again
		e.Seq, e.Prev = head.seq+1, head.hash
		e.Hash = e.Sum(e.Prev)
		_, err = exec(ctx, q, `INSERT INTO audit (platform, `+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			s.platform, e.Seq, ms(e.At), e.ActorID, e.Actor, e.Action, e.Target, e.Before, e.After, e.Address, e.RequestID, e.Prev, e.Hash)
		if err != nil {
			return e, err
		}
		_, err = exec(ctx, q, `UPDATE audit_head SET seq = $2, hash = $3 WHERE platform = $1`, s.platform, e.Seq, e.Hash)
		return e, err
	})
}

// Audit implements [admin.Store].
func (s *Store) Audit(ctx context.Context, f admin.Filter) ([]admin.Entry, error) {
	until, before := int64(1)<<62, int64(1)<<62
	if !f.Until.IsZero() {
		until = ms(f.Until)
	}
	if f.Before > 0 {
		before = f.Before
	}
	return many(ctx, s.engine.read, scanEntry, `SELECT `+auditColumns+` FROM audit
		WHERE platform = $1 AND seq < $2 AND at >= $3 AND at < $4
			AND ($5 = '' OR actor = $5) AND ($6 = '' OR action LIKE $6 ESCAPE '!') AND ($7 = '' OR target LIKE $7 ESCAPE '!')
		ORDER BY seq DESC LIMIT $8`,
		s.platform, before, ms(f.From), until, f.Actor, prefix(f.Action), prefix(f.Target), f.Limit)
}

// prefix makes the LIKE pattern of texts that begin with s; none for an empty s.
func prefix(s string) string {
	if s == "" {
		return ""
	}
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

// AuditAfter implements [admin.Store].
func (s *Store) AuditAfter(ctx context.Context, seq int64, limit int) ([]admin.Entry, error) {
	return many(ctx, s.engine.read, scanEntry, `SELECT `+auditColumns+` FROM audit WHERE platform = $1 AND seq > $2 ORDER BY seq LIMIT $3`, s.platform, seq, limit)
}

// AuditHead implements [admin.Store].
func (s *Store) AuditHead(ctx context.Context) (int64, string, error) {
	heads, err := many(ctx, s.engine.read, scanHead, `SELECT seq, hash FROM audit_head WHERE platform = $1`, s.platform)
	if err != nil || len(heads) == 0 {
		return 0, "", err
	}
	return heads[0].seq, heads[0].hash, nil
}

// AuditActions implements [admin.Store].
func (s *Store) AuditActions(ctx context.Context) (actions, actors []string, err error) {
	if actions, err = many(ctx, s.engine.read, scanString, `SELECT DISTINCT action FROM audit WHERE platform = $1 ORDER BY action`, s.platform); err != nil {
		return nil, nil, err
	}
	actors, err = many(ctx, s.engine.read, scanString, `SELECT DISTINCT actor FROM audit WHERE platform = $1 AND actor <> '' ORDER BY actor`, s.platform)
	return actions, actors, err
}
