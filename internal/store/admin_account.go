package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

const (
	accountState = `SELECT ` + listColumns + `, l.refreshes, CASE WHEN a.stopped_at = 0 THEN a.due_at ELSE 0 END FROM account_list l
		JOIN account a ON a.platform = l.platform AND a.appid = l.appid WHERE l.platform = $1 AND l.appid = $2`
	accountEvents = `SELECT at, kind, detail FROM account_event WHERE platform = $1 AND appid = $2 ORDER BY id DESC LIMIT $3`
	auditOf       = `SELECT ` + auditColumns + ` FROM audit WHERE platform = $1 AND target = $2 ORDER BY seq DESC LIMIT $3`
	notesOf       = `SELECT at, author, body FROM account_note WHERE platform = $1 AND appid = $2 ORDER BY id DESC LIMIT $3`
	attemptsFor   = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND biz_appid = $2 AND biz_appid <> ''`
	attemptsBy    = `SELECT ` + attemptColumns + ` FROM attempt WHERE platform = $1 AND appid = $2 AND appid <> '' AND biz_appid <> $2`
	attemptsAbout = attemptsFor + ` UNION ALL ` + attemptsBy + ` ORDER BY created_at DESC LIMIT $3`
)

type sealedState struct {
	admin.AccountState
	refreshes string
}

func scanState(r *sql.Rows) (v sealedState, err error) {
	return v, r.Scan(append(listFields(&v.Listed), &v.refreshes, msTime{&v.DueAt})...)
}

// AccountState implements [admin.Store].
func (s *Store) AccountState(ctx context.Context, appID onboard.AppID) (admin.AccountState, error) {
	v, err := one(ctx, s.engine.read, scanState, accountState, s.platform, string(appID))
	if err != nil {
		return v.AccountState, err
	}
	v.Refreshes, err = refreshesOf(v.refreshes)
	return v.AccountState, err
}

// AccountEvents implements [admin.Store].
func (s *Store) AccountEvents(ctx context.Context, appID onboard.AppID, limit int) ([]admin.StoredEvent, error) {
	scan := func(r *sql.Rows) (e admin.StoredEvent, err error) {
		return e, r.Scan(msTime{&e.At}, &e.Kind, &e.Detail)
	}
	return many(ctx, s.engine.read, scan, accountEvents, s.platform, string(appID), limit)
}

// AttemptsOf implements [admin.Store].
func (s *Store) AttemptsOf(ctx context.Context, appID onboard.AppID, limit int) ([]onboard.Attempt, error) {
	return many(ctx, s.engine.read, scanAttempt, attemptsAbout, s.platform, string(appID), limit)
}

// AuditOf implements [admin.Store].
func (s *Store) AuditOf(ctx context.Context, target string, limit int) ([]admin.Entry, error) {
	return many(ctx, s.engine.read, scanEntry, auditOf, s.platform, target, limit)
}

// Notes implements [admin.Store].
func (s *Store) Notes(ctx context.Context, appID onboard.AppID, limit int) ([]admin.Note, error) {
	scan := func(r *sql.Rows) (n admin.Note, err error) { return n, r.Scan(msTime{&n.At}, &n.Author, &n.Text) }
	return many(ctx, s.engine.read, scan, notesOf, s.platform, string(appID), limit)
}

// holdAccount keeps others from changing an account until the transaction ends.
// An account that is not there is onboard.ErrNoRow.
func (s *Store) holdAccount(ctx context.Context, q querier, appID onboard.AppID) error {
	n, err := exec(ctx, q, `UPDATE account SET updated_at = updated_at WHERE platform = $1 AND appid = $2 AND standing <> ''`, s.platform, string(appID))
	if err == nil && n == 0 {
		err = onboard.ErrNoRow
	}
	return err
}

// SaveNote implements [admin.Store].
func (s *Store) SaveNote(ctx context.Context, appID onboard.AppID, n admin.Note) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (struct{}, error) {
		if err := s.holdAccount(ctx, q, appID); err != nil {
			return struct{}{}, err
		}
		_, err := exec(ctx, q, `INSERT INTO account_note (platform, appid, id, at, author, body) VALUES ($1, $2, $3, $4, $5, $6)`,
			s.platform, string(appID), s.ids.next(n.At), ms(n.At), n.Author, n.Text)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.list(ctx, q, appID, n.At)
	})
	if err != nil {
		return fmt.Errorf("save note: %w", err)
	}
	return nil
}

// SaveTag implements [admin.Store].
func (s *Store) SaveTag(ctx context.Context, ids []onboard.AppID, tag, author string, limit int, now time.Time) (int, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (tagged int, err error) {
		for _, id := range ids {
			if err := s.holdAccount(ctx, q, id); errors.Is(err, onboard.ErrNoRow) {
				continue
			} else if err != nil {
				return 0, err
			}
			n, err := exec(ctx, q, `INSERT INTO account_tag (platform, appid, tag, at, author)
				SELECT a.platform, a.appid, CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT) FROM account a
				WHERE a.platform = $1 AND a.appid = $2 AND (SELECT COUNT(*) FROM account_tag WHERE platform = $1 AND appid = $2) < CAST($6 AS BIGINT)
				ON CONFLICT (platform, appid, tag) DO NOTHING`, s.platform, string(id), tag, ms(now), author, limit)
			if err != nil {
				return 0, err
			}
			if n == 0 {
				continue
			}
			if err := s.list(ctx, q, id, now); err != nil {
				return 0, err
			}
			tagged++
		}
		return tagged, nil
	})
}

// DropTag implements [admin.Store].
func (s *Store) DropTag(ctx context.Context, appID onboard.AppID, tag string, now time.Time) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		if err := s.holdAccount(ctx, q, appID); err != nil {
			return false, err
		}
		n, err := exec(ctx, q, `DELETE FROM account_tag WHERE platform = $1 AND appid = $2 AND tag = $3`, s.platform, string(appID), tag)
		if err != nil || n == 0 {
			return false, err
		}
		return true, s.list(ctx, q, appID, now)
	})
}

// SaveHidden implements [admin.Store].
func (s *Store) SaveHidden(ctx context.Context, appID onboard.AppID, hidden bool, _ time.Time) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		if err := s.holdAccount(ctx, q, appID); err != nil {
			return false, err
		}
		n, err := exec(ctx, q, `UPDATE account_list SET hidden = $3 WHERE platform = $1 AND appid = $2 AND hidden <> $3`, s.platform, string(appID), hidden)
		return n > 0, err
	})
}

// settingListForm says by which rules all rows of account_list were made.
const settingListForm = "list_form"

// relist makes the rows of account_list that were made by other rules, or never,
// when a database is opened. It is cheap when there is nothing to do.
func (s *Store) relist(ctx context.Context, now time.Time) error {
	const next = `SELECT appid FROM account a WHERE platform = $1 AND standing <> '' AND appid > $2
		AND NOT EXISTS (SELECT 1 FROM account_list l WHERE l.platform = a.platform AND l.appid = a.appid AND l.form = $3)
		ORDER BY appid LIMIT 200`
	form := strconv.Itoa(listForm)
	done, err := many(ctx, s.engine.read, scanString, `SELECT value FROM setting WHERE platform = $1 AND name = $2`, s.platform, settingListForm)
	if err != nil || len(done) > 0 && done[0] == form {
		return err
	}
	for last := ""; ; {
		ids, err := many(ctx, s.engine.read, scanAppID, next, s.platform, last, listForm)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
				return s.saveSetting(ctx, q, settingListForm, form)
			})
			return err
		}
		_, err = write(ctx, s, func(ctx context.Context, q querier) (struct{}, error) {
			for _, id := range ids {
				if err := s.holdAccount(ctx, q, id); err != nil && !errors.Is(err, onboard.ErrNoRow) {
					return struct{}{}, err
				}
				if err := s.list(ctx, q, id, now); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
		last = string(ids[len(ids)-1])
	}
}
