package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"usher/internal/chromium"
)

// patience is how long a page may take to show what it is waited for.
const patience = 30 * time.Second

// look is how a person sees a tab. The zero value is a desktop in Chinese.
type look struct {
	agent         string // default desktopAgent
	language      string // default zh-CN
	width, height int64  // default 1280 × 860, or 375 × 812 for a phone
	dark          bool
	noScript      bool
}

func (l look) phone() bool { return strings.Contains(l.agent, "Mobile") }

// tab is a window of a browser profile of its own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	documents  []string // addresses of the documents shown, in order
	restored   int      // how many of them came out of the back-forward cache
	complaints []string // what the console says
}

// newTab opens a window in the browser of ctx.
func newTab(t *testing.T, ctx context.Context, l look) *tab {
	t.Helper()
	b := &tab{t: t}
	b.ctx, _ = chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(func() { _ = chromedp.Cancel(b.ctx) })
	if l.agent == "" {
		l.agent = desktopAgent
	}
	if l.language == "" {
		l.language = "zh-CN"
	}
	if l.width == 0 && l.phone() {
		l.width, l.height = 375, 812
	} else if l.width == 0 {
		l.width, l.height = 1280, 860
	}
	theme := "light"
	if l.dark {
		theme = "dark"
	}
	err := errors.Join(
		chromedp.Listen(b.ctx, b.hear),
		chromium.Complain(b.ctx),
		chromium.Call(b.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: l.agent, AcceptLanguage: l.language}),
		chromium.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}),
		chromium.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}),
	)
	if err != nil {
		t.Fatal(err)
	}
	b.resize(l.width, l.height)
	return b
}

// hear notes what the tab loads and what it complains about.
func (b *tab) hear(event any) {
	if e, ok := event.(*page.EventFrameNavigated); ok {
		if e.Frame.ParentID == "" {
			b.mu.Lock()
			b.documents = append(b.documents, e.Frame.URL)
			if e.Type == page.NavigationTypeBackForwardCacheRestore {
				b.restored++
			}
			b.mu.Unlock()
		}
		return
	}
	if complaint := chromium.Complaint(event); complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

// shown lists the addresses of the documents so far.
func (b *tab) shown() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.documents)
}

// said lists the complaints so far and forgets them.
func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.complaints
	b.complaints = nil
	return all
}

// quiet fails the test when the browser had anything to complain about: a blocked
// style or script, a form that went nowhere, a missing file, an exception.
func (b *tab) quiet() {
	b.t.Helper()
	for _, complaint := range b.said() {
		b.t.Errorf("the browser complains: %s", complaint)
	}
}

// do runs steps with patience.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v at %v", err, b.shown())
	}
}

// open goes to an address as if it were typed or scanned.
func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// resize makes the window another size.
func (b *tab) resize(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// ask evaluates an expression in the page.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true in the page, or in a later one.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
			b.t.Fatalf("%s never became true (%v) at %v; the page says:\n%s\n%v", expression, err, b.shown(), text, b.said())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// sees waits until a person can read the text on the page.
func (b *tab) sees(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.includes(%q)`, text))
}

// at waits until the page with this path is shown.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.readyState === "complete" && location.pathname.startsWith(%q)`, path))
}

// focused waits until the page has put the focus where it wants it: the browser
// complains when somebody types before.
func (b *tab) focused() {
	b.t.Helper()
	b.until(`document.querySelector("[autofocus]") !== null && document.activeElement === document.querySelector("[autofocus]")`)
}

// click presses the element.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// address is where the tab is.
func (b *tab) address() string {
	b.t.Helper()
	return ask[string](b, `location.href`)
}

// picture takes a screenshot: of the window, or of the whole page.
func (b *tab) picture(whole bool) []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	action := chromedp.CaptureScreenshot()
	if whole {
		action = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}
