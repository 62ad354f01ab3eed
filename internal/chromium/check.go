package chromium

import (
	"context"
	_ "embed" // for the questions to a page
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"usher/static"
)

// Policy is the Content-Security-Policy under which Check serves pages. A test of
// web holds that it is the one of production.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// Page is one page in one state and one language.
type Page struct {
	Name string // such as "attempt-created.en"
	HTML []byte
}

//go:embed look.js
var questions string

// Check looks at every page in Chromium, as the site serves it:
//
//   - axe-core finds nothing against WCAG 2.2 A and AA and its best practice in
//     three widths with everything unfolded, nor in its colors, light and dark (in
//     one language, and in the others once, unless USHER_LONG is set);
//   - nothing has to be scrolled sideways and nothing is cut off, from 320 to 1440
//     pixels, and with text twice as large;
//   - the Tab key comes to everything that can be pressed, in reading order, and
//     shows where it is;
//   - the browser has nothing to complain about.
func Check(t testing.TB, pages []Page) {
	t.Helper()
	each(t, pages, (*eye).look)
}

// Load shows every page to Chromium and fails the test when the browser has anything
// to complain about, such as a script that the policy keeps from running.
func Load(t testing.TB, pages []Page) {
	t.Helper()
	each(t, pages, func(e *eye, ctx context.Context, address string) error {
		return chromedp.Do(ctx, chromedp.Navigate(address))
	})
}

// each serves the pages and goes through them in as many tabs as there are processors.
func each(t testing.TB, pages []Page, look func(*eye, context.Context, string) error) {
	t.Helper()
	browser := Start(t, Program(t), nil)
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(serve(pages))
	t.Cleanup(site.Close)
	todo := make(chan Page)
	var done sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			eye, err := newEye(t, browser, script+"\n"+questions)
			for p := range todo {
				if err == nil {
					err = eye.at(site.URL, p, look)
				}
				if err != nil {
					t.Errorf("%s: %v", p.Name, err)
				}
			}
		})
	}
	for _, p := range pages {
		todo <- p
	}
	close(todo)
	done.Wait()
}

// serve answers as the site does: with its policy, its sheets, a picture wherever
// one is asked for, and streams that never say anything.
func serve(pages []Page) http.Handler {
	texts := map[string][]byte{}
	for _, p := range pages {
		texts["/"+p.Name] = p.HTML
	}
	files := static.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := texts[r.URL.Path]
		switch {
		case strings.HasPrefix(r.URL.Path, static.Prefix):
			files.ServeHTTP(w, r)
		case ok:
			w.Header().Set("Content-Security-Policy", Policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write(text) // a browser that went away is no concern of ours
		case strings.HasSuffix(r.URL.Path, "/events"), strings.HasSuffix(r.URL.Path, "/live"):
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, ":\n\n")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			w.Header().Set("Content-Type", "image/png")
			png.Encode(w, image.NewGray(image.Rect(0, 0, 37, 37)))
		}
	})
}
