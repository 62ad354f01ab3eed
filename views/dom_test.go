package views_test

import (
	"bytes"
	"iter"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"usher/internal/i18n"
	"usher/views/styleguide"
)

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// skeleton lists the elements and attributes of a page without the texts. Values
// are kept where they decide what the browser does.
func skeleton(n *html.Node) []string {
	var lines []string
	for n := range n.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		line := n.Data
		for _, a := range n.Attr {
			line += " " + a.Key
			switch a.Key {
			case "href", "src", "action", "id", "name", "type", "class", "http-equiv", "data-live":
				line += "=" + a.Val
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// hostile are names that try to leave the place where a text is shown.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' autofocus onfocus='alert(1)`,
	"`${alert(1)}`{{constructor}}",
	`</title></textarea></noscript><base href="https://evil.example/">`,
	`javascript:alert(1)`,
	"a\u202e\u2066\u0000\u001b[31m]]>--><!--",
	"{name}{time}{brand}",
	"\U0001f375 data:text/html,<svg onload=alert(1)>",
}

// TestHostileNames shows every state of every page with hostile names and checks
// that the page keeps its elements, attributes and addresses, and that the text
// arrives as text.
func TestHostileNames(t *testing.T) {
	for _, bad := range hostile {
		w := styleguide.Words{Nickname: "茶" + bad, Other: "外" + bad, Principal: "司" + bad, Category: "类" + bad, Recipient: "林" + bad, Brand: "云" + bad, Contact: "电" + bad, Typed: "w" + bad}
		good, evil := styleguide.All(styleguide.Kind, styleguide.Look{}), styleguide.Scenes(w, styleguide.Look{})
		for i, s := range evil {
			page := render(t, s, i18n.English)
			got, want := skeleton(parse(t, page)), skeleton(parse(t, render(t, good[i], i18n.English)))
			for j := range max(len(got), len(want)) {
				if j >= len(got) || j >= len(want) || got[j] != want[j] {
					t.Errorf("%s with the name %q has the element %q, want %q", s.Name, bad, at(got, j), at(want, j))
					break
				}
			}
			for n := range parse(t, page).Descendants() {
				if n.Type == html.TextNode && strings.ContainsFunc(n.Data, func(r rune) bool {
					return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' && r != '\t'
				}) && !strings.Contains(n.Data, w.Contact[:3]) {
					t.Errorf("%s shows the control characters of %q", s.Name, n.Data)
				}
			}
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// TestHostileNameIsShown checks that escaping keeps the name readable.
func TestHostileNameIsShown(t *testing.T) {
	w := styleguide.Kind
	w.Nickname = `<i>茶&"'</i>`
	for _, s := range styleguide.All(w, styleguide.Look{}) {
		if s.Name != "dashboard-ok" {
			continue
		}
		for n := range parse(t, render(t, s, i18n.Chinese)).Descendants() {
			if n.Type == html.ElementNode && n.Data == "h1" {
				if got := text(n); got != w.Nickname {
					t.Errorf("h1 of the dashboard = %q, want %q", got, w.Nickname)
				}
				return
			}
		}
	}
	t.Error("the dashboard has no h1")
}

func text(n *html.Node) string {
	var b strings.Builder
	for n := range n.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// TestForms checks what every page owes to the keyboard and to screen readers:
// names for inputs and buttons, one main heading, a language, no id used twice.
func TestForms(t *testing.T) {
	for _, l := range i18n.Langs() {
		for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
			if s.Live {
				continue
			}
			ids, labels, headings := map[string]bool{}, map[string]bool{}, 0
			root := parse(t, render(t, s, l))
			for n := range elements(root) {
				if n.Data == "label" && attr(n, "for") != "" {
					labels[attr(n, "for")] = true
				}
				if id := attr(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("%s uses the id %q twice", s.Name, id)
					}
					ids[id] = true
				}
			}
			for n := range elements(root) {
				switch n.Data {
				case "html":
					if attr(n, "lang") != string(l) {
						t.Errorf("%s has lang=%q, want %q", s.Name, attr(n, "lang"), l)
					}
				case "h1":
					headings++
				case "input":
					if attr(n, "type") == "radio" { // inside its label
						continue
					}
					if !labels[attr(n, "id")] && attr(n, "aria-label") == "" {
						t.Errorf("%s has the input %q without a label", s.Name, attr(n, "name"))
					}
				case "button", "a":
					if text(n) == "" && attr(n, "aria-label") == "" {
						t.Errorf("%s has a %s without a name", s.Name, n.Data)
					}
				case "form":
					if attr(n, "method") != "post" || attr(n, "action") == "" {
						t.Errorf("%s has a form with method %q and action %q", s.Name, attr(n, "method"), attr(n, "action"))
					}
				}
				for _, key := range []string{"aria-labelledby", "aria-describedby"} {
					for id := range strings.FieldsSeq(attr(n, key)) {
						if !ids[id] {
							t.Errorf("%s refers to the id %q, which is not there", s.Name, id)
						}
					}
				}
				if href := attr(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
					t.Errorf("%s leads to %q, which is not there", s.Name, href)
				}
			}
			if headings != 1 {
				t.Errorf("%s has %d main headings, want 1", s.Name, headings)
			}
		}
	}
}

// elements walks through the elements under root.
func elements(root *html.Node) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
