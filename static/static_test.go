package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"usher/static"
)

func gzipped(t *testing.T, b []byte) int {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// served is a file as a browser gets it.
func served(t *testing.T, address string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d", address, w.Code)
	}
	return w.Body.Bytes()
}

// TestSlim checks that what is served differs from the files in what people read
// alone.
func TestSlim(t *testing.T) {
	space := regexp.MustCompile(`\s+`)
	for name, comment := range map[string]string{"live.js": `(?m)^\s*//.*$`, "app.css": `(?s)/\*.*?\*/`, "h5.css": `(?s)/\*.*?\*/`} {
		raw, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		want := space.ReplaceAll(regexp.MustCompile(comment).ReplaceAll(raw, nil), nil)
		got := served(t, static.URL(name))
		if !bytes.Equal(space.ReplaceAll(got, nil), want) {
			t.Errorf("%s is served as another text", name)
		}
		if len(got) >= len(raw) {
			t.Errorf("%s is served in %d bytes of %d", name, len(got), len(raw))
		}
	}
}

// TestWeight holds what a first visit may cost, by kind of page: all script is
// 2 KB, and the sheets that one page loads are 8 KB, gzipped. Merchants never load
// the sheet of the console.
func TestWeight(t *testing.T) {
	pages := map[string][]string{"desk": {"app.css"}, "phone": {"h5.css"}, "console": {"app.css", "admin.css"}, "guide": {"app.css", "guide.css"}}
	entries, err := os.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	weight, loaded := map[string]int{}, map[string]bool{}
	script := 0
	for _, e := range entries {
		b := served(t, static.URL(e.Name()))
		weight[e.Name()] = gzipped(t, b)
		if path.Ext(e.Name()) == ".js" {
			script += weight[e.Name()]
		}
	}
	if script == 0 || script > 2048 {
		t.Errorf("all scripts weigh %d bytes gzipped, want 1 to 2048", script)
	}
	for page, sheets := range pages {
		sum := 0
		for _, name := range sheets {
			if weight[name] == 0 {
				t.Errorf("the %s page loads %s, which is not there", page, name)
			}
			sum += weight[name]
			loaded[name] = true
		}
		if sum > 8192 {
			t.Errorf("the sheets of a %s page weigh %d bytes gzipped, want at most 8192", page, sum)
		}
	}
	if sum := weight["app.css"] + weight["h5.css"]; sum > 8192 {
		t.Errorf("all sheets for merchants weigh %d bytes gzipped, want at most 8192", sum)
	}
	for name := range weight {
		if path.Ext(name) == ".css" && !loaded[name] {
			t.Errorf("%s is loaded by no page of this test", name)
		}
	}
}

// TestSheet checks that a sheet of one theme has the same rules and asks the
// browser nothing.
func TestSheet(t *testing.T) {
	for _, name := range []string{"app.css", "h5.css"} {
		raw := served(t, static.URL(name))
		if !bytes.Contains(raw, []byte("@media (prefers-color-scheme: dark) {")) {
			t.Fatalf("%s has no dark theme in the spelling that Sheet knows", name)
		}
		if got := static.Sheet(name, ""); got != static.URL(name) {
			t.Errorf("Sheet(%q, \"\") = %q, want %q", name, got, static.URL(name))
		}
		for theme, media := range map[string]string{"light": "@media not all {", "dark": "@media all {"} {
			w := httptest.NewRecorder()
			static.Handler().ServeHTTP(w, httptest.NewRequest("GET", static.Sheet(name, theme), nil))
			want := bytes.ReplaceAll(raw, []byte("@media (prefers-color-scheme: dark) {"), []byte(media))
			if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
				t.Errorf("Sheet(%q, %q) = %d with %d bytes, want the sheet with %q", name, theme, w.Code, w.Body.Len(), media)
			}
		}
	}
}

