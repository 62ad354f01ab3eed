package web

import "sync"

// streams counts live pages, so that nobody can hoard connections.
type streams struct {
	limits Limits

	mu        sync.Mutex
	total     int
	byAddress map[string]int
	byAttempt map[string]int
}

func newStreams(limits Limits) *streams {
	return &streams{limits: limits, byAddress: make(map[string]int), byAttempt: make(map[string]int)}
}

// open takes a place and returns the function that gives it back, or false when
// one of the limits is reached.
func (s *streams) open(address, attempt string) (closeStream func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.limits.Streams || s.byAddress[address] >= s.limits.StreamsPerAddress || s.byAttempt[attempt] >= s.limits.StreamsPerAttempt {
		return nil, false
	}
	s.total++
	s.byAddress[address]++
	s.byAttempt[attempt]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		release(s.byAddress, address)
		release(s.byAttempt, attempt)
	}), true
}

// release forgets a key with its last stream: the maps hold open streams only.
func release(count map[string]int, key string) {
	if count[key]--; count[key] == 0 {
		delete(count, key)
	}
}
