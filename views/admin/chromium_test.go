package adminviews_test

import (
	"maps"
	"slices"
	"testing"

	"usher/internal/chromium"
	"usher/internal/i18n"
)

// TestChromium looks at every page of the console, in both languages. The text in
// every place is a date, which every kind of field takes.
func TestChromium(t *testing.T) {
	var all []chromium.Page
	for _, l := range i18n.Langs() {
		drawn := pages("2026-11-22")
		for _, name := range slices.Sorted(maps.Keys(drawn)) {
			all = append(all, chromium.Page{Name: name + "." + string(l), HTML: draw(t, drawn[name], l)})
		}
	}
	chromium.Check(t, all)
}
