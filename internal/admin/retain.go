package admin

import (
	"context"
	"time"
)

// pruneAtOnce bounds one transaction, so that a push never waits long for it.
const pruneAtOnce = 500

// Retain drops received events that are older than the settings keep them.
func (s *Service) Retain(ctx context.Context) error {
	before := s.now().Add(-time.Duration(s.Settings().EventDays) * 24 * time.Hour)
	for {
		n, err := s.store.PruneArrivals(ctx, before, pruneAtOnce)
		if err != nil || n < pruneAtOnce {
			return err
		}
	}
}
