package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"usher/internal/onboard"
)

// SaveArrival implements [onboard.Store]. It goes through the writer on both
// engines, because grouping is what lets many pushes in at once.
func (s *Store) SaveArrival(ctx context.Context, a onboard.Arrival) (isNew bool, err error) {
	payload := s.ring.Seal("arrival", "payload", s.row(a.Digest), a.Payload)
	received, masked := ms(a.ReceivedAt), toJSON(a.Masked)
	isNew, err = writeGrouped(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		n, err := exec(ctx, q, `INSERT INTO arrival (platform, id, digest, type, appid, code_hash, handoff_id, attempt_id,
				created_at, received_at, payload, masked, tries, fence, due_at, outcome, reason, finished_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $10, '', '', 0)
			ON CONFLICT (platform, digest) DO NOTHING`,
			s.platform, s.ids.next(a.ReceivedAt), a.Digest, string(a.Type), string(a.AppID), a.CodeHash, a.HandoffID, a.AttemptID,
			ms(a.CreatedAt), received, payload, masked)
		if err != nil || n == 0 || a.AttemptID == "" {
			return n > 0, err
		}
		_, err = exec(ctx, q, `UPDATE attempt SET arrived_at = $3, version = version + 1
			WHERE platform = $1 AND id = $2 AND arrived_at = 0 AND finished_at = 0`, s.platform, a.AttemptID, received)
		return true, err
	})
	if err != nil {
		return false, fmt.Errorf("save arrival: %w", err)
	}
	return isNew, nil
}

const arrivalColumns = `id, digest, type, appid, code_hash, handoff_id, attempt_id, created_at, received_at, payload, tries, fence`

type sealedArrival struct {
	onboard.Arrival
	payload string
}

func scanArrival(r *sql.Rows) (a sealedArrival, err error) {
	return a, r.Scan(&a.ID, &a.Digest, &a.Type, &a.AppID, &a.CodeHash, &a.HandoffID, &a.AttemptID,
		msTime{&a.CreatedAt}, msTime{&a.ReceivedAt}, &a.payload, &a.Tries, &a.Fence)
}

// The conditions stand in the outer WHERE too, because PostgreSQL checks only
// those again after it waited for a row.
const (
	claimArrivals = `UPDATE arrival SET due_at = $3, tries = tries + 1, fence = fence + 1
		WHERE platform = $1 AND outcome = '' AND due_at <= $2 AND id IN (
			SELECT id FROM arrival WHERE platform = $1 AND outcome = '' AND due_at <= $2 ORDER BY id LIMIT $4)
		RETURNING ` + arrivalColumns
	claimArrivalsOfCode = `UPDATE arrival SET due_at = $3, tries = tries + 1, fence = fence + 1
		WHERE platform = $1 AND outcome = '' AND due_at <= $2 AND id IN (
			SELECT id FROM arrival WHERE platform = $1 AND code_hash = $5 AND code_hash <> '' AND outcome = '' AND due_at <= $2 ORDER BY id LIMIT $4)
		RETURNING ` + arrivalColumns
)

