package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/onboard"
	"usher/internal/rescue"
	"usher/internal/secret"
)

// How an answer of WeChat that the database did not take is tried again.
const (
	keepFirst = 50 * time.Millisecond
	keepMost  = 2 * time.Second
	keepTime  = time.Minute // without a spool; with one, until it is stored
	keepOnce  = 10 * time.Second
)

// keeper holds on to answers of WeChat that the database did not take, because
// it was full, busy or away: WeChat gives most of them only once. It tries again
// in memory and, beside a SQLite file, puts them on the disk for the next start.
type keeper struct {
	spool *spool // nil on PostgreSQL
	stop  chan struct{}
	once  sync.Once // of close
	tasks sync.WaitGroup
}

// answer is what WeChat gave, in a form that can be written down.
type answer struct {
	Exchange *arrivedRow   `json:"exchange,omitempty"`
	Refresh  *refreshedRow `json:"refresh,omitempty"`
}

type tokensRow struct {
	Access  string        `json:"access"`
	Life    time.Duration `json:"life"`
	Refresh string        `json:"refresh"`
}

func tokensToRow(t onboard.Tokens) tokensRow {
	return tokensRow{t.Access.Reveal(), t.Life, t.Refresh.Reveal()}
}

func (r tokensRow) tokens() onboard.Tokens {
	return onboard.Tokens{Access: secret.New(r.Access), Life: r.Life, Refresh: secret.New(r.Refresh)}
}

// arrivedRow is an onboard.Arrived; its own Tokens are left empty, because they
// print as redacted.
type arrivedRow struct {
	onboard.Arrived
	Tokens tokensRow
}

type refreshedRow struct {
	onboard.Refreshed
	Tokens tokensRow
}

func exchangeAnswer(a onboard.Arrived) answer {
	row := &arrivedRow{Arrived: a, Tokens: tokensToRow(a.Tokens)}
	row.Arrived.Tokens = onboard.Tokens{}
	return answer{Exchange: row}
}

func refreshAnswer(r onboard.Refreshed) answer {
	row := &refreshedRow{Refreshed: r, Tokens: tokensToRow(r.Tokens)}
	row.Refreshed.Tokens = onboard.Tokens{}
	return answer{Refresh: row}
}

// settled reports whether err, or its absence, says that trying again is of no
// use: the answer is stored, or somebody else's is.
func settled(err error) bool {
	return err == nil || errors.Is(err, onboard.ErrFenced) || errors.Is(err, onboard.ErrNoRow) || errors.Is(err, errBug)
}

// keep takes over answers that could not be stored because of cause. It returns
// when all of them are settled, with the first failure, or when ctx ends, with
// cause: the answers are tried again all the same.
func (s *Store) keep(ctx context.Context, cause error, answers ...answer) error {
	s.log.ErrorContext(ctx, "the database did not take an answer of WeChat; it is kept and tried again", "answers", len(answers), "err", cause)
	ends := make(chan error, len(answers))
	for _, a := range answers {
		at, spooled := s.spoolAnswer(ctx, a)
		s.keeper.tasks.Go(func() { ends <- s.keepOn(a, at, spooled, cause) })
	}
	var first error
	for range answers {
		select {
		case err := <-ends:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return cause
		}
	}
	return first
}

func (s *Store) spoolAnswer(ctx context.Context, a answer) (at int64, spooled bool) {
	if s.keeper.spool == nil {
		return 0, false
	}
	b, err := json.Marshal(a)
	if err == nil {
		at, err = s.keeper.spool.add([]byte(s.ring.Seal("spool", "answer", s.row(""), secret.New(string(b)))))
	}
	if err != nil {
		s.log.ErrorContext(ctx, "an answer of WeChat could not be spooled; it is in memory only", "err", err)
	}
	return at, err == nil
}

