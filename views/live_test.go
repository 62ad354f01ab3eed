package views_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"usher/internal/i18n"
	"usher/views/styleguide"
)

// parts finds the inner HTML of every element with a data-part.
func parts(t *testing.T, page []byte) map[string]string {
	t.Helper()
	found := map[string]string{}
	for n := range parse(t, page).Descendants() {
		for _, a := range n.Attr {
			if a.Key != "data-part" {
				continue
			}
			var b bytes.Buffer
			for c := range n.ChildNodes() {
				if err := html.Render(&b, c); err != nil {
					t.Fatal(err)
				}
			}
			found[a.Val] = b.String()
		}
	}
	return found
}

// TestLiveParts checks that the fragment of a state event fits the desk page: each
// part has its place, and holds what a fresh page would show there.
func TestLiveParts(t *testing.T) {
	pages := map[string]styleguide.Scene{}
	for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
		pages[s.Name] = s
	}
	seen := 0
	for name, live := range pages {
		state, ok := strings.CutPrefix(name, "live-")
		if !ok {
			continue
		}
		seen++
		page := render(t, pages["attempt-"+state], i18n.Chinese)
		want, got := parts(t, page), parts(t, render(t, live, i18n.Chinese))
		title := got["title"]
		delete(got, "title")
		if !bytes.Contains(page, []byte("<title>"+title+"</title>")) {
			t.Errorf("%s carries the title %q, which the page does not have", name, title)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s carries %v, want the parts of the page: %v", name, got, want)
		}
		for _, part := range []string{"code", "status", "track", "ways"} {
			if _, ok := want[part]; !ok {
				t.Errorf("attempt-%s has no place for %q", state, part)
			}
		}
	}
	if seen == 0 {
		t.Error("no scene of a state event")
	}
}
