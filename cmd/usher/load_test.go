package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store"
)

// side is one of two that are compared.
type side struct {
	prepare func(n int) // outside the measured time; may be nil
	run     func(n int) // does n operations
}

// pairs measures the site and its floor in turn, nine times, and reports the
// medians of what each did in a second, and the median of the ratios. Absolute
// figures move with the machine and with what else runs on it; a ratio of two
// neighbors hardly does.
func pairs(b *testing.B, n int, site, floor side) {
	b.Helper()
	site.rate(n / 10) // connections, caches, prepared statements
	floor.rate(n / 10)
	for b.Loop() {
		var sites, floors, ratios []float64
		for range 9 {
			s, f := site.rate(n), floor.rate(n)
			sites, floors, ratios = append(sites, s), append(floors, f), append(ratios, s/f)
		}
		b.ReportMetric(median(sites), "site/s")
		b.ReportMetric(median(floors), "floor/s")
		b.ReportMetric(median(ratios), "ratio")
	}
	b.ReportMetric(0, "ns/op") // of nine pairs: says nothing
}

// rate returns how many operations a second were done.
func (s side) rate(n int) float64 {
	if s.prepare != nil {
		s.prepare(n)
	}
	begun := time.Now()
	s.run(n)
	return float64(n) / time.Since(begun).Seconds()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// load sends prepared requests to one address over connections that stay open.
// It does next to nothing itself, because it runs on the cores it measures.
type load struct {
	b     *testing.B
	conns []*client
}

type client struct {
	net.Conn
	*bufio.Reader
	body []byte
}

func newLoad(b *testing.B, address string, conns int) *load {
	b.Helper()
	l := &load{b: b}
	for range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		l.conns = append(l.conns, &client{Conn: c, Reader: bufio.NewReaderSize(c, 32<<10)})
	}
	return l
}

// run sends request(0) to request(n-1), one at a time on each connection. Every
// answer must be 200 and, unless want is empty, have that body.
func (l *load) run(n int, request func(int) []byte, want string) {
	l.b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for _, c := range l.conns {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := c.ask(request(i), want); err != nil {
					l.b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (c *client) ask(request []byte, want string) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	line, err := c.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", line)
	}
	length, chunked := 0, false
	for {
		line, err = c.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	c.body = c.body[:0]
	if !chunked {
		err = c.take(length)
	}
	for more := chunked; more && err == nil; {
		var size int64
		if line, err = c.ReadSlice('\n'); err == nil {
			size, err = strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		}
		if more = size > 0; err == nil {
			err = c.take(int(size))
		}
		if err == nil {
			_, err = c.Discard(len("\r\n"))
		}
	}
	if err != nil {
		return err
	}
	if want != "" && string(c.body) != want {
		return fmt.Errorf("answered %q, want %q", c.body, want)
	}
	return nil
}

// take adds the next n bytes to the body.
func (c *client) take(n int) error {
	old := len(c.body)
	c.body = slices.Grow(c.body, n)[:old+n]
	_, err := io.ReadFull(c.Reader, c.body[old:])
	return err
}

// benchSite runs the whole program on a port of its own, with a log, a platform
// token and one account, and ends it with the benchmark.
func benchSite(b *testing.B) (address string, svc *onboard.Service, db *store.Store) {
	b.Helper()
	ln := listenLocal(b)
	address = ln.Addr().String()
	sim, err := simulator.New(simulator.Config{
		AppID: platformAppID, Secret: platformSecret, Token: pushToken, AESKey: pushKey,
		LaunchDomain: "127.0.0.1", EventURL: "http://" + address + "/wechat/events", BaseURL: "http://wechat.test",
		TicketOnDemand: true, Crowd: 1,
	})
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	ready := make(chan struct{})
	p := program{
		cfg: config.Config{
			PublicURL: "http://" + address, Database: config.Database(filepath.Join(b.TempDir(), "usher.db")), SecretKey: config.Hide(sealingKey),
			AppID: platformAppID, Secret: config.Hide(platformSecret), PushToken: config.Hide(pushToken), AESKey: config.Hide(pushKey),
			WeChatAPI: "http://wechat.test", WeChatPC: "http://wechat.test", WeChatH5: "http://wechat.test", TokenParam: "access_token",
		},
		log: slog.New(slog.NewJSONHandler(io.Discard, nil)), listener: ln, wechat: sim.Transport(),
		ready: func(s *onboard.Service, d *store.Store) {
			svc, db = s, d
			close(ready)
		},
	}
	ctx, cancel := context.WithCancel(b.Context())
	all.Go(func() {
		if err := p.run(ctx); err != nil {
			b.Errorf("run = %v", err)
		}
	})
	b.Cleanup(func() {
		cancel()
		all.Wait()
	})
	<-ready
	if err := sim.PushTicket(ctx); err != nil {
		b.Fatal(err)
	}
	until(b, func() bool { return svc.Ready(ctx).OK })
	d := &day{svc: svc, sim: sim}
	if err := d.authorize(ctx, simulator.CrowdAppID(0)); err != nil {
		b.Fatal(err)
	}
	if err := sim.Deliver(ctx); err != nil {
		b.Fatal(err)
	}
	until(b, func() bool {
		a, err := db.Account(ctx, onboard.AppID(simulator.CrowdAppID(0)))
		return err == nil && !a.ProfileAt.IsZero()
	})
	return address, svc, db
}

// until waits for what the program does in its own time.
func until(b *testing.B, done func() bool) {
	b.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("waited 30 seconds for the program")
		}
	}
}

// serveFloor answers on a port of its own.
func serveFloor(b *testing.B, h http.Handler) (address string) {
	b.Helper()
	ln := listenLocal(b)
	server := &http.Server{Handler: h}
	var all sync.WaitGroup
	all.Go(func() { server.Serve(ln) })
	b.Cleanup(func() {
		server.Close()
		all.Wait()
	})
	return ln.Addr().String()
}
