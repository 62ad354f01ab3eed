package chromium

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// widths are the windows in which a page must not have to be moved sideways. Those
// of axe are looked at with it, those of dark in both themes: the bar of the desktop
// and that of a phone.
var widths = []struct {
	pixels    int64
	axe, dark bool
}{{1440, false, false}, {1280, true, true}, {1024, false, false}, {880, false, false}, {720, false, false}, {600, false, false}, {480, false, false}, {375, true, true}, {320, true, false}}

// patience is how long a page may take to do one thing.
const patience = 2 * time.Minute

// eye looks at one page after the other in a tab of its own.
type eye struct {
	t    testing.TB
	ctx  context.Context
	page Page // what it looks at

	mu         sync.Mutex
	complaints []string
}

func newEye(t testing.TB, browser context.Context, script string) (*eye, error) {
	e := &eye{t: t}
	e.ctx, _ = chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(func() { _ = chromedp.Cancel(e.ctx) })
	if err := chromedp.Listen(e.ctx, e.hear); err != nil {
		return nil, err
	}
	if err := Complain(e.ctx); err != nil {
		return nil, err
	}
	if err := Call(e.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		return nil, err
	}
	_, err := chromedp.Call(e.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	return e, err
}

func (e *eye) hear(event any) {
	if c := Complaint(event); c != "" {
		e.mu.Lock()
		e.complaints = append(e.complaints, c)
		e.mu.Unlock()
	}
}

// at goes to a page and has look at it. An error means that it could not.
func (e *eye) at(site string, p Page, look func(*eye, context.Context, string) error) error {
	e.page = p
	ctx, cancel := context.WithTimeout(e.ctx, patience)
	defer cancel()
	if err := look(e, ctx, site+"/"+url.PathEscape(p.Name)); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.complaints {
		e.t.Errorf("%s: the browser complains: %s", p.Name, c)
	}
	e.complaints = nil
	return nil
}

// look checks all that Check promises.
func (e *eye) look(ctx context.Context, address string) error {
	walked := e.page.walked()
	if err := errors.Join(e.window(ctx, walked), e.theme(ctx, "light"), chromedp.Do(ctx, chromedp.Navigate(address)), e.walk(ctx, walked)); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`look.open()`)); err != nil {
		return err
	}
	return errors.Join(e.ask(ctx, "unfolded", `look.axe()`), e.sizes(ctx), e.large(ctx))
}

// window gives the tab a width.
func (e *eye) window(ctx context.Context, width int64) error {
	return Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
}

// theme makes the browser prefer light or dark.
func (e *eye) theme(ctx context.Context, theme string) error {
	return Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// ask reports every fault that the question finds.
func (e *eye) ask(ctx context.Context, how, question string) error {
	faults, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](question, chromedp.EvalAwaitPromise))
	for _, f := range faults {
		e.t.Errorf("%s, %s: %s", e.page.Name, how, f)
	}
	return err
}

// sizes looks at the page in all widths and both themes. What axe finds for other
// rules differs with none of them, and the colors, which take most of the time, are
// the same in another language.
func (e *eye) sizes(ctx context.Context) error {
	rules := `["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]`
	colors := !e.page.translated() || os.Getenv("USHER_LONG") != ""
	if !colors {
		rules = `["target-size", "scrollable-region-focusable"]`
	}
	for _, w := range widths {
		how := fmt.Sprintf("%d unfolded", w.pixels)
		if err := e.window(ctx, w.pixels); err != nil {
			return err
		}
		if err := e.ask(ctx, how, `look.wide()`); err != nil {
			return err
		}
		if !w.axe {
			continue
		}
		if w.pixels != e.page.walked() { // where every rule has just been asked for
			if err := e.ask(ctx, how, "look.axe("+rules+")"); err != nil {
				return err
			}
		}
		if !w.dark || !colors {
			continue
		}
		if err := e.theme(ctx, "dark"); err != nil {
			return err
		}
		if err := e.ask(ctx, how+" dark", `look.axe(["color-contrast", "link-in-text-block"])`); err != nil {
			return err
		}
		if err := e.theme(ctx, "light"); err != nil {
			return err
		}
	}
	return nil
}

// large reads the page with text twice as large.
func (e *eye) large(ctx context.Context) error {
	if err := e.text(ctx, 32); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`look.double()`)); err != nil {
		return err
	}
	for _, width := range []int64{1440, 1280, 720, 375} {
		if err := e.window(ctx, width); err != nil {
			return err
		}
		if err := e.ask(ctx, "text at 200 %", `look.wide()`); err != nil {
			return err
		}
	}
	return e.text(ctx, 16)
}

// text sets the size that the browser gives to text.
func (e *eye) text(ctx context.Context, pixels int64) error {
	return Call(ctx, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: pixels, Fixed: pixels * 13 / 16}})
}
