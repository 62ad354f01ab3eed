package views_test

import (
	"testing"

	"usher/internal/chromium"
	"usher/internal/hostile"
	"usher/internal/i18n"
	"usher/views/styleguide"
)

// TestChromium looks at every state that a merchant can meet, in both languages.
func TestChromium(t *testing.T) {
	var pages []chromium.Page
	for _, l := range i18n.Langs() {
		for _, s := range styleguide.All(styleguide.Kind, styleguide.Look{}) {
			if !s.Live { // a part, which is on a page too
				pages = append(pages, chromium.Page{Name: s.Name + "." + string(l), HTML: render(t, s, l)})
			}
		}
	}
	chromium.Check(t, pages)
}

// TestChromium_Hostile shows every state to the browser with a hostile text in every
// place, and every text in some state. TestHostileNames has all of them in all states.
func TestChromium_Hostile(t *testing.T) {
	var pages []chromium.Page
	for i, s := range whole(styleguide.Kind) {
		w := evil(hostile.Texts[i%len(hostile.Texts)])
		s = whole(w)[i]
		pages = append(pages, chromium.Page{Name: s.Name, HTML: render(t, s, i18n.Chinese)})
	}
	if len(pages) < len(hostile.Texts) {
		t.Errorf("%d pages show %d texts", len(pages), len(hostile.Texts))
	}
	chromium.Load(t, pages)
}