// keepOn tries until the answer is settled, the store closes, or a minute passed
// for one that is in memory only.
func (s *Store) keepOn(a answer, at int64, spooled bool, last error) error {
	begun, wait := time.Now(), keepFirst
	for {
		timer := time.NewTimer(wait)
		select {
		case <-s.keeper.stop:
			timer.Stop()
			return last
		case <-timer.C:
		}
		wait = min(2*wait, keepMost)
		if last = rescue.Do(func() error { return s.storeAnswer(a) }); settled(last) || rescue.Is(last) {
			if spooled {
				if err := s.keeper.spool.done(at); err != nil {
					s.log.Error("ending a spooled answer failed; it is looked at again at the next start", "err", err)
				}
			}
			return last
		}
		if !spooled && time.Since(begun) > keepTime {
			return last
		}
	}
}

// storeAnswer stores a kept answer. An exchange whose claim somebody else took
// over meanwhile is stored all the same, unless theirs is: its tokens are good.
func (s *Store) storeAnswer(a answer) error {
	ctx, cancel := context.WithTimeout(context.Background(), keepOnce)
	defer cancel()
	if a.Refresh != nil {
		r := a.Refresh.Refreshed
		r.Tokens = a.Refresh.Tokens.tokens()
		_, err := s.saveAllRefreshed(ctx, []onboard.Refreshed{r})
		return err
	}
	arrived := a.Exchange.Arrived
	arrived.Tokens = a.Exchange.Tokens.tokens()
	_, err := s.finishExchange(ctx, arrived)
	if !errors.Is(err, onboard.ErrFenced) {
		return err
	}
	state, stateErr := one(ctx, s.engine.read, scanString, `SELECT state FROM exchange WHERE platform = $1 AND code_hash = $2`, s.platform, arrived.CodeHash)
	if stateErr != nil || state == "done" {
		return errors.Join(err, stateErr)
	}
	return s.MoveResult(ctx, arrived.CodeHash, "", arrived.AttemptID, arrived)
}

// replay stores what a process before this one could only spool.
func (s *Store) replay(ctx context.Context, waiting []record) {
	for _, r := range waiting {
		var a answer
		text, err := s.ring.Open("spool", "answer", s.row(""), string(r.text))
		if err == nil {
			err = json.Unmarshal([]byte(text.Reveal()), &a)
		}
		if err != nil || (a.Exchange == nil) == (a.Refresh == nil) {
			s.log.ErrorContext(ctx, "a spooled answer cannot be read", "err", err)
			_ = s.keeper.spool.done(r.at) // nobody ever will
			continue
		}
		err = s.storeAnswer(a)
		failpoint.Hit("spool.after_replay")
		if !settled(err) {
			s.keeper.tasks.Go(func() { _ = s.keepOn(a, r.at, true, err) })
			continue
		}
		s.log.InfoContext(ctx, "a spooled answer of WeChat was stored", "stored", err == nil)
		if err := s.keeper.spool.done(r.at); err != nil {
			s.log.ErrorContext(ctx, "ending a spooled answer failed", "err", err)
		}
	}
}

// close stops trying. What is spooled is stored at the next start.
func (k *keeper) close() (err error) {
	k.once.Do(func() {
		close(k.stop)
		k.tasks.Wait()
		err = k.spool.close()
	})
	return err
}

// endClaims gives back every claim of a SQLite file that was not closed well. No
// other process has the file, so whoever held one is gone, and the work need not
// wait for the end of its lease.
func endClaims(ctx context.Context, db *sql.DB) error {
	for _, text := range []string{
		`UPDATE arrival SET due_at = 0 WHERE outcome = '' AND due_at > 0`,
		`UPDATE exchange SET lease_until = 0 WHERE state = 'open' AND lease_until > 0`,
		`UPDATE account SET lease_until = 0 WHERE lease_until > 0`,
		`UPDATE account SET profile_tried_at = 0 WHERE profile_at = 0 AND profile_tried_at > 0`,
		`UPDATE platform_token SET lease_until = 0 WHERE lease_until > 0`,
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("give back claims: %w", err)
		}
	}
	return nil
}
