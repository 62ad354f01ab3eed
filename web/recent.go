package web

import "sync"

// recent keeps what was used lately, by key. It has two generations: when the
// younger is full, the older is dropped, so it never holds more than twice keep
// entries, and one that is in use survives.
type recent[V any] struct {
	keep int

	mu           sync.Mutex
	young, older map[string]V
}

// entry returns the value of key, made by fresh when there is none. fresh must be
// quick: others wait.
func (r *recent[V]) entry(key string, fresh func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.young[key]
	if ok {
		return v
	}
	if v, ok = r.older[key]; !ok {
		v = fresh()
	}
	if r.young == nil || len(r.young) >= r.keep {
		r.older, r.young = r.young, make(map[string]V)
	}
	r.young[key] = v
	return v
}
