package main

import (
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"usher/internal/chromium"
)

// scale weighs what a tab gets over the wire, compressed as it is sent.
type scale struct {
	mu    sync.Mutex
	asked []string                      // addresses of the page and its parts
	heads map[network.RequestID]float64 // bytes of each head
	head  float64
	body  float64
}

func newScale(t *testing.T, b *tab) *scale {
	t.Helper()
	s := &scale{heads: map[network.RequestID]float64{}}
	if err := chromedp.Listen(b.ctx, s.hear); err != nil {
		t.Fatal(err)
	}
	if err := chromium.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scale) hear(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		switch e.Type {
		case network.ResourceTypeDocument, network.ResourceTypeStylesheet, network.ResourceTypeScript, network.ResourceTypeImage:
			s.asked = append(s.asked, e.Request.URL)
		}
	case *network.EventResponseReceived:
		s.heads[e.RequestID] = e.Response.EncodedDataLength
	case *network.EventLoadingFinished:
		head := s.heads[e.RequestID]
		s.head, s.body = s.head+head, s.body+e.EncodedDataLength-head
	}
}

// TestChromium_Weight weighs the first visit of a browser to each kind of page. The
// icon of the tab, for which a browser asks when it likes to, is weighed and not
// counted; the stream of a live page never ends and is neither. What the heads weigh
// depends on the protocol; this is HTTP/1.1, which has the heaviest.
func TestChromium_Weight(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	browser := chromium.Start(t, chromium.Program(t), nil)
	desk := newTab(t, browser, look{})
	code := scanned(w, desk)
	for _, tt := range []struct {
		name, address, agent string
		body, all            float64
		requests             int
	}{
		{"form", w.base + "/", desktopAgent, 12 << 10, 15 << 10, 4},
		{"desk", desk.address(), desktopAgent, 12 << 10, 15 << 10, 4},
		{"help", w.base + "/help/wechat-errors", desktopAgent, 12 << 10, 15 << 10, 4},
		{"phone", code, wechatAgent, 5 << 10, 8 << 10, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTab(t, browser, look{agent: tt.agent})
			s := newScale(t, b)
			b.open(tt.address)
			b.until(`document.readyState === "complete" && Array.from(document.images).every(function (i) { return i.complete; })`)
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Logf("%.0f bytes and %.0f of heads in %d requests", s.body, s.head, len(s.asked))
			if s.body < 1000 || s.body > tt.body || s.body+s.head > tt.all || len(s.asked) < 2 || len(s.asked) > tt.requests {
				t.Errorf("the first visit costs %.0f bytes and %.0f of heads in the requests %q, want at most %.0f and %.0f in all, in %d requests",
					s.body, s.head, s.asked, tt.body, tt.all, tt.requests)
			}
		})
	}
}
