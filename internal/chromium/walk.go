package chromium

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// walked is the width at which the page is walked through by keyboard: one of the
// two languages on a desktop, the other on a phone.
func (p Page) walked() int64 {
	if strings.HasSuffix(p.Name, ".en") {
		return 375
	}
	return 1280
}

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

// walk presses the Tab key from the beginning of the page to its end.
func (e *eye) walk(ctx context.Context, width int64) error {
	want, err := chromedp.Run(ctx, chromedp.Evaluate[int](`look.begin()`))
	if err != nil {
		return err
	}
	for range want + 1 + 5*strings.Count(string(e.page.HTML), `type="date"`) { // a date is six stops in one
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			if err := Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9}); err != nil {
				return err
			}
		}
	}
	stops, err := chromedp.Run(ctx, chromedp.Evaluate[[]stop](`look.end()`))
	if err != nil {
		return err
	}
	var before stop
	for _, s := range stops {
		if s.End || s.Known > 0 && s.Known < before.Count {
			break
		}
		if s.Fault != "" {
			e.t.Errorf("%s at %d: the focus cannot be seen on %s: %s", e.page.Name, width, s.HTML, s.Fault)
		}
		if s.above(before) {
			e.t.Errorf("%s at %d: the Tab key goes back from %s to %s", e.page.Name, width, before.HTML, s.HTML)
		}
		before = s
	}
	if before.Count != want {
		e.t.Errorf("%s at %d: the Tab key comes to %d elements, want %d", e.page.Name, width, before.Count, want)
	}
	return nil
}
