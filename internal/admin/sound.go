package admin

import (
	"context"
	"errors"
	"time"
)

// soundFor is for how long a good check of the database counts.
const soundFor = 7 * 24 * time.Hour

// KeepSound checks the database once a week, and at every turn while it is damaged.
// What it finds is in the log, on the page about the platform and in the readiness.
func (s *Service) KeepSound(ctx context.Context) error {
	checks, err := s.store.Checks(ctx)
	if err != nil {
		return err
	}
	for _, c := range checks {
		if c.Name == CheckDatabase && !c.Failing() && s.now().Sub(c.OKAt) < soundFor {
			return nil
		}
	}
	damage, err := s.store.CheckDatabase(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.now()
	c := Check{Name: CheckDatabase, OKAt: now}
	if damage == "" {
		s.log.InfoContext(ctx, "the database is sound")
	} else {
		c = Check{Name: CheckDatabase, FailedAt: now, Since: now, Times: 1}
		s.log.ErrorContext(ctx, "the database is damaged: restore a backup", "damage", damage)
	}
	return s.store.SavePulse(ctx, nil, []Check{c}, now.Add(-pulseMemory))
}
