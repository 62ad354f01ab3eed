package chromium

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// walked is the width at which the page is walked through by keyboard: one of the
// two languages on a desktop, the other on a phone.
func (p Page) walked() int64 {
	if p.translated() {
		return 375
	}
	return 1280
}

// translated reports whether the page is looked at in Chinese as well.
func (p Page) translated() bool { return strings.HasSuffix(p.Name, ".en") }

// stop is a place that the Tab key comes to.
type stop struct {
	End                      bool // of the page
	HTML, Fault              string
	Known                    int // its number when the key was here before, from 1
	Count                    int // of the stops so far
	Header                   bool
	Top, Bottom, Left, Right float64
}

// above reports whether a person has to look up from b to find s: columns are read
// one after the other, and the bar of a page as it comes.
func (s stop) above(b stop) bool {
	return b.Count > 0 && !(b.Header && s.Header) && s.Bottom <= b.Top && s.Left < b.Right && b.Left < s.Right
}

// walk goes through the page by keyboard. Where something is wrong the page is loaded
// and walked through once more: a tab that was in the background may lose keys.
func (e *eye) walk(ctx context.Context, width int64) error {
	faults, err := e.tour(ctx)
	if err == nil && len(faults) > 0 {
		if err = chromedp.Do(ctx, chromedp.Reload()); err == nil {
			faults, err = e.tour(ctx)
		}
	}
	for _, f := range faults {
		e.t.Errorf("%s at %d: %s", e.page.Name, width, f)
	}
	return err
}

// tour presses the Tab key from the beginning of the page to its end.
func (e *eye) tour(ctx context.Context) (faults []string, err error) {
	want, err := chromedp.Run(ctx, chromedp.Evaluate[int](`look.begin()`, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, err
	}
	for range want + 1 + 5*strings.Count(string(e.page.HTML), `type="date"`) { // a date is six stops in one
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			if err := Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9}); err != nil {
				return nil, err
			}
		}
	}
	stops, err := chromedp.Run(ctx, chromedp.Evaluate[[]stop](`look.end()`))
	if err != nil {
		return nil, err
	}
	var before stop
	for _, s := range stops {
		if s.End || s.Known > 0 && s.Known < before.Count {
			break
		}
		if s.Fault != "" {
			faults = append(faults, fmt.Sprintf("the focus cannot be seen on %s: %s", s.HTML, s.Fault))
		}
		if s.above(before) {
			faults = append(faults, fmt.Sprintf("the Tab key goes back from %s to %s", before.HTML, s.HTML))
		}
		before = s
	}
	if before.Count != want {
		faults = append(faults, fmt.Sprintf("the Tab key comes to %d elements, want %d", before.Count, want))
	}
	return faults, nil
}
