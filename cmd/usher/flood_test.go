package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/views"
)

// WeChat pushes so often while pages are asked for so often.
const (
	pushesPerSecond = 50
	pagesPerSecond  = 500
)

// TestPush_UnderPageFlood pushes 50 times a second while pages are asked for 500
// times a second, and pressed, for some seconds or as many as USHER_FLOOD_SECONDS
// says. Every push is answered with success and stored once. No page fails but for
// the presses over the limit, which say when to come again.
// BenchmarkPushUnderPages has the times.
func TestPush_UnderPageFlood(t *testing.T) { pushUnderPageFlood(t, sqlite) }

func pushUnderPageFlood(t *testing.T, on engine) {
	w := startAll(t, on(t))
	w.ticket()
	a, err := w.svc.Begin(t.Context(), onboard.Wish{AuthType: onboard.MiniPrograms, Wanted: []onboard.PermissionID{18}})
	if err != nil {
		t.Fatal(err)
	}
	paths := floodedPaths(a)
	seconds := long("USHER_FLOOD_SECONDS", 4, 600)
	if raced {
		seconds = max(1, seconds/4)
	}
	pushes, pages := seconds*pushesPerSecond, seconds*pagesPerSecond
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	var served, limited atomic.Int64
	var took []time.Duration
	var both sync.WaitGroup
	both.Go(func() {
		atRate(pages, pagesPerSecond, 16, func(_, i int, _ time.Time) {
			method, path, form := http.MethodGet, paths[i%len(paths)], ""
			if i%10 == 0 {
				method, path, form = http.MethodPost, "/connect", url.Values{"auth_type": {"2"}}.Encode()
			}
			status, again, err := askPage(t.Context(), client, method, w.base+path, form)
			switch {
			case err != nil:
				t.Errorf("page %d, %s %s: %v", i, method, path, err)
			case status == http.StatusTooManyRequests && method == http.MethodPost && again != "":
				limited.Add(1)
			case status < http.StatusBadRequest:
				served.Add(1)
			default:
				t.Errorf("page %d, %s %s = %d with Retry-After %q", i, method, path, status, again)
			}
		})
	})
	both.Go(func() {
		var mu sync.Mutex
		atRate(pushes, pushesPerSecond, 8, func(_, i int, due time.Time) {
			if status, answer, err := w.tryPush(fmt.Sprintf("flood_%d", i), ""); err != nil || status != http.StatusOK || answer != "success" {
				t.Errorf("push %d is answered %d %q, %v, want success", i, status, answer, err)
			}
			mu.Lock()
			took = append(took, time.Since(due))
			mu.Unlock()
		})
	})
	both.Wait()
	if limited.Load() == 0 && !raced { // the limit gives time, and this takes more of it then
		t.Error("no press was over the limit, so the limit is not part of this")
	}
	db, err := w.raw()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, kinds int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT type) FROM arrival WHERE type LIKE 'flood\_%' ESCAPE '\'`).Scan(&rows, &kinds); err != nil {
		t.Fatal(err)
	}
	if rows != pushes || kinds != pushes {
		t.Errorf("%d pushes are stored, of %d kinds, want each of %d once", rows, kinds, pushes)
	}
	t.Logf("%d pushes answered: %s; %d pages served, %d presses over the limit", pushes, quantiles(took), served.Load(), limited.Load())
}

// floodedPaths are the pages that anybody may ask for who knows an attempt.
func floodedPaths(a onboard.Attempt) []string {
	desk, phone := views.AttemptPath(a.ID), views.PhonePath(a.PhoneCode)
	return []string{"/", desk, phone, desk + "/qr.png", "/help/wechat-errors", desk, "/healthz", phone, "/readyz"}
}

// askPage asks for one page and reads all of it.
func askPage(ctx context.Context, client *http.Client, method, address, form string) (status int, retryAfter string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("User-Agent", desktopAgent)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After"), err
}

// atRate does something n times, so many times a second, from so many goroutines.
// Where these do not keep up, each goes on with the next as soon as it can; due is
// when it should have begun.
func atRate(n, perSecond, goroutines int, do func(goroutine, i int, due time.Time)) {
	begun := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				due := begun.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				time.Sleep(time.Until(due))
				do(g, i, due)
			}
		})
	}
	all.Wait()
}

// spread is how long things took, sorted.
type spread []time.Duration

func quantiles(took []time.Duration) spread {
	slices.Sort(took)
	return took
}

// at is the time within which a part of them was done, in thousandths.
func (s spread) at(part int) time.Duration { return s[(len(s)-1)*part/1000] }

func (s spread) String() string {
	return fmt.Sprintf("half within %v, 99 %% within %v, all within %v", s.at(500), s.at(990), s.at(1000))
}
