package chromium

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"usher/static"
)

// listener is a test whose faults are kept.
type listener struct {
	testing.TB
	mu     sync.Mutex
	faults []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

var good = `<!DOCTYPE html><html lang="en"><head><title>Good</title><meta name="viewport" content="width=device-width">` + sheet + `</head>
<body><main><h1>Good</h1><p>A page with <a href="/">a link</a>.</p><p><button type="button">Press</button></p></main></body></html>`

var sheet = `<link rel="stylesheet" href="` + static.URL("app.css") + `">`

// TestCheck makes one fault at a time and holds that Check finds it, and nothing
// where there is none.
func TestCheck(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"no language", ` lang="en"`, "", "axe html-has-lang"},
		{"pale", "<p>A page", `<p><font color="#aaaaaa">A pale</font> page`, "axe color-contrast"},
		{"pale folded", "<p>A page", `<details><summary>More</summary><font color="#aaaaaa">Pale</font></details><p>A page`, "axe color-contrast"},
		{"two mains", "</main>", "</main><main></main>", "axe landmark-no-duplicate-main"},
		{"close together", "<p>A page", `<input type="checkbox" aria-label="a"><input type="checkbox" aria-label="b"><p>A page`, "axe target-size"},
		{"wide", "<p>A page", `<table width="400"><tr><td>x</td></tr></table><p>A page`, "wider than the window of 375"},
		{"wide in large text", "<p>A page", `<table><tr><td nowrap>` + strings.Repeat("x", 30) + `</td></tr></table><p>A page`, "text at 200 %: the page is"},
		{"style", "<p>A page", `<p style="color:red">A page`, "ContentSecurityPolicyIssue"},
		{"out of order", `<button`, `<button tabindex="2"`, "the Tab key comes to 1 elements, want 2"},
		{"focus unseen", sheet, "", "the focus cannot be seen on <a"},
	}
	var pages []Page
	for _, tt := range tests {
		pages = append(pages, Page{Name: tt.name + ".en", HTML: []byte(strings.Replace(good, tt.old, tt.new, 1))})
	}
	l := &listener{TB: t}
	Check(l, pages)
	for _, tt := range tests {
		var found []string
		for _, f := range l.faults {
			if strings.HasPrefix(f, tt.name+".en") {
				found = append(found, f)
			}
		}
		all := strings.Join(found, "\n")
		if tt.want == "" && all != "" || !strings.Contains(all, tt.want) {
			t.Errorf("Check of the page %q finds %q, want %q", tt.name, all, tt.want)
		}
	}
}
