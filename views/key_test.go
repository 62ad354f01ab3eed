package views_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"usher/internal/i18n"
)

// TestDomainKeys checks that every sentence the domain asks for is in the catalogs.
func TestDomainKeys(t *testing.T) {
	const dir = "../internal/onboard"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Key" {
				return true
			}
			lit, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			key, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if !i18n.Has(i18n.Key(key)) {
				t.Errorf("%s (%s) is in no catalog", spec.Names[0].Name, key)
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("found %d keys of the domain, want them all", found)
	}
}

// TestNoSentenceIsUnused checks that every sentence of the catalogs is named by a
// page, by a computed key, or by the domain.
func TestNoSentenceIsUnused(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.templ", "[a-z]*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	keys, err := os.ReadFile("../internal/i18n/keys.go")
	if err != nil {
		t.Fatal(err)
	}
	// Keys made of a value: of a state, a status, a type, an account's kind, an error.
	computed := regexp.MustCompile(`^(state|problem|type|kind|connect\.type_|blocked|error)[._0-9]`)
	for _, m := range regexp.MustCompile(`(\w+)\s+Key = "([^"]+)"`).FindAllStringSubmatch(string(keys), -1) {
		if !computed.MatchString(m[2]) && !regexp.MustCompile(`i18n\.`+m[1]+`\b`).MatchString(source.String()) {
			t.Errorf("no page shows %s", m[2])
		}
	}
}
