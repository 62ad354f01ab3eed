package static_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"usher/internal/chromium"
	"usher/static"
)

// deskPage has what live.js looks for. Its form answers into a frame: a page that is
// about to be left does not answer a test.
const deskPage = `<!DOCTYPE html><html><head><title>before</title>
<link rel="icon" href="%s"><script defer src="%s"></script></head><body>
<main data-live="/events">
<div data-part="code"><img id="code" alt="code"></div>
<div data-part="status"><p>waiting</p></div>
<p id="lost" data-lost hidden>lost</p>
</main>
<nav><span id="count" data-part="count">1</span></nav>
<input id="link" value="https://open.example.com/q/7K3M9Q2X">
<button type="button" class="js-only" id="copy" data-copy="link" data-done="copied"><span>copy</span></button>
<iframe name="sink"></iframe>
<form method="post" action="/slow" target="sink"><button type="submit" id="send">send</button></form>
</body></html>`

// TestLive drives live.js in Chromium through everything that happens at a desk.
func TestLive(t *testing.T) {
	program := chromium.Program(t)
	events := make(chan string)      // what the stream says next
	connected := make(chan bool, 10) // one for each stream that was asked for
	accept := make(chan bool, 10)    // one lets a stream begin
	hold := make(chan struct{})      // keeps the answer to the form back
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, deskPage, static.URL("favicon.svg"), static.URL("live.js"))
	})
	left := make(chan bool, 10)   // one for each stream that the browser closed
	arrived := make(chan bool, 1) // the page moved on
	mux.HandleFunc("/done", func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		connected <- true
		select {
		case <-accept:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "retry: 50\n\n")
		w.(http.Flusher).Flush()
		for {
			select {
			case e := <-events:
				if e == "" {
					return // the connection breaks
				}
				fmt.Fprint(w, e)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				left <- true
				return
			}
		}
	})
	site := httptest.NewServer(mux)
	defer site.Close()
	defer close(hold)

	ctx, cancel := context.WithTimeout(chromium.Start(t, program, nil), 3*time.Minute)
	defer cancel()

	// until waits in the page for an expression to become true.
	until := func(what, expression string) {
		t.Helper()
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(function (done) {
			(function look() { if (`+expression+`) done(true); else requestAnimationFrame(look); })();
			setTimeout(function () { done(false); }, 30000);
		})`, chromedp.EvalAwaitPromise))
		if err != nil || !ok {
			t.Fatalf("%s: %s never became true (%v)", what, expression, err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(site.URL)); err != nil {
		t.Fatal(err)
	}
	<-connected
	accept <- true
	until("script runs", `document.documentElement.className === "js"`)
	until("page is marked", `(document.getElementById("code").mark = true)`)

	events <- "event: state\ndata: <p data-part=\"title\">opened</p><div data-part=\"code\"><img id=\"code\" alt=\"code\"></div>\ndata: <div data-part=\"status\"><b>open</b></div><span data-part=\"count\">2</span><i data-part=\"none\"></i>\n\n"
	until("state event", `document.title === "opened" && document.querySelector("[data-part=status]").innerHTML === "<b>open</b>"`)
	until("part outside the box", `document.getElementById("count").textContent === "2"`)
	until("equal part stays", `document.getElementById("code").mark === true`)

	events <- "" // break the stream: the browser asks again, and the page says so when that takes long
	<-connected
	until("broken stream", `!document.getElementById("lost").hidden`)
	accept <- true
	events <- "event: state\ndata: <div data-part=\"status\">again</div>\n\n"
	until("next stream", `document.getElementById("lost").hidden && document.querySelector("[data-part=status]").textContent === "again"`)

	// A stream that fell silent while the computer slept is asked for again.
	events <- "event: beat\ndata: 1\n\n"
	until("the computer wakes", `(function () {
		if (window.woken) return true;
		window.woken = Date.now;
		Date.now = function () { return window.woken() + 60000; };
		document.dispatchEvent(new Event("visibilitychange"));
		return true;
	})()`)
	<-left
	<-connected
	accept <- true
	events <- "event: state\ndata: <div data-part=\"status\">awake</div>\n\n"
	until("stream after sleep", `document.getElementById("lost").hidden && document.querySelector("[data-part=status]").textContent === "awake"`)
	until("the network is back", `window.dispatchEvent(new Event("online"))`)
	<-left
	<-connected
	accept <- true
	events <- "event: state\ndata: <div data-part=\"status\">online</div>\n\n"
	until("stream after a change of network", `document.querySelector("[data-part=status]").textContent === "online"`)

	// The browser shows the page as it kept it, with a stream that is long dead.
	until("the page comes out of the cache", `window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	<-left
	<-connected
	accept <- true
	events <- "event: state\ndata: <div data-part=\"status\">back</div>\n\n"
	until("stream after the cache", `document.querySelector("[data-part=status]").textContent === "back"`)

	if err := chromedp.Do(ctx, chromedp.Click("#copy")); err != nil {
		t.Fatal(err)
	}
	until("copy", `document.getElementById("copy").textContent === "copied"`)
	if err := chromedp.Do(ctx, chromedp.Click("#send")); err != nil {
		t.Fatal(err)
	}
	until("submit", `document.getElementById("send").getAttribute("aria-busy") === "true"`)

	hold <- struct{}{}

	events <- "event: state\ndata: <p data-part=\"title\">over</p>\n\nevent: end\ndata:\n\n"
	select {
	case <-left:
	case <-ctx.Done():
		t.Fatal("after the end event the browser kept its stream")
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(site.URL)); err != nil {
		t.Fatal(err)
	}
	<-connected
	accept <- true
	// As the site sends it: the last state and the way on in one piece.
	events <- "event: state\ndata: <p data-part=\"title\">over</p>\n\nevent: go\ndata: /done\n\n"
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Error("after the go event the browser never asked for /done")
	}
}

// TestLive_Poll waits on a page of a phone, which has no stream: it stays as it is,
// asks for itself, and is loaded again when it would be another one.
func TestLive_Poll(t *testing.T) {
	program := chromium.Program(t)
	asked := make(chan bool, 100)
	var over atomic.Bool
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	mux.HandleFunc("/fast.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `var slow = window.setInterval; window.setInterval = function (f, ms) { return slow(f, ms / 500); };`)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if over.Load() {
			fmt.Fprint(w, "<!DOCTYPE html><title>x</title><p>over</p>")
			return
		}
		fmt.Fprintf(w, `<!DOCTYPE html><title>x</title><script src="/fast.js"></script><script defer src="%s" data-poll></script><p>waiting</p>`, static.URL("live.js"))
		select {
		case asked <- true:
		default: // it asks faster than the test goes on
		}
	})
	site := httptest.NewServer(mux)
	defer site.Close()
	ctx, cancel := context.WithTimeout(chromium.Start(t, program, nil), time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(site.URL)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-asked
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(document.kept = true, document.body.textContent)`))
	if err != nil || text != "waiting" {
		t.Fatalf("the page says %q (%v), want %q", text, err, "waiting")
	}
	for range 3 {
		<-asked
	}
	if kept, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.kept === true`)); err != nil || !kept {
		t.Errorf("a page that waits was loaded again (%v)", err)
	}
	over.Store(true)
	for text != "over" {
		if text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.textContent : ""`)); err != nil && ctx.Err() != nil {
			t.Fatal("the page never gave way")
		}
	}
}
