package web

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := noon
	l := newLimiter(func() time.Time { return now }, 60)
	for i := range 20 {
		if ok, _ := l.allow("a"); !ok {
			t.Fatalf("press %d of 20 at once was refused", i+1)
		}
	}
	ok, wait := l.allow("a")
	if ok || wait != time.Second {
		t.Errorf("press 21 = %v, wait %v; want refused, 1s", ok, wait)
	}
	if ok, _ := l.allow("b"); !ok {
		t.Error("another neighborhood was refused")
	}
	now = now.Add(time.Second)
	if ok, _ := l.allow("a"); !ok {
		t.Error("a second later the press was refused")
	}
	if ok, _ := l.allow("a"); ok {
		t.Error("two presses passed in one second")
	}
}

func TestRecent(t *testing.T) {
	made := map[string]int{}
	r := recent[string]{keep: 100}
	use := func(key string) string {
		return r.entry(key, func() string { made[key]++; return "value of " + key })
	}
	for i := range 10_000 {
		if got := use("busy"); got != "value of busy" {
			t.Fatalf("entry(busy) = %q", got)
		}
		use(fmt.Sprint(i))
		if n := len(r.young) + len(r.older); n > 200 {
			t.Fatalf("after %d keys %d are held, want at most 200", i+1, n)
		}
	}
	if made["busy"] != 1 {
		t.Errorf("an entry in use was made %d times, want 1", made["busy"])
	}
	if use("0"); made["0"] != 2 {
		t.Errorf("an entry of long ago was made %d times, want 2", made["0"])
	}
}

// Each kind of button is counted by itself; looking is free.
func TestPressesAreLimited(t *testing.T) {
	service := reading(waiting(), nil)
	service.handOff = func() (string, error) { return "https://mp.weixin.qq.com/x", nil }
	h, _, _ := site(t, service, func(s *Server) { s.Limits.PressesPerMinute = 6 })
	for i, want := range []int{303, 303, 429} {
		w := ask(h, "POST", "/connect", goodForm)
		if w.Code != want {
			t.Errorf("press %d of connect = %d, want %d", i+1, w.Code, want)
		}
		if want == 429 && w.Header().Get("Retry-After") != "10" {
			t.Errorf("press %d has Retry-After %q, want 10", i+1, w.Header().Get("Retry-After"))
		}
	}
	if w := ask(h, "POST", "/q/7K3M9Q2X/go", ""); w.Code != http.StatusSeeOther {
		t.Errorf("another button = %d, want 303", w.Code)
	}
	for range 10 {
		if w := ask(h, "GET", "/", ""); w.Code != http.StatusOK {
			t.Fatalf("GET / = %d, want 200", w.Code)
		}
	}
}

func TestStreamsAreLimited(t *testing.T) {
	s := newStreams(Limits{Streams: 5, StreamsPerAddress: 3, StreamsPerAttempt: 2})
	var leave []func()
	take := func(address, attempt string, want bool) {
		t.Helper()
		l, ok := s.open(address, attempt)
		if ok != want {
			t.Errorf("open(%s, %s) = %v, want %v", address, attempt, ok, want)
		}
		if ok {
			leave = append(leave, l)
		}
	}
	take("a", "1", true)
	take("a", "1", true)
	take("b", "1", false) // attempt
	take("a", "2", true)
	take("a", "3", false) // address
	take("b", "3", true)
	take("c", "4", true)
	take("d", "5", false) // process
	leave[0]()
	leave[0]() // a second time gives nothing back
	take("a", "1", true)
	take("d", "5", false)
	for _, l := range leave {
		l()
	}
	if s.total != 0 || len(s.byAddress) != 0 || len(s.byAttempt) != 0 {
		t.Errorf("after all left: %d streams, %v, %v", s.total, s.byAddress, s.byAttempt)
	}
}

func TestLimitsDefaults(t *testing.T) {
	got := Limits{StreamsPerAttempt: 7}.withDefaults()
	if want := (Limits{PressesPerMinute: 60, Streams: 2000, StreamsPerAddress: 20, StreamsPerAttempt: 7}); got != want {
		t.Errorf("withDefaults() = %+v, want %+v", got, want)
	}
}
