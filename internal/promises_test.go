package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromises reads what the manuals promise. Each row names tests, each of which
// exists, and each file that is named exists.
func TestPromises(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(raw), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil || len(tests) < 300 {
		t.Fatalf("found %d tests, %v", len(tests), err)
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	name := regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]\w*$`)
	file := regexp.MustCompile(`^[\w./-]+/[\w.-]+\.go$`)
	long := regexp.MustCompile("^\\| `(\\w+)` \\|")
	script, err := os.ReadFile("../.ci/long")
	if err != nil {
		t.Fatal(err)
	}
	for manual, least := range map[string]int{"../docs/reliability.md": 45, "../docs/asvs.md": 35, "../docs/threats.md": 29} {
		raw, err := os.ReadFile(manual)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.Lines(string(raw)) {
			named := 0
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				switch {
				case name.MatchString(m[1]):
					named++
					if !tests[m[1]] {
						t.Errorf("%s names the test %s, which does not exist", manual, m[1])
					}
				case file.MatchString(m[1]):
					if _, err := os.Stat("../" + m[1]); err != nil {
						t.Errorf("%s names the file %s: %v", manual, m[1], err)
					}
				}
			}
			form := long.FindStringSubmatch(line)
			if form != nil && !strings.Contains(string(script), "\t"+form[1]+")") {
				t.Errorf("%s names the long form %s, which .ci/long does not have", manual, form[1])
			}
			if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "|---") || heading(line) {
				continue
			}
			if rows++; named == 0 && form == nil {
				t.Errorf("%s promises without a test: %s", manual, line)
			}
		}
		if rows < least {
			t.Errorf("%s has %d rows, want at least %d: this test does not read it right", manual, rows, least)
		}
	}
}

// heading reports whether a row is the head of its table.
func heading(line string) bool {
	for _, first := range []string{"Promise", "What WeChat does", "What fails", "Name", "Item", "Threat"} {
		if strings.HasPrefix(line, "| "+first+" |") {
			return true
		}
	}
	return false
}
