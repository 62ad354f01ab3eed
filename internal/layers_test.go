// Package internal_test holds the program's architecture as a test: which
// package may import which.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "usher"

// layers names every package and what of ours it may import. Imports point
// downward only; a package that is not here fails the test.
var layers = map[string][]string{
	"internal/msgcrypt":  {},
	"internal/secret":    {},
	"internal/i18n":      {},
	"internal/config":    {},
	"internal/rescue":    {},
	"internal/worker":    {"internal/rescue"},
	"static":             {},
	"internal/failpoint": {},
	"internal/picture":   {},
	"internal/onboard":   {"internal/failpoint", "internal/rescue", "internal/secret"},
	"internal/admin":     {"internal/onboard", "internal/picture", "internal/rescue", "internal/secret"},
	"internal/store":     {"internal/admin", "internal/failpoint", "internal/onboard", "internal/rescue", "internal/secret"},
	"internal/wechat":    {"internal/onboard", "internal/msgcrypt", "internal/secret"},
	"internal/simulator": {"internal/msgcrypt"},
	"views":              {"internal/onboard", "internal/i18n", "static"},
	"views/styleguide":   {"internal/onboard", "internal/i18n", "static", "views"},
	"views/admin":        {"internal/admin", "internal/onboard", "internal/i18n", "static", "views"},
	"web":                {"internal/admin", "internal/onboard", "internal/i18n", "views", "views/admin", "views/styleguide", "static", "internal/rescue", "internal/secret"},
	"cmd/usher": {"internal/admin", "internal/config", "internal/i18n", "internal/msgcrypt", "internal/onboard", "internal/picture", "internal/secret",
		"internal/simulator", "internal/store", "internal/wechat", "internal/worker", "static", "views", "views/admin", "web"},

	// Tools of the build.
	"internal/i18n/keygen": {},
	// Support of tests; see testOnly.
	"internal/store/storetest": {"internal/admin", "internal/onboard", "internal/secret"},
	"internal/store/pgtest":    {},
	"internal/chromium":        {"static"},
	"internal/hostile":         {},
}

// testOnly are the packages that only tests may import.
var testOnly = []string{"internal/store/storetest", "internal/store/pgtest", "internal/chromium", "internal/hostile"}

// foreign names every module that is not ours and the packages that may import
// it, so that replacing one stays a change of one package. Tests may use any.
var foreign = map[string][]string{
	"github.com/labstack/echo/v4":     {"web"},
	"github.com/gorilla/sessions":     {"web"},
	"github.com/gorilla/securecookie": {"web"},
	"github.com/skip2/go-qrcode":      {"web", "internal/simulator"},
	"golang.org/x/time":               {"web"},
	"github.com/a-h/templ":            {"views", "views/admin", "views/styleguide", "web"},
	"golang.org/x/text":               {"internal/admin", "internal/i18n"},
	"golang.org/x/crypto":             {"internal/admin"},
	"modernc.org/sqlite":              {"internal/store"},
	"github.com/jackc/pgx/v5":         {"internal/store", "internal/store/pgtest"},
	"github.com/pressly/goose/v3":     {"internal/store"},
	"golang.org/x/sync":               {"cmd/usher", "internal/store"},
	"github.com/chromedp/chromedp":    {"internal/chromium"},
	"github.com/chromedp/cdproto":     {"internal/chromium"},
}

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range imports(t) {
		pkg := path.Dir(file)
		allowed, known := layers[pkg]
		if !known {
			if !seen[pkg] && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("package %s is not in the table: decide what it may import", pkg)
			}
			seen[pkg] = true
			continue
		}
		seen[pkg] = true
		for _, imported := range imports {
			ours, isOurs := strings.CutPrefix(imported, module+"/")
			switch {
			case strings.HasSuffix(file, "_test.go"):
				if isOurs && ours == "cmd/usher" {
					t.Errorf("%s imports the program", file)
				}
			case isOurs && slices.Contains(testOnly, ours):
				t.Errorf("%s imports %s, which is for tests", file, ours)
			case isOurs && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s; %s may import %q", file, ours, pkg, allowed)
			case !isOurs && strings.Contains(strings.Split(imported, "/")[0], "."):
				if owners := foreign[foreignModule(imported)]; !slices.Contains(owners, pkg) {
					t.Errorf("%s imports %s, which belongs to %q", file, imported, owners)
				}
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(layers)) {
		if !seen[pkg] {
			t.Errorf("package %s is in the table but not in the tree", pkg)
		}
	}
}

// TestLayers_Downward checks the table itself: an import cycle of layers would
// make it meaningless.
func TestLayers_Downward(t *testing.T) {
	var visit func(pkg string, above []string)
	visit = func(pkg string, above []string) {
		if slices.Contains(above, pkg) {
			t.Fatalf("the table has a cycle: %q", append(above, pkg))
		}
		for _, below := range layers[pkg] {
			if _, known := layers[below]; !known {
				t.Errorf("%s may import %s, which the table does not know", pkg, below)
			}
			visit(below, append(slices.Clone(above), pkg))
		}
	}
	for pkg := range layers {
		visit(pkg, nil)
	}
}

// imports reads the imports of every Go file of the module, whatever its build
// constraints, by path from the root of the module.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	root := ".."
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("not run from the internal directory: %v", err)
	}
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "data") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		all[rel] = []string{}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[rel] = append(all[rel], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// foreignModule is the entry of foreign that a package belongs to, or the
// package itself when there is none.
func foreignModule(imported string) string {
	for m := range foreign {
		if imported == m || strings.HasPrefix(imported, m+"/") {
			return m
		}
	}
	return imported
}
