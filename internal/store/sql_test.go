package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"usher/internal/admin"
)

// TestSQL_NoFormatting: nothing that came from outside is put into a text of SQL.
// What is formatted into one are the numbers of placeholders and names of columns
// from our own lists, in the places named here.
func TestSQL_NoFormatting(t *testing.T) {
	allowed := map[string]bool{"admin_accounts.go": true, "attempt.go": true, "sealed.go": true}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !strings.HasSuffix(fn.Sel.Name, "printf") && fn.Sel.Name != "Appendf" {
				return true
			}
			for _, a := range call.Args {
				if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					upper := strings.ToUpper(text)
					for _, word := range []string{"SELECT ", "INSERT ", "UPDATE ", "DELETE ", " WHERE ", " AND (", "ORDER BY", "$%D"} {
						if strings.Contains(upper, word) && !allowed[name] {
							t.Errorf("%s formats %q into SQL", name, text)
						}
					}
				}
			}
			return true
		})
	}
}

// TestSearch_SQLiCorpus searches for what has broken other searches. Nothing is
// found that is not there, nothing fails, and nothing is gone afterwards.
func TestSearch_SQLiCorpus(t *testing.T) {
	for name, address := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "usher.db"), "PostgreSQL": postgres.Start(t).Database(t)} {
		s := openAt(t, address, newRing(t))
		for _, text := range []string{
			"'", `"`, "''", "' OR '1'='1", "' OR 1=1 --", `" OR ""="`, "1; DROP TABLE account", "'; DELETE FROM account; --", "\\'; --", "%", "_", "%%", `\`, `\%`,
			"' UNION SELECT 1,2,3 --", "$1", "?1", ":a", "@p", "/* */", "--", "’ OR 1=1", "＇ OR １=１", "(SELECT 1)", "||'a'||", "E'\\x27'", "a AND b OR NOT",
			"NEAR(a b)", "a*", "\"a", "{a}", "^a", "a:b", "pg_sleep(9)", "1e999", strings.Repeat("'", 500),
		} {
			for _, f := range []admin.AccountFilter{{Query: text}, {Tag: text}, {Query: text, Tag: text}} {
				page, err := s.ListAccounts(t.Context(), admin.AccountQuery{AccountFilter: f, Sort: admin.ByChange, Size: 25})
				if err != nil || len(page.Rows) > 0 {
					t.Errorf("%s: ListAccounts(%q) = %d rows, %v; want none", name, text, len(page.Rows), err)
				}
			}
		}
		if _, err := s.Holdings(t.Context()); err != nil {
			t.Errorf("%s: after the searches: %v", name, err)
		}
	}
}