// TestSheets checks what the pages' policy and the old kernels ask of the files:
// nothing is loaded from anywhere, and the sheet for phones is flat.
func TestSheets(t *testing.T) {
	for _, name := range []string{"app.css", "h5.css", "admin.css", "guide.css"} {
		b, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`url\(|@import|https?:`).Find(b); found != nil {
			t.Errorf("%s contains %q, want nothing loaded", name, found)
		}
		if open, end := bytes.Count(b, []byte("{")), bytes.Count(b, []byte("}")); open != end {
			t.Errorf("%s has %d { and %d }", name, open, end)
		}
	}
	b, err := os.ReadFile("assets/h5.css")
	if err != nil {
		t.Fatal(err)
	}
	// Kernels before Chrome 99 drop whole layers, and do not know the others.
	if found := regexp.MustCompile(`@layer|:has\(|:is\(|color-mix|&|var\(|min\(|clamp\(|inset:|gap:|aspect-ratio`).Find(regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAll(b, nil)); found != nil {
		t.Errorf("h5.css contains %q, which old kernels do not know", found)
	}
}

// TestScript keeps live.js to what old kernels parse: one unknown word and none of
// it runs.
func TestScript(t *testing.T) {
	b, err := os.ReadFile("assets/live.js")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?m)//.*$|"[^"]*"`).ReplaceAll(b, nil)
	if found := regexp.MustCompile("=>|\\?\\.|\\?\\?|`|\\b(let|const|class|async|await|eval)\\b").Find(code); found != nil {
		t.Errorf("live.js contains %q", found)
	}
}

func TestHandler(t *testing.T) {
	raw := served(t, static.URL("app.css"))
	sheet := static.URL("app.css")
	if ok, _ := regexp.MatchString(`^/static/app-[0-9a-f]{12}\.css$`, sheet); !ok {
		t.Fatalf("URL(%q) = %q, want /static/app-<hash>.css", "app.css", sheet)
	}
	tests := []struct {
		method, path, accept string
		status               int
		encoding, kind       string
	}{
		{"GET", sheet, "", 200, "", "text/css; charset=utf-8"},
		{"GET", sheet, "gzip, deflate, br", 200, "gzip", "text/css; charset=utf-8"},
		{"GET", sheet, "br;q=1.0, GZIP;q=0.8", 200, "gzip", "text/css; charset=utf-8"},
		{"GET", sheet, "gzip;q=0", 200, "", "text/css; charset=utf-8"},
		{"GET", sheet, "identity", 200, "", "text/css; charset=utf-8"},
		{"HEAD", sheet, "gzip", 200, "gzip", "text/css; charset=utf-8"},
		{"POST", sheet, "", 405, "", ""},
		{"GET", static.URL("live.js"), "", 200, "", "text/javascript; charset=utf-8"},
		{"GET", static.URL("favicon.svg"), "", 200, "", "image/svg+xml"},
		{"GET", "/static/app.css", "", 404, "", ""},
		{"GET", "/static/app-000000000000.css", "", 404, "", ""},
		{"GET", "/static/", "", 404, "", ""},
		{"GET", "/static/../static.go", "", 404, "", ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.URL.Path = tt.path
		r.Header.Set("Accept-Encoding", tt.accept)
		w := httptest.NewRecorder()
		static.Handler().ServeHTTP(w, r)
		name := tt.method + " " + tt.path + " accepting " + tt.accept
		if w.Code != tt.status {
			t.Errorf("%s = %d, want %d", name, w.Code, tt.status)
			continue
		}
		cached := strings.Contains(w.Header().Get("Cache-Control"), "immutable")
		if cached != (w.Code == http.StatusOK) {
			t.Errorf("%s (%d): Cache-Control = %q", name, w.Code, w.Header().Get("Cache-Control"))
		}
		if w.Code != http.StatusOK {
			continue
		}
		if got := w.Header().Get("Content-Type"); got != tt.kind {
			t.Errorf("%s: Content-Type = %q, want %q", name, got, tt.kind)
		}
		if got := w.Header().Get("Content-Encoding"); got != tt.encoding {
			t.Errorf("%s: Content-Encoding = %q, want %q", name, got, tt.encoding)
		}
		if tt.path != sheet {
			continue
		}
		if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("%s: Vary = %q", name, got)
		}
		body := w.Body.Bytes()
		if tt.method == http.MethodHead {
			if len(body) != 0 {
				t.Errorf("%s has a body of %d bytes", name, len(body))
			}
			continue
		}
		if tt.encoding == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, raw) {
			t.Errorf("%s: the body is not app.css", name)
		}
	}
}

func TestURLPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("URL of a file that does not exist returned, want a panic")
		}
	}()
	static.URL("none.css")
}
