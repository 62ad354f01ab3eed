package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"usher/internal/failpoint"
)

// ErrKeyNotInUse means that the first key of the ring is not the one with which
// the program that serves from this database seals.
var ErrKeyNotInUse = errors.New("usher does not seal with the first key of USHER_SECRET_KEY yet: restart it with the new key first and the old one behind, then rotate")

// Rotation is what sealing everything again with the first key came to.
type Rotation struct {
	Resealed int
	// Remaining counts the values that only another key of the ring opens, after
	// the rotation. While there are any, that key is needed.
	Remaining int
	// Unreadable counts the values that no key of the ring opens, by column.
	Unreadable map[string]int
	// Spooled counts the answers of WeChat in the spool that another key sealed.
	Spooled int
}

// Rotate seals again with the first key of the ring whatever another one sealed.
// It may be broken off anywhere and begun again, and works beside a program that
// serves from the same database if that has the same first key.
func (s *Store) Rotate(ctx context.Context) (Rotation, error) {
	if s.beside {
		sealed, err := s.sealedHashKey(ctx)
		if err != nil {
			return Rotation{}, fmt.Errorf("rotate: %w", err)
		}
		if !s.ring.Current(sealed) {
			return Rotation{}, ErrKeyNotInUse
		}
	}
	var r Rotation
	// A program of several that was not restarted yet may seal with the old key
	// while this goes on, so what remains is looked at again.
	for range 3 {
		done, err := s.reseal(ctx)
		r.Resealed += done
		if err == nil {
			err = s.countOthers(ctx, &r)
		}
		if err != nil {
			return r, fmt.Errorf("rotate: %w", err)
		}
		if r.Remaining == 0 {
			break
		}
	}
	return r, nil
}

func (s *Store) reseal(ctx context.Context) (done int, err error) {
	err = s.eachSealed(ctx, s.ring.Mark(), func(p sealedPlace, page []sealedValue) error {
		failpoint.Hit("rotate.before_batch")
		var n int
		// A program that writes without a pause may keep the file for longer than a
		// write waits.
		err := patient(ctx, func() (err error) {
			n, err = write(ctx, s, func(ctx context.Context, q querier) (int, error) { return s.resealPage(ctx, q, p, page) })
			return err
		})
		failpoint.Hit("rotate.after_batch")
		done += n
		return err
	})
	return done, err
}

// resealPage seals a batch again and returns how many values changed by it.
func (s *Store) resealPage(ctx context.Context, q querier, p sealedPlace, page []sealedValue) (n int, err error) {
	for _, v := range page {
		value, err := p.open(s.ring, s.platform, v)
		if err != nil {
			continue // counted by countOthers
		}
		changed, err := p.change(ctx, q, s.platform, `UPDATE `+p.table+` SET `+p.column+` = $1`, v, p.seal(s.ring, s.platform, v, value))
		if err != nil {
			return 0, err
		}
		n += int(changed)
	}
	return n, nil
}

// countOthers counts what the first key did not seal.
func (s *Store) countOthers(ctx context.Context, r *Rotation) error {
	r.Remaining, r.Unreadable = 0, map[string]int{}
	err := s.eachSealed(ctx, s.ring.Mark(), func(p sealedPlace, page []sealedValue) error {
		for _, v := range page {
			if _, err := p.open(s.ring, s.platform, v); err != nil {
				r.Unreadable[p.name()]++
			} else {
				r.Remaining++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Spooled, err = s.spooledByOthers()
	return err
}

// spooledByOthers counts what waits in the spool and was sealed by another key than
// the first.
func (s *Store) spooledByOthers() (n int, err error) {
	if s.engine.file == "" {
		return 0, nil
	}
	all, err := os.ReadFile(s.engine.file + spoolSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	waiting, _ := parseSpool(all)
	for _, r := range waiting {
		if !s.ring.Current(string(r.text)) {
			n++
		}
	}
	return n, err
}

func (s *Store) sealedHashKey(ctx context.Context) (string, error) {
	return one(ctx, s.engine.read, scanString, `SELECT value FROM setting WHERE platform = $1 AND name = $2`, s.platform, settingHashKey)
}
