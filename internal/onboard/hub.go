package onboard

import "sync"

// hub wakes live pages. It carries no content: the store is the truth, and a page
// reads it again.
type hub struct {
	mu       sync.Mutex
	watchers map[string]map[chan struct{}]struct{}
	peers    Peers // told of what is woken here; nil for none
}

func (h *hub) watch(id string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = make(map[string]map[chan struct{}]struct{})
	}
	if h.watchers[id] == nil {
		h.watchers[id] = make(map[chan struct{}]struct{})
	}
	h.watchers[id][ch] = struct{}{}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers[id], ch)
		if len(h.watchers[id]) == 0 {
			delete(h.watchers, id)
		}
	}
}

// wake wakes the pages of attempts in this process and in the others.
func (h *hub) wake(ids ...string) {
	h.wakeHere(ids...)
	if h.peers == nil {
		return
	}
	for _, id := range ids {
		if id != "" {
			h.peers.Tell(aboutAttempt + id)
		}
	}
}

// wakeHere wakes those of this process.
func (h *hub) wakeHere(ids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		for ch := range h.watchers[id] {
			nudge(ch)
		}
	}
}

// wakeAll wakes every page of this process.
func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, watchers := range h.watchers {
		for ch := range watchers {
			nudge(ch)
		}
	}
}

func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default: // a wake-up is waiting already
	}
}
