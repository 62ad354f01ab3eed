package views_test

import (
	"bytes"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"usher/internal/hostile"
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
			case "src":
				if n.Data != "img" {
					line += "=" + a.Val
				}
			case "href", "action", "id", "name", "type", "class", "http-equiv", "data-live":
				line += "=" + a.Val
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// evil has a hostile text wherever a page shows words of somebody else.
func evil(text string) styleguide.Words {
	return styleguide.Words{
		Nickname: "茶" + text, Other: "外" + text, Principal: "司" + text, Category: "类" + text, Recipient: "林" + text,
		Brand: "云" + text, Contact: "电" + text, Typed: "w" + text, Picture: text,
	}
}

// harmless has a picture where evil has one.
func harmless() styleguide.Words {
	w := styleguide.Kind
	w.Picture = "0123456789abcdef"
	return w
}

// whole lists the pages that are not part of another.
func whole(w styleguide.Words) []styleguide.Scene {
	return slices.DeleteFunc(styleguide.Scenes(w, styleguide.Look{}), func(s styleguide.Scene) bool { return s.Live })
}

// pictures are the only addresses of a picture on a page: ours, and nothing in them
// leaves the path.
var pictures = regexp.MustCompile(`^(/picture/[^/?#]+\.png|/[cqi]/[0-9A-Z]+/qr\.png)$`)

// TestHostileNames shows every state of every page with hostile texts in the place
// of every name and of the picture's hash. It checks that the page keeps its
// elements, attributes and addresses, and that the text arrives as text.
func TestHostileNames(t *testing.T) {
	if len(hostile.Texts) < 60 {
		t.Fatalf("there are %d hostile texts, want at least 60", len(hostile.Texts))
	}
	var want [][]string
	for _, s := range whole(harmless()) {
		want = append(want, skeleton(parse(t, render(t, s, i18n.English))))
	}
	for n, bad := range hostile.Texts {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			w := evil(bad)
			for i, s := range whole(w) {
				page := parse(t, render(t, s, i18n.English))
				got, want := skeleton(page), want[i]
				for j := range max(len(got), len(want)) {
					if g, w := at(got, j), at(want, j); g != w {
						t.Errorf("%s with the name %q has the element %q, want %q", s.Name, bad, g, w)
						break
					}
				}
				for n := range page.Descendants() {
					if n.Type == html.ElementNode && n.Data == "img" && !pictures.MatchString(attr(n, "src")) {
						t.Errorf("%s with the picture %q loads %q", s.Name, bad, attr(n, "src"))
					}
					if n.Type == html.TextNode && strings.ContainsFunc(n.Data, func(r rune) bool {
						return unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' && r != '\t'
					}) && !strings.Contains(n.Data, w.Contact[:3]) {
						t.Errorf("%s shows the control characters of %q", s.Name, n.Data)
					}
				}
			}
		})
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
