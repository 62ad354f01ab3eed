package admin

import (
	"context"
	"time"
)

// Chain is the outcome of checking the hashes of the whole audit.
type Chain struct {
	Rows      int64
	Head      string // hash of the newest row
	Broken    int64  // Seq of the first row that is missing or does not follow; 0 when all do
	CheckedAt time.Time
}

// OK reports whether every row follows from the one before.
func (c Chain) OK() bool { return c.Broken == 0 }

// The chain is checked by itself when the last check is older than checkAge and the
// audit is no longer than checkRows; the rest is for whoever asks.
const (
	checkAge  = time.Minute
	checkRows = 50_000
	checkStep = 1000
)

// AuditChain returns the last check of the chain, or a new one when now is set, or
// when rows came since or the last check is old and a check is quick.
func (s *Service) AuditChain(ctx context.Context, now bool) (Chain, error) {
	if last := s.chain.Load(); !now && last != nil {
		seq, _, err := s.store.AuditHead(ctx)
		if err != nil {
			return Chain{}, err
		}
		fresh := seq == last.Rows && s.now().Sub(last.CheckedAt) < checkAge
		if fresh || last.Rows > checkRows {
			return *last, nil
		}
	}
	c, err := s.checkChain(ctx)
	if err == nil {
		s.chain.Store(&c)
	}
	return c, err
}

// checkChain computes every hash anew. A row that was changed, put in, taken out or
// cut off at the end is noticed; somebody who can rewrite the whole table and its
// head is not, which is what the exported copies are for.
func (s *Service) checkChain(ctx context.Context) (Chain, error) {
	seq, hash, err := s.store.AuditHead(ctx) // first: rows may be added meanwhile
	if err != nil {
		return Chain{}, err
	}
	c := Chain{CheckedAt: s.now()}
	for c.Rows < seq {
		rows, err := s.store.AuditAfter(ctx, c.Rows, int(min(checkStep, seq-c.Rows)))
		if err != nil {
			return c, err
		}
		for _, e := range rows {
			if e.Seq != c.Rows+1 || e.Prev != c.Head || e.Hash != e.Sum(c.Head) {
				c.Broken = c.Rows + 1
				return c, nil
			}
			c.Rows, c.Head = e.Seq, e.Hash
		}
		if len(rows) == 0 { // cut off at the end
			c.Broken = c.Rows + 1
			return c, nil
		}
	}
	if c.Head != hash {
		c.Broken = c.Rows
	}
	return c, nil
}

// AuditRows lists rows of the audit, the newest first.
func (s *Service) AuditRows(ctx context.Context, f Filter) ([]Entry, error) {
	return s.store.Audit(ctx, f)
}

// AuditNames lists the different actions and actors, for a form.
func (s *Service) AuditNames(ctx context.Context) (actions, actors []string, err error) {
	return s.store.AuditActions(ctx)
}
