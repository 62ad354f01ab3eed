package adminviews_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"

	"usher/internal/chromium"
	"usher/internal/i18n"
)

// TestChromium looks at every page of the console, in both languages.
func TestChromium(t *testing.T) {
	var all []chromium.Page
	for _, l := range i18n.Langs() {
		drawn := pages("2026-11-22")
		for _, name := range slices.Sorted(maps.Keys(drawn)) {
			var b bytes.Buffer
			if err := drawn[name].Render(i18n.With(context.Background(), l), &b); err != nil {
				t.Fatalf("%s: Render = %v", name, err)
			}
			all = append(all, chromium.Page{Name: name + "." + string(l), HTML: b.Bytes()})
		}
	}
	chromium.Check(t, all)
}
