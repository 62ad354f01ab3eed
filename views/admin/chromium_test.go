package adminviews_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"usher/internal/chromium"
	"usher/internal/i18n"
)

// alike are states of one page that differ in a few words.
var alike = regexp.MustCompile("^(account|decide|invite) [a-z_]*$")

// TestChromium looks at every page of the console in both languages, at pages that
// are alike in Chinese alone unless USHER_LONG is set. The text in every place is a
// date, which every kind of field takes.
func TestChromium(t *testing.T) {
	var all []chromium.Page
	for _, l := range i18n.Langs() {
		drawn := pages("2026-11-22")
		for _, name := range slices.Sorted(maps.Keys(drawn)) {
			if l != i18n.Chinese && alike.MatchString(name) && os.Getenv("USHER_LONG") == "" {
				continue
			}
			all = append(all, chromium.Page{Name: name + "." + string(l), HTML: draw(t, drawn[name], l)})
		}
	}
	chromium.Check(t, all)
}
