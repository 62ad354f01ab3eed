package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"usher/internal/onboard"
)

// crowded is a service with one attempt that many pages watch.
type crowded struct {
	oneAttempt
	mu       *sync.Mutex
	watchers map[chan struct{}]bool
}

func (c crowded) Watch(string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[ch] = true
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, ch)
	}
}

func (c crowded) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// TestSSE_Clients_NoLeak holds many live pages open over real connections: all of
// them are told of a change, they need little memory, they end at once when the
// server stops, and nothing is left of them. USHER_STREAMS says how many, as 5000.
func TestSSE_Clients_NoLeak(t *testing.T) {
	n := 300
	if many, err := strconv.Atoi(os.Getenv("USHER_STREAMS")); err == nil {
		n = many
	}
	var mu sync.Mutex
	a := waiting()
	a.CreatedAt, a.ExpiresAt = time.Now(), time.Now().Add(time.Hour)
	service := crowded{mu: &sync.Mutex{}, watchers: map[chan struct{}]bool{}, oneAttempt: oneAttempt{read: func() (onboard.Attempt, error) {
		mu.Lock()
		defer mu.Unlock()
		return a, nil
	}}}
	h, s, _ := site(t, service, func(s *Server) {
		s.Now = time.Now
		s.Log = slog.New(slog.DiscardHandler)
		s.Limits = Limits{Streams: n, StreamsPerAddress: n, StreamsPerAttempt: n}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before, goroutines := used(), runtime.NumGoroutine()
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	server.RegisterOnShutdown(s.Close)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	var first, told, ended sync.WaitGroup
	var changed time.Time
	took := make([]time.Duration, n)
	for i := range n {
		first.Add(1)
		told.Add(1)
		ended.Go(func() {
			c := &page{first: first.Done, told: func() {
				mu.Lock()
				took[i] = time.Since(changed)
				mu.Unlock()
				told.Done()
			}}
			if err := c.read(ln.Addr().String()); err != nil {
				t.Errorf("page %d: %v", i, err)
			}
		})
	}
	first.Wait()
	each := (used() - before) / n
	mu.Lock()
	changed = time.Now()
	a.OpenedAt, a.Version = changed, a.Version+1
	mu.Unlock()
	service.wake()
	told.Wait()
	stop := time.Now()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	drained := time.Since(stop)
	ended.Wait()
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
	slices.Sort(took)
	t.Logf("%d pages, %d bytes each with both ends; told within %v (half), %v (99 %%); ended within %v", n, each, took[n/2], took[n*99/100], drained)
	if each > 64<<10 && !raced {
		t.Errorf("a live page needs %d bytes, want at most %d", each, 64<<10)
	}
	if drained > 5*time.Second {
		t.Errorf("ending %d pages took %v", n, drained)
	}
	if len(service.watchers) > 0 || s.streams.total > 0 {
		t.Errorf("%d watches and %d places are left", len(service.watchers), s.streams.total)
	}
	for late := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}

// used is the memory of the process after a collection.
func used() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// page is one browser's end of a stream.
type page struct{ first, told func() }

// read follows the stream to its end. Each event is as short as to be read at once.
func (p *page) read(address string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /c/abcdefghijklmnopqrstuvwxyz/events HTTP/1.1\r\nHost: open.example.com\r\n\r\n"); err != nil {
		return err
	}
	// The ids are searched for across the borders of reads.
	var kept []byte
	buf := make([]byte, 1024)
	steps := []struct {
		text string
		then func()
	}{{"id: 1-created", p.first}, {"id: 2-opened", p.told}}
	for {
		n, err := c.Read(buf)
		kept = append(kept, buf[:n]...)
		for len(steps) > 0 && bytes.Contains(kept, []byte(steps[0].text)) {
			steps[0].then()
			steps = steps[1:]
		}
		kept = append(kept[:0], kept[max(0, len(kept)-32):]...)
		if err != nil {
			for _, s := range steps {
				s.then()
			}
			if len(steps) > 0 {
				return fmt.Errorf("ended before %q: %w", steps[0].text, err)
			}
			return nil
		}
	}
}
