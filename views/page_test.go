package views_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/internal/i18n"
	"usher/views/styleguide"
)

var update = flag.Bool("update", false, "write testdata instead of comparing with it")

func render(t *testing.T, s styleguide.Scene, l i18n.Lang) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Page.Render(i18n.With(context.Background(), l), &b); err != nil {
		t.Fatalf("%s: Render = %v", s.Name, err)
	}
	return b.Bytes()
}

// hash is the part of a static file's name that follows its content.
var hash = regexp.MustCompile(`(/static/[a-z0-9]+)-[0-9a-f]{12}`)

// lines breaks HTML before each element, so that a difference is readable.
func lines(html []byte) []byte {
	html = hash.ReplaceAll(html, []byte("$1"))
	return append(bytes.TrimLeft(bytes.ReplaceAll(html, []byte("<"), []byte("\n<")), "\n"), '\n')
}

// TestPages compares every state of every page in both languages with the HTML
// that was looked at. Run with -update after a change, then read the difference.
func TestPages(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range i18n.Langs() {
		for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
			name := s.Name + "." + string(l) + ".html"
			seen[name] = true
			t.Run(name, func(t *testing.T) {
				got := lines(render(t, s, l))
				path := filepath.Join("testdata", name)
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs from testdata:\n%s", s.Name, difference(string(got), string(want)))
				}
			})
		}
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !seen[e.Name()] {
			t.Errorf("testdata/%s belongs to no scene", e.Name())
		}
	}
}

// difference shows the first line that is not the same.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "got  " + a + "\nwant " + b
		}
	}
	return "only the end differs"
}

var (
	placeholder = regexp.MustCompile(`\{[a-z_]+\}`)
	bareKey     = regexp.MustCompile(`\b(site|kind|type|connect|attempt|step|state|blocked|error|phone|result|dashboard|set|problem|help)\.[a-z0-9_.]+`)
)

// TestSentences checks that no page shows a placeholder without its value, a key
// instead of a sentence, or Chinese in the English frame where there is no
// remote text.
func TestSentences(t *testing.T) {
	for _, l := range i18n.Langs() {
		for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
			html := string(render(t, s, l))
			if strings.Contains(s.Name, "attempt-") || strings.Contains(s.Name, "live-") {
				if i := strings.Index(html, "<pre"); i >= 0 { // the script has braces of its own
					html = html[:i] + html[strings.Index(html, "</pre>"):]
				}
			}
			for _, found := range placeholder.FindAllString(html, -1) {
				t.Errorf("%s in %s shows the placeholder %s", s.Name, l, found)
			}
			for _, found := range bareKey.FindAllString(strings.ReplaceAll(html, "open.example", ""), -1) {
				t.Errorf("%s in %s shows the key %s", s.Name, l, found)
			}
		}
	}
}

// TestStrictPolicy checks what our Content-Security-Policy forbids: the page
// would lose its style or script without a word.
func TestStrictPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<style|\sstyle=|<script>|\son[a-z]+=|javascript:|src="(https?:|data:)|href="http:`)
	for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
		if found := forbidden.Find(render(t, s, i18n.Chinese)); found != nil {
			t.Errorf("%s contains %q, which the policy of the site forbids", s.Name, found)
		}
	}
}
