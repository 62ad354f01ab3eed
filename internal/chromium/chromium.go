// Package chromium shows pages to a real browser in tests. It looks at a page as
// people do: in every width, light and dark, by keyboard, with large text, and
// through axe-core as somebody who cannot see it. It refuses to know what the
// pages are.
package chromium

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Program finds Chromium or skips the test, unless USHER_TEST_REQUIRE names it.
func Program(t testing.TB) string {
	t.Helper()
	// The first is Chromium without the browser around the pages, at a third of the
	// price.
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("USHER_TEST_REQUIRE"), ","), "chromium") {
		t.Fatal("Chromium is not installed, and USHER_TEST_REQUIRE names it")
	}
	t.Skip("Chromium is not installed")
	return ""
}

// Start starts a browser that ends with the test. Flags are added to the usual
// ones.
func Start(t testing.TB, program string, flags map[string]any) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true))
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return ctx
}

// Call sends a command whose answer says nothing.
func Call[P, R any](ctx context.Context, c cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(ctx, c, params)
	return err
}

// Complain makes the browser tell the tab of ctx, through chromedp.Listen, what it
// does not like.
func Complain(ctx context.Context) error {
	if err := Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		return err
	}
	return Call(ctx, audits.Enable, cdp.Empty{})
}

// Complaint puts into words what the browser does not like: a blocked style or
// script, a form that went nowhere, a missing file, an exception. It is empty for
// any other event.
func Complaint(event any) string {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceRecommendation {
			return ""
		}
		return fmt.Sprintf("%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *runtime.EventExceptionThrown:
		return "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		return fmt.Sprintf("console: %s", e.Type)
	case *audits.EventIssueAdded:
		complaint := "issue: " + string(e.Issue.Code)
		if d := e.Issue.Details; d != nil && d.GenericIssueDetails != nil {
			complaint += ": " + string(d.GenericIssueDetails.ErrorType)
		}
		switch complaint {
		case "issue: BounceTrackingIssue", "issue: GenericIssue: NavigationEntryMarkedSkippable":
			return "" // WeChat's page sends the browser back without a click on it
		}
		if d := e.Issue.Details; d != nil && d.ContentSecurityPolicyIssueDetails != nil {
			complaint += fmt.Sprintf(": %s blocked %s", d.ContentSecurityPolicyIssueDetails.ViolatedDirective, d.ContentSecurityPolicyIssueDetails.BlockedURL)
		}
		return complaint
	}
	return ""
}
