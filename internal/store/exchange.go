package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"usher/internal/failpoint"
	"usher/internal/onboard"
)

// ClaimExchange implements [onboard.Store].
func (s *Store) ClaimExchange(ctx context.Context, codeHash, handoffID string, now, leaseUntil time.Time) (onboard.ExchangeClaim, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (onboard.ExchangeClaim, error) {
		if handoffID != "" {
			other, found, err := s.otherExchange(ctx, q, codeHash, handoffID, now)
			if err != nil || found {
				return other, err
			}
		}
		type claim struct{ fence, tries int64 }
		won, err := many(ctx, q, func(r *sql.Rows) (c claim, err error) { return c, r.Scan(&c.fence, &c.tries) },
			`INSERT INTO exchange (platform, code_hash, handoff_id, state, fence, lease_until, tries, appid, attempt_id, finished_at)
			VALUES ($1, $2, $3, 'open', 1, $5, 1, '', '', 0)
			ON CONFLICT (platform, code_hash) DO UPDATE SET fence = exchange.fence + 1, tries = exchange.tries + 1, lease_until = $5,
				handoff_id = CASE WHEN $3 = '' THEN exchange.handoff_id ELSE $3 END
			WHERE exchange.state = 'open' AND exchange.lease_until <= $4
			RETURNING fence, tries`, s.platform, codeHash, handoffID, ms(now), ms(leaseUntil))
		if err != nil {
			return onboard.ExchangeClaim{}, err
		}
		if len(won) > 0 {
			return onboard.ExchangeClaim{Won: true, Fence: won[0].fence, Tries: int(won[0].tries)}, nil
		}
		return one(ctx, q, scanLost, `SELECT state, tries, appid, attempt_id FROM exchange WHERE platform = $1 AND code_hash = $2`, s.platform, codeHash)
	})
}

// otherExchange looks for a code of the same hand-off that is held or done.
func (s *Store) otherExchange(ctx context.Context, q querier, codeHash, handoffID string, now time.Time) (onboard.ExchangeClaim, bool, error) {
	// Writing the hand-off's row makes two claims for it wait for one another, on
	// both engines and with the same text.
	if _, err := exec(ctx, q, `UPDATE handoff SET minted_at = minted_at WHERE platform = $1 AND id = $2`, s.platform, handoffID); err != nil {
		return onboard.ExchangeClaim{}, false, err
	}
	others, err := many(ctx, q, scanLost, `SELECT state, tries, appid, attempt_id FROM exchange
		WHERE platform = $1 AND handoff_id = $2 AND handoff_id <> '' AND code_hash <> $3
			AND (state = 'done' OR (state = 'open' AND lease_until > $4))
		ORDER BY state LIMIT 1`, s.platform, handoffID, codeHash, ms(now))
	if err != nil || len(others) == 0 {
		return onboard.ExchangeClaim{}, false, err
	}
	return others[0], true, nil
}

func scanLost(r *sql.Rows) (c onboard.ExchangeClaim, err error) {
	var state string
	err = r.Scan(&state, &c.Tries, &c.AppID, &c.AttemptID)
	c.Done, c.Failed = state == "done", state == "failed"
	return c, err
}

// FailExchange implements [onboard.Store]. A claim that was lost is
// onboard.ErrFenced.
func (s *Store) FailExchange(ctx context.Context, codeHash string, fence int64, final bool, now time.Time) error {
	state, finished := "open", int64(0)
	if final {
		state, finished = "failed", ms(now)
	}
	return s.fenced(ctx, `UPDATE exchange SET state = $4, finished_at = $5, lease_until = 0
		WHERE platform = $1 AND code_hash = $2 AND fence = $3 AND state = 'open'`, s.platform, codeHash, fence, state, finished)
}

// FinishExchange implements [onboard.Store]. When the database does not take it
// now, it is kept and tried again, and after a crash at the next start.
func (s *Store) FinishExchange(ctx context.Context, a onboard.Arrived) (superseded bool, err error) {
	superseded, err = s.finishExchange(ctx, a)
	if settled(err) {
		return superseded, err
	}
	return false, s.keep(ctx, err, exchangeAnswer(a))
}

func (s *Store) finishExchange(ctx context.Context, a onboard.Arrived) (superseded bool, err error) {
	if err := failpoint.Fail("exchange.store"); err != nil {
		return false, err
	}
	p := s.sealTokens(a.AppID, a.Tokens, a.Now)
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		n, err := exec(ctx, q, `UPDATE exchange SET state = 'done', appid = $4, attempt_id = $5, finished_at = $6, lease_until = 0
			WHERE platform = $1 AND code_hash = $2 AND fence = $3 AND state = 'open'`,
			s.platform, a.CodeHash, a.Fence, string(a.AppID), a.AttemptID, ms(a.Now))
		if err != nil {
			return false, err
		}
		if n == 0 {
			return false, onboard.ErrFenced
		}
		superseded, err := s.authorize(ctx, q, a, p)
		if err != nil || a.AttemptID == "" {
			return superseded, err
		}
		_, err = s.finishAttempt(ctx, q, a.AttemptID, a)
		return superseded, err
	})
}

// finishAttempt writes the end of an attempt that has none, and reports whether
// it had none. It comes after the account was written: one that is revoked then
// withdrew after this authorization.
func (s *Store) finishAttempt(ctx context.Context, q querier, id string, a onboard.Arrived) (bool, error) {
	n, err := exec(ctx, q, `UPDATE attempt SET finished_at = $3, verdict = $4, appid = $5, missing = $6, added = $7, removed = $8,
			blocked = '', blocked_at = 0, version = version + 1,
			revoked_at = COALESCE((SELECT revoked_at FROM account WHERE platform = $1 AND appid = $5 AND standing = 'revoked'), 0)
		WHERE platform = $1 AND id = $2 AND finished_at = 0`,
		s.platform, id, ms(a.Now), string(a.Verdict), string(a.AppID), toJSON(a.Missing), toJSON(a.Added), toJSON(a.Removed))
	return n > 0, err
}

// MoveResult implements [onboard.Store]. When a has a time of authorization, its
// account is written as by FinishExchange, whatever became of the attempts:
// tokens that were recovered must not be lost.
func (s *Store) MoveResult(ctx context.Context, codeHash, from, to string, a onboard.Arrived) error {
	p := s.sealTokens(a.AppID, a.Tokens, a.Now)
	_, err := write(ctx, s, func(ctx context.Context, q querier) (struct{}, error) {
		return struct{}{}, s.moveResult(ctx, q, codeHash, from, to, a, p)
	})
	if err != nil {
		return fmt.Errorf("move the result of an exchange: %w", err)
	}
	return nil
}

// moveResult also frees the hand-off of from, whose own code may still come.
func (s *Store) moveResult(ctx context.Context, q querier, codeHash, from, to string, a onboard.Arrived, p sealedTokens) error {
	if !a.At.IsZero() {
		if _, err := s.authorize(ctx, q, a, p); err != nil {
			return err
		}
	}
	moved := to == ""
	if to != "" {
		var err error
		if moved, err = s.finishAttempt(ctx, q, to, a); err != nil {
			return err
		}
	}
	if _, err := exec(ctx, q, `UPDATE exchange SET state = 'done', appid = $3, finished_at = $4, lease_until = 0,
			attempt_id = CASE WHEN $5 = '' THEN attempt_id ELSE $5 END,
			handoff_id = CASE WHEN $6 = '' THEN handoff_id ELSE '' END
		WHERE platform = $1 AND code_hash = $2 AND state <> 'open'`, s.platform, codeHash, string(a.AppID), ms(a.Now), to, from); err != nil || !moved {
		return err
	}
	if a.Standing == onboard.Active { // the attempt that counts did ask for this account
		if _, err := exec(ctx, q, `UPDATE account SET standing = 'active', updated_at = $3
			WHERE platform = $1 AND appid = $2 AND standing = 'quarantined'`, s.platform, string(a.AppID), ms(a.Now)); err != nil {
			return err
		}
	}
	if len(a.Wanted) > 0 {
		if _, err := exec(ctx, q, `UPDATE account SET wanted = $3 WHERE platform = $1 AND appid = $2`,
			s.platform, string(a.AppID), toJSON(a.Wanted)); err != nil {
			return err
		}
	}
	if err := s.list(ctx, q, a.AppID, a.Now); err != nil {
		return err
	}
	if from == "" || from == to {
		return nil
	}
	_, err := exec(ctx, q, `UPDATE attempt SET finished_at = 0, verdict = '', appid = '', missing = '', added = '', removed = '',
			arrived_at = 0, blocked = '', blocked_at = 0, revoked_at = 0, version = version + 1
		WHERE platform = $1 AND id = $2 AND appid = $3 AND finished_at > 0`, s.platform, from, string(a.AppID))
	return err
}
