// Package static serves the style sheets, the script and the pictures, each
// under a name that holds a hash of its content, so that a browser may keep it
// for ever. It refuses to know pages.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed assets
var files embed.FS

// Prefix is the path under which Handler expects to be mounted.
const Prefix = "/static/"

type asset struct {
	kind string // Content-Type
	raw  []byte
	gz   []byte // nil when gzip does not make it smaller
}

var (
	assets = map[string]asset{}  // by hashed name
	hashed = map[string]string{} // by plain name
)

// types are the kinds of file we have; nothing is left to the guess of the
// system's MIME table, which differs between machines.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".ico": "image/x-icon",
	".png": "image/png",
}

func init() {
	entries, err := files.ReadDir("assets")
	if err != nil {
		panic(err) // the directory is embedded
	}
	for _, e := range entries {
		raw, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		raw = slim(path.Ext(e.Name()), raw)
		add(e.Name(), raw)
		if path.Ext(e.Name()) == ".css" {
			for theme, media := range themes {
				add(themed(e.Name(), theme), bytes.ReplaceAll(raw, []byte(dark), []byte(media)))
			}
		}
	}
}

var (
	indent      = regexp.MustCompile(`(?m)^[ \t]+`)
	lineComment = regexp.MustCompile(`(?m)^//.*\n`)
	comment     = regexp.MustCompile(`(?s)/\*.*?\*/\n?`)
)

// slim leaves out what only people read: indents, and comments that have lines of
// their own in a script, or stand anywhere in a style sheet.
func slim(ext string, raw []byte) []byte {
	switch ext {
	case ".js":
		return lineComment.ReplaceAll(indent.ReplaceAll(raw, nil), nil)
	case ".css":
		return comment.ReplaceAll(indent.ReplaceAll(raw, nil), nil)
	}
	return raw
}

func add(plain string, raw []byte) {
	sum := sha256.Sum256(raw)
	ext := path.Ext(plain)
	name := strings.TrimSuffix(plain, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
	hashed[plain] = name
	assets[name] = asset{kind: types[ext], raw: raw, gz: squeeze(raw)}
}

// dark is the question by which the sheets choose their theme.
const dark = "(prefers-color-scheme: dark)"

// themes are the answers that a sheet of one theme has in its place.
var themes = map[string]string{"light": "not all", "dark": "all"}

// themed is the plain name of the sheet name in one theme.
func themed(name, theme string) string {
	return strings.TrimSuffix(name, ".css") + "-" + theme + ".css"
}

// Sheet is URL for a style sheet in a theme, "light" or "dark", whatever the
// browser prefers; any other theme leaves it to the browser. Pages for merchants
// leave it, so their sheets need no second set of rules.
func Sheet(name, theme string) string {
	if themes[theme] == "" {
		return URL(name)
	}
	return URL(themed(name, theme))
}

// squeeze returns raw gzipped, or nil when that is no gain.
func squeeze(raw []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	w.Write(raw)                                          // a buffer does not fail
	w.Close()
	if b.Len() >= len(raw) {
		return nil
	}
	return b.Bytes()
}

// URL returns the path of the file name with the hash of its content, such as
// /static/app-1a2b3c4d5e6f.css. An unknown name panics: it is a fault of ours
// that every test of a page finds.
func URL(name string) string {
	h, ok := hashed[name]
	if !ok {
		panic("static: no file " + strconv.Quote(name))
	}
	return Prefix + h
}

// Handler serves the files below Prefix. A name with another hash is not found,
// so a page of an older version never gets a newer style sheet.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		body := a.raw
		if a.gz != nil {
			h.Set("Vary", "Accept-Encoding")
			if acceptsGzip(r.Header.Get("Accept-Encoding")) {
				h.Set("Content-Encoding", "gzip")
				body = a.gz
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			w.Write(body) // a client that went away is no concern of ours
		}
	})
}

// acceptsGzip reports whether header lists gzip and does not refuse it by q=0.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(q, " ", ""), "q="), 64)
			return q == "" || err != nil || weight > 0
		}
	}
	return false
}
