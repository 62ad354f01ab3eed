package main

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// wire listens between the site and WeChat, and remembers every secret that
// went over it: tickets, codes and tokens, those too that are long replaced when
// the test ends.
type wire struct {
	mu   sync.Mutex
	seen map[string]string // what it is, by a piece of its random part
	from map[string]string // the last Referer, by path
}

// secretForms finds the secrets of WeChat wherever they stand; a query writes @
// as %40.
var secretForms = regexp.MustCompile(`(ticket|preauthcode|queryauthcode|refreshtoken)(?:@@@|%40%40%40)([\w-]{40,})|(87_)([\w-]{100,})`)

// pieceLen is how much of a secret is searched for: 12 of 64 characters are met
// by chance once in 10^21 places. The prefix is left out, because a secret that
// was stripped of it or escaped is as much of a secret.
const pieceLen = 12

// listen notes the secrets in what is said.
func (x *wire) listen(said []byte) {
	for _, m := range secretForms.FindAllSubmatch(said, -1) {
		kind, random := string(m[1])+string(m[3]), append(m[2], m[4]...)
		x.mu.Lock()
		if x.seen == nil {
			x.seen = make(map[string]string)
		}
		x.seen[string(random[len(random)/2:][:pieceLen])] = strings.TrimSuffix(kind, "_")
		x.mu.Unlock()
	}
}

// count is how many secrets of this kind were met.
func (x *wire) count(kind string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, k := range x.seen {
		if k == kind {
			n++
		}
	}
	return n
}

// leaks lists the kinds of the secrets that text holds.
func (x *wire) leaks(text []byte) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []string
	for i := 0; i+pieceLen <= len(text); i++ {
		if kind, ok := x.seen[string(text[i:i+pieceLen])]; ok {
			found = append(found, kind)
		}
	}
	return found
}

// mark notes where a browser says that it comes from.
func (x *wire) mark(r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.from == nil {
		x.from = make(map[string]string)
	}
	x.from[r.URL.Path] = r.Referer()
}

// origin checks that WeChat's page at path was told our origin, which it compares
// with the registered domain, and nothing of the page before, whose address has the
// code of the attempt in it.
func (w *world) origin(path string) {
	w.t.Helper()
	w.wire.mu.Lock()
	got, asked := w.wire.from[path]
	w.wire.mu.Unlock()
	if want := w.base + "/"; !asked || got != want {
		w.t.Errorf("WeChat's page %s is told Referer %q, want %q", path, got, want)
	}
}

// tap passes requests on to WeChat's stand-in and listens.
func (x *wire) tap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client hung up
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		x.mark(r)
		x.listen([]byte(r.URL.RawQuery))
		x.listen(body)
		heard := &listener{ResponseWriter: w}
		next.ServeHTTP(heard, r)
		x.listen([]byte(w.Header().Get("Location")))
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "image/") {
			x.listen(heard.said.Bytes())
		}
	})
}

// listener keeps a copy of an answer.
type listener struct {
	http.ResponseWriter
	said bytes.Buffer
}

func (l *listener) Write(b []byte) (int, error) {
	l.said.Write(b)
	return l.ResponseWriter.Write(b)
}

// Unwrap lets the stand-in cut the connection.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }
