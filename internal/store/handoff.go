package store

import (
	"context"
	"database/sql"
	"fmt"

	"usher/internal/onboard"
)

const handoffColumns = `id, attempt_id, channel, code_hash, state_hash, session, minted_at, expires_at`

func scanHandoff(r *sql.Rows) (h onboard.Handoff, err error) {
	return h, r.Scan(&h.ID, &h.AttemptID, &h.Channel, &h.CodeHash, &h.StateHash, &h.Session, msTime{&h.MintedAt}, msTime{&h.ExpiresAt})
}

// SaveHandoff implements [onboard.Store]. It returns onboard.ErrNoRow when the
// attempt is not there.
func (s *Store) SaveHandoff(ctx context.Context, h onboard.Handoff) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		n, err := exec(ctx, q, `UPDATE attempt SET handed_off_at = $3, code_ends_at = $4, version = version + 1,
				blocked = CASE WHEN finished_at = 0 THEN '' ELSE blocked END,
				blocked_at = CASE WHEN finished_at = 0 THEN 0 ELSE blocked_at END,
				arrived_at = CASE WHEN finished_at = 0 THEN 0 ELSE arrived_at END
			WHERE platform = $1 AND id = $2`, s.platform, h.AttemptID, ms(h.MintedAt), ms(h.ExpiresAt))
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, onboard.ErrNoRow
		}
		return exec(ctx, q, `INSERT INTO handoff (platform, `+handoffColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			s.platform, h.ID, h.AttemptID, string(h.Channel), h.CodeHash, h.StateHash, h.Session, ms(h.MintedAt), ms(h.ExpiresAt))
	})
	if err != nil {
		return fmt.Errorf("save hand-off: %w", err)
	}
	return nil
}

const (
	handoffByState = `SELECT ` + handoffColumns + ` FROM handoff WHERE platform = $1 AND state_hash = $2 AND state_hash <> ''`
	handoffByCode  = `SELECT ` + handoffColumns + ` FROM handoff WHERE platform = $1 AND code_hash = $2`
	handoffsOf     = `SELECT ` + handoffColumns + ` FROM handoff WHERE platform = $1 AND attempt_id = $2 ORDER BY minted_at DESC, id DESC`
)

// HandoffByState implements [onboard.Store].
func (s *Store) HandoffByState(ctx context.Context, stateHash string) (onboard.Handoff, error) {
	return one(ctx, s.engine.read, scanHandoff, handoffByState, s.platform, stateHash)
}

// HandoffByCode implements [onboard.Store].
func (s *Store) HandoffByCode(ctx context.Context, codeHash string) (onboard.Handoff, error) {
	return one(ctx, s.engine.read, scanHandoff, handoffByCode, s.platform, codeHash)
}

// Handoffs implements [onboard.Store].
func (s *Store) Handoffs(ctx context.Context, attemptID string) ([]onboard.Handoff, error) {
	return many(ctx, s.engine.read, scanHandoff, handoffsOf, s.platform, attemptID)
}
