package onboard

import (
	"context"
	"time"
)

// againAtOnce bounds one transaction, so that a push never waits long for it.
const againAtOnce = 500

// HandleAllAgain has all arrivals handled again that failed, and counts them. It
// does not wait for their end.
func (s *Service) HandleAllAgain(ctx context.Context) (int64, error) {
	var all int64
	for {
		n, err := s.store.ReviveParked(ctx, s.now(), againAtOnce)
		all += n
		if err != nil || n < againAtOnce {
			if all > 0 {
				s.wakeArrivals()
			}
			return all, err
		}
	}
}

// HandleAgain has an arrival handled again that failed, or that waits long for its
// next try. It does what the next try would have done, so nothing is done twice.
// It waits some seconds for the end. ok is false when the arrival is neither, or
// its content is gone.
func (s *Service) HandleAgain(ctx context.Context, id int64) (ok bool, err error) {
	codeHash, ok, err := s.store.ReviveArrival(ctx, id, s.now(), ArrivalLease)
	if err != nil || !ok {
		return false, err
	}
	done := s.handleDetached(ctx, codeHash, "arrival", id)
	patience := time.NewTimer(redirectPatience)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	case <-ctx.Done():
	}
	return true, nil
}
