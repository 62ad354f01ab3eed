package main

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// livePage is the stream of changes that a script follows on a page.
type livePage struct {
	w      *world
	events chan string // the data of each
}

// follow opens the stream of an attempt's page with the cookies of b.
func (w *world) follow(b *browser, attempt string) *livePage {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, attempt+"/events", nil)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", b.language)
	resp, err := b.client.Do(r)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	p := &livePage{w: w, events: make(chan string, 100)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(p.events)
		var data strings.Builder
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				data.WriteString(text + "\n")
			} else if lines.Text() == "" && data.Len() > 0 {
				p.events <- data.String()
				data.Reset()
			}
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		<-ended
	})
	return p
}

// expect waits for an event with the text.
func (p *livePage) expect(text string) {
	p.w.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case event, ok := <-p.events:
			if !ok {
				p.w.t.Fatalf("the live page ended before it said %q", text)
			}
			p.w.keeps("a live page", event)
			if strings.Contains(html.UnescapeString(event), text) {
				return
			}
		case <-late:
			p.w.t.Fatalf("the live page never says %q", text)
		}
	}
}
