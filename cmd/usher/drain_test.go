package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDrain stops the site, as SIGTERM does, while 200 pushes and 100 live pages
// are in hand. The pages end first, every push that was answered with success is
// stored, and all is over within ten seconds. USHER_DRAIN_STREAMS makes it more pages, as 1000.
func TestDrain(t *testing.T) {
	w := startAll(t, options{quiet: true, hostile: true, config: manyAddresses})
	w.ticket()
	pages := long("USHER_DRAIN_STREAMS", 100, 1000)
	client := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var streams sync.WaitGroup
	for i := range pages {
		ask := func(method, path, body string) *http.Response {
			r, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("User-Agent", desktopAgent)
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.1", i>>8, i&255))
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			return resp
		}
		begun := ask(http.MethodPost, "/connect", "auth_type=2")
		_ = begun.Body.Close()
		page := ask(http.MethodGet, begun.Header.Get("Location")+"/events", "")
		if page.StatusCode != http.StatusOK {
			t.Fatalf("live page %d: %s", i, page.Status)
		}
		streams.Go(func() {
			_, _ = io.Copy(io.Discard, page.Body)
			_ = page.Body.Close()
		})
	}
	const pushes = 200
	var accepted sync.Map
	var sending sync.WaitGroup
	first := make(chan struct{}, pushes)
	for i := range pushes {
		sending.Go(func() {
			kind := fmt.Sprintf("drain_%d", i)
			if status, answer, err := w.tryPush(kind, ""); err == nil && status == http.StatusOK && answer == "success" {
				accepted.Store(kind, true)
				first <- struct{}{}
			}
		})
	}
	<-first
	begun := time.Now()
	if err := w.stopSite(); err != nil {
		t.Errorf("run = %v, want nil", err)
	}
	took := time.Since(begun)
	streams.Wait()
	sending.Wait()
	if took > drainTime {
		t.Errorf("stopping took %v, want at most %v", took, drainTime)
	}
	w.restart()
	n := 0
	accepted.Range(func(kind, _ any) bool {
		n++
		if rows, _, err := w.arrivalsOf(kind.(string)); err != nil || rows != 1 {
			t.Errorf("%s was answered with success and is stored %d times, %v", kind, rows, err)
		}
		return true
	})
	t.Logf("stopped in %v with %d live pages; %d of %d pushes were accepted", took, pages, n, pushes)
}

// TestSlowloris holds connections on which a request never ends. Each is cut off
// after five seconds, and the site answers others meanwhile.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	w := startAll(t, options{quiet: true})
	var all sync.WaitGroup
	for range 100 {
		begun := time.Now()
		c, err := net.Dial("tcp", w.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Half: "); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer c.Close()
			if err := c.SetReadDeadline(begun.Add(20 * time.Second)); err != nil {
				t.Error(err)
			}
			answer, err := io.ReadAll(c)
			if took := time.Since(begun); err != nil || took < 4*time.Second || took > 15*time.Second {
				t.Errorf("half a request was answered %q, %v after %v; want it cut off after 5 s", answer, err, took)
			}
		})
	}
	b := newBrowser(t, desktopAgent)
	b.open(w.base + "/").expect(http.StatusOK)
	all.Wait()
	// A header that is too long is refused, whatever else it is.
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("a", 64<<10)+"\r\n\r\n")
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB is answered %s, want 431", resp.Status)
	}
}

// arrivalsOf counts what is stored of a kind of push.
func (w *world) arrivalsOf(kind string) (rows int, outcome string, err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	db, err := w.raw()
	if err != nil {
		return 0, "", err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(outcome), '') FROM arrival WHERE type = '`+kind+`'`).Scan(&rows, &outcome)
	return rows, outcome, err
}
