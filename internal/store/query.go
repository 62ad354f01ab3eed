package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"usher/internal/onboard"
)

// querier is what *sql.DB, *sql.Tx and prepared have in common.
type querier interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// prepared keeps the statements of one SQLite connection or pool: parsing costs
// more than running there. The texts are constants, so the map stays small.
type prepared struct {
	prepare func(ctx context.Context, text string) (*sql.Stmt, error)
	mu      sync.RWMutex
	stmts   map[string]*sql.Stmt
}

func (p *prepared) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	st := p.stmts[text]
	p.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.stmts[text]; st != nil {
		return st, nil
	}
	st, err := p.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if p.stmts == nil {
		p.stmts = map[string]*sql.Stmt{}
	}
	p.stmts[text] = st
	return st, nil
}

func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, st := range p.stmts {
		_ = st.Close()
	}
	p.stmts = nil
}

// exec runs a statement and returns how many rows it changed.
func exec(ctx context.Context, q querier, text string, args ...any) (int64, error) {
	res, err := q.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// many reads all rows.
func many[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one reads the first row, or onboard.ErrNoRow. It is for reads by key: on SQLite
// these take microseconds, so ctx is only looked at before. Watching it during
// the read would start two goroutines, which cost as much as the read itself.
func one[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) (T, error) {
	if _, ok := q.(*prepared); ok {
		if err := ctx.Err(); err != nil {
			return *new(T), err
		}
		ctx = context.WithoutCancel(ctx)
	}
	all, err := many(ctx, q, scan, text, args...)
	if err != nil {
		return *new(T), err
	}
	if len(all) == 0 {
		return *new(T), onboard.ErrNoRow
	}
	return all[0], nil
}

func scanString(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) }
func scanInt(r *sql.Rows) (n int64, err error)     { return n, r.Scan(&n) }

// ms is a time as it is stored: milliseconds since 1970, 0 for none.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// msTime scans a column that ms wrote.
type msTime struct{ *time.Time }

// Scan implements [sql.Scanner].
func (m msTime) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", v)
	}
	*m.Time = time.Time{}
	if n != 0 {
		*m.Time = time.UnixMilli(n).UTC()
	}
	return nil
}

// toJSON writes a list or a struct of plain fields; an empty list is "".
func toJSON[T any](v []T) string {
	if len(v) == 0 {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil { // only plain fields are stored this way
		panic(err)
	}
	return string(b)
}

// jsonOf scans a column that toJSON wrote.
type jsonOf[T any] struct{ to *T }

// Scan implements [sql.Scanner].
func (j jsonOf[T]) Scan(v any) error {
	*j.to = *new(T)
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		return json.Unmarshal([]byte(v), j.to)
	case []byte:
		if len(v) == 0 {
			return nil
		}
		return json.Unmarshal(v, j.to)
	}
	return fmt.Errorf("JSON is stored as %T", v)
}

// idSource makes numbers that grow with time and that two processes hardly ever
// make alike: 43 bits of milliseconds and 20 random ones. Within a millisecond they
// grow by random steps, so that those of two processes do not run into each other.
type idSource struct{ last atomic.Int64 }

const (
	idBits = 20
	idStep = 1 << 10
)

func (s *idSource) next(now time.Time) int64 {
	id := max(now.UnixMilli(), 0)<<idBits | rand.Int64N(1<<idBits)
	for {
		last := s.last.Load()
		if id <= last {
			id = last + 1 + rand.Int64N(idStep)
		}
		if s.last.CompareAndSwap(last, id) {
			return id
		}
	}
}