// ClaimArrivals implements [onboard.Store]. The payload of an arrival that does
// not open is empty; the log says so.
func (s *Store) ClaimArrivals(ctx context.Context, now, leaseUntil time.Time, limit int, codeHash string) ([]onboard.Arrival, error) {
	text, args := claimArrivals, []any{s.platform, ms(now), ms(leaseUntil), limit}
	if codeHash != "" {
		text, args = claimArrivalsOfCode, append(args, codeHash)
	} else if idle, err := s.noArrivals(ctx, now); err != nil || idle {
		return nil, err
	}
	rows, err := write(ctx, s, func(ctx context.Context, q querier) ([]sealedArrival, error) {
		return many(ctx, q, scanArrival, text, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("claim arrivals: %w", err)
	}
	slices.SortFunc(rows, func(a, b sealedArrival) int { return cmp.Compare(a.ID, b.ID) })
	out := make([]onboard.Arrival, len(rows))
	for i, r := range rows {
		out[i] = r.Arrival
		if out[i].Payload, err = s.open("arrival", "payload", s.row(r.Digest), r.payload); err != nil {
			s.log.ErrorContext(ctx, "an arrival does not open", "arrival", r.ID, "err", err)
		}
	}
	return out, nil
}

const anyArrival = `SELECT id FROM arrival WHERE platform = $1 AND outcome = '' AND due_at <= $2 ORDER BY id LIMIT 1`

// noArrivals spares the writer a commit for a claim that would find nothing,
// which is what most of them find.
func (s *Store) noArrivals(ctx context.Context, now time.Time) (bool, error) {
	waiting, err := many(ctx, s.engine.read, scanInt, anyArrival, s.platform, ms(now))
	return len(waiting) == 0, err
}

const (
	endArrival = `UPDATE arrival SET outcome = $4, reason = $5, finished_at = $6,
			appid = CASE WHEN $7 = '' THEN appid ELSE $7 END,
			payload = CASE WHEN $4 = 'parked' THEN payload ELSE '' END
		WHERE platform = $1 AND id = $2 AND fence = $3 AND outcome = ''`
	retryArrival = `UPDATE arrival SET due_at = $4, reason = $5, tries = tries - $6
		WHERE platform = $1 AND id = $2 AND fence = $3 AND outcome = ''`
)

// FinishArrivals implements [onboard.Store]. The payload of an arrival that ends
// is wiped unless a person has to look at it: what it held is either used or
// stored elsewhere.
func (s *Store) FinishArrivals(ctx context.Context, ends []onboard.ArrivalEnd, now time.Time) error {
	if len(ends) == 0 {
		return nil
	}
	_, err := write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
		for _, e := range ends {
			if e.Outcome == "" {
				untried := 0
				if e.Untried {
					untried = 1
				}
				_, err = exec(ctx, q, retryArrival, s.platform, e.ID, e.Fence, ms(e.RetryAt), e.Reason, untried)
			} else {
				_, err = exec(ctx, q, endArrival, s.platform, e.ID, e.Fence, string(e.Outcome), e.Reason, ms(now), string(e.AppID))
			}
			if err != nil {
				return 0, fmt.Errorf("finish arrivals: %w", err)
			}
		}
		return 0, nil
	})
	return err
}

const reviveArrival = `UPDATE arrival SET outcome = '', reason = '', due_at = $3, finished_at = 0, fence = fence + 1,
		tries = CASE WHEN outcome = 'parked' THEN 0 ELSE tries END
	WHERE platform = $1 AND id = $2 AND payload <> '' AND (outcome = 'parked' OR outcome = '' AND due_at > $4)
	RETURNING code_hash`

// ReviveArrival implements [onboard.Store]. An arrival that is due later than a
// lease lasts is not held by anybody.
func (s *Store) ReviveArrival(ctx context.Context, id int64, now time.Time, lease time.Duration) (codeHash string, ok bool, err error) {
	hashes, err := write(ctx, s, func(ctx context.Context, q querier) ([]string, error) {
		return many(ctx, q, scanString, reviveArrival, s.platform, id, ms(now), ms(now.Add(lease)))
	})
	if err != nil {
		return "", false, fmt.Errorf("revive an arrival: %w", err)
	}
	if len(hashes) == 0 {
		return "", false, nil
	}
	return hashes[0], true, nil
}

const reviveParked = `UPDATE arrival SET outcome = '', reason = '', due_at = $2, finished_at = 0, fence = fence + 1, tries = 0
	WHERE platform = $1 AND outcome = 'parked' AND payload <> '' AND id IN (
		SELECT id FROM arrival WHERE platform = $1 AND outcome = 'parked' AND payload <> '' ORDER BY id LIMIT $3)`

// ReviveParked implements [onboard.Store].
func (s *Store) ReviveParked(ctx context.Context, now time.Time, limit int) (int64, error) {
	n, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, reviveParked, s.platform, ms(now), limit)
	})
	if err != nil {
		return 0, fmt.Errorf("revive what is parked: %w", err)
	}
	return n, nil
}
