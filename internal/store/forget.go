package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/internal/admin"
	"usher/internal/failpoint"
	"usher/internal/secret"
)

// Forgotten is what no key opens any more.
type Forgotten struct {
	// Values counts them by column, such as "account.refresh_token".
	Values map[string]int
	// Hashes is true when the key of the keyed hashes is among them: what is looked
	// up by such a hash is not found any more.
	Hashes bool
	// Credentials names those of WeChat that were entered in the console.
	Credentials []string
	// SecondFactors names the admins whose second factor it is.
	SecondFactors []string
}

// Any reports whether there is anything.
func (f Forgotten) Any() bool { return len(f.Values) > 0 }

// Forget finds every value that no key of the ring opens, because the key that
// sealed it is lost. With wipe it removes them, and what is of no use without
// them, and marks the database unverified: the tokens come back from WeChat's
// list. Accounts, grants, history, admins and invites stay. It may be broken off
// anywhere and begun again; no other program may use the database then.
func Forget(ctx context.Context, o Options, wipe bool, now time.Time) (Forgotten, error) {
	open := openEngineBeside // looking disturbs nobody
	if wipe {
		open = openEngine
	}
	e, err := open(ctx, o.Database)
	if err != nil {
		return Forgotten{}, fmt.Errorf("open database: %w", err)
	}
	s := newStore(o, e)
	f, err := s.forget(ctx, wipe, now)
	return f, errors.Join(err, s.Close())
}

func (s *Store) forget(ctx context.Context, wipe bool, now time.Time) (Forgotten, error) {
	f := Forgotten{Values: map[string]int{}}
	err := s.eachSealed(ctx, "", func(p sealedPlace, page []sealedValue) error {
		for _, v := range page {
			if _, err := p.open(s.ring, s.platform, v); !errors.Is(err, secret.ErrUnsealed) {
				continue
			}
			f.Values[p.name()]++
			switch p.name() {
			case "setting.value":
				f.Hashes = true
			case "platform_secret.value":
				f.Credentials = append(f.Credentials, fmt.Sprint(v.key[0]))
			case "admin.totp":
				name, err := one(ctx, s.engine.read, scanString, `SELECT name FROM admin WHERE platform = $1 AND id = $2`, s.platform, v.key[0])
				if err != nil {
					return err
				}
				f.SecondFactors = append(f.SecondFactors, name)
			}
		}
		return nil
	})
	if err != nil || !f.Any() || !wipe {
		return f, err
	}
	if err := s.MarkUnverified(ctx); err != nil {
		return f, err
	}
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(f.Values)) {
		lost = append(lost, fmt.Sprintf("%s %d", name, f.Values[name]))
	}
	if _, err := s.AppendAudit(ctx, admin.Entry{At: now, Actor: "usher keys lost", Action: "keys.lost", Before: strings.Join(lost, ", ")}); err != nil {
		return f, err
	}
	if f.Hashes {
		if err := s.forgetHashed(ctx); err != nil {
			return f, err
		}
	}
	return f, s.eachSealed(ctx, "", func(p sealedPlace, page []sealedValue) error {
		failpoint.Hit("forget.before_batch")
		_, err := write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
			for _, v := range page {
				if _, err := p.open(s.ring, s.platform, v); !errors.Is(err, secret.ErrUnsealed) {
					continue
				}
				if _, err := p.change(ctx, q, s.platform, p.wipe, v); err != nil {
					return n, err
				}
			}
			return n, nil
		})
		failpoint.Hit("forget.after_batch")
		return err
	})
}

// forgetHashed removes what is found by a keyed hash and by nothing else, and the
// hashes by which a token is told from another one.
func (s *Store) forgetHashed(ctx context.Context) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (n int64, err error) {
		for _, text := range []string{
			`DELETE FROM dashboard_link WHERE platform = $1`,
			`DELETE FROM admin_session WHERE platform = $1`,
			`DELETE FROM admin_enrollment WHERE platform = $1`,
			`DELETE FROM sign_in_try WHERE platform = $1`,
			`DELETE FROM known_network WHERE platform = $1`,
			`UPDATE account SET refresh_hash = '' WHERE platform = $1 AND refresh_hash <> ''`,
			`UPDATE admin SET recovery = '' WHERE platform = $1 AND recovery <> ''`,
		} {
			if _, err := exec(ctx, q, text, s.platform); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	failpoint.Hit("forget.after_hashed")
	return err
}
