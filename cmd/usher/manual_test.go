package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"usher/internal/config"
)

// TestManuals compares the settings that the program has with those that its
// manuals explain, in both directions, defaults included.
func TestManuals(t *testing.T) {
	var usage strings.Builder
	config.Usage(&usage)
	defaults := map[string]string{} // by name; empty without one
	for _, m := range regexp.MustCompile(`(?m)^  (USHER_\w+).*\n.*?(?:\(default ([^)]*)\))?$`).FindAllStringSubmatch(usage.String(), -1) {
		defaults[m[1]] = m[2]
	}
	if len(defaults) < 15 {
		t.Fatalf("Usage names %d settings; this test does not read it right:\n%s", len(defaults), &usage)
	}
	for _, name := range []string{"README.md", "README.zh-CN.md", "docs/configuration.md"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for setting, def := range defaults {
			// A row of a table or an entry of a list, with the default in it.
			row := regexp.MustCompile("(?m)^(\\| `" + setting + "` \\||- .*`" + setting + "`).*$").FindString(text)
			if row == "" {
				t.Errorf("%s does not explain %s", name, setting)
			} else if def != "" && !strings.Contains(row, "`"+def+"`") {
				t.Errorf("%s does not say that %s is %q by default: %s", name, setting, def, row)
			}
		}
		for _, setting := range regexp.MustCompile(`USHER_[A-Z0-9_]+[A-Z0-9]`).FindAllString(text, -1) {
			setting = strings.TrimSuffix(setting, "_FILE")
			if _, known := defaults[setting]; !known && setting != "USHER_TEST_REQUIRE" {
				t.Errorf("%s names %s, which is not among %q", name, setting, slices.Sorted(maps.Keys(defaults)))
			}
		}
	}
}

// TestManuals_InStep checks that the two READMEs have the same levels of headings,
// tables and code, so that a change of one is not forgotten in the other.
func TestManuals_InStep(t *testing.T) {
	shape := func(name string) []string {
		raw, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		// Only what is the same in every language: the level of headings, the first
		// code in a row, commands.
		pattern := regexp.MustCompile("(?m)^#+ |^ *\\| `[^`]*`|^ *(?:go|GET|POST|USHER_\\w+=).*?(?:  |$)|\\]\\([^)]*\\)")
		var all []string
		for _, m := range pattern.FindAllString(string(raw), -1) {
			if !strings.Contains(m, "README") {
				all = append(all, strings.Replace(strings.TrimSpace(m), ".en.png)", ".png)", 1)) // pictures speak the language of the text
			}
		}
		return all
	}
	en, zh := shape("README.md"), shape("README.zh-CN.md")
	for i := range max(len(en), len(zh)) {
		if i >= len(en) || i >= len(zh) || en[i] != zh[i] {
			t.Fatalf("the READMEs part at %q and %q", en[min(i, len(en)):min(i+3, len(en))], zh[min(i, len(zh)):min(i+3, len(zh))])
		}
	}
	if len(en) < 40 {
		t.Errorf("only %d marks found; this test does not read the READMEs right", len(en))
	}
}
