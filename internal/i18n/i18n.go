// Package i18n holds every sentence of Usher in both languages and picks the
// language of a reader. It refuses to know pages, requests and the domain: a
// caller names a sentence by a typed key, so a missing one does not compile.
package i18n

//go:generate go run ./keygen

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/text/language"
)

// Lang is a language the pages exist in, as a BCP 47 tag.
type Lang string

// The languages. Chinese is the default, because the reader is a merchant of WeChat.
const (
	Chinese Lang = "zh-CN"
	English Lang = "en"
)

// Langs lists the languages, the default first.
func Langs() []Lang { return []Lang{Chinese, English} }

// Key names a sentence. The constants are generated from the catalogs.
type Key string

// A part of the program with many sentences has catalogs of its own, such as
// admin.zh-CN.json and admin.en.json; a reader sees one catalog.
//
//go:embed *.json
var files embed.FS

// catalogs are read once; the embedded files are checked by the tests.
var catalogs = map[Lang]map[Key]sentence{Chinese: load(Chinese), English: load(English)}

// english is the place of English in what the matcher knows. A reader of
// Traditional Chinese is better served by Simplified than by a second choice.
const english = 2

var matcher = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.TraditionalChinese, language.English})

func load(l Lang) map[Key]sentence {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are embedded
	}
	all := map[Key]sentence{}
	for _, e := range entries {
		if name := e.Name(); name != string(l)+".json" && !strings.HasSuffix(name, "."+string(l)+".json") {
			continue
		}
		text, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		var part map[Key]sentence
		if err := json.Unmarshal(text, &part); err != nil {
			panic(fmt.Sprintf("i18n: %s: %v", e.Name(), err))
		}
		maps.Copy(all, part)
	}
	return all
}

// Parse returns the language that tag names, and whether pages exist in it.
func Parse(tag string) (Lang, bool) {
	switch {
	case strings.EqualFold(tag, string(English)):
		return English, true
	case strings.EqualFold(tag, string(Chinese)), strings.EqualFold(tag, "zh"):
		return Chinese, true
	}
	return Chinese, false
}

// Match picks the language of a reader: what the address asks for, else what a
// cookie remembers, else what the browser prefers, else Chinese.
func Match(query, cookie, acceptLanguage string) Lang {
	return MatchOr(query, cookie, acceptLanguage, Chinese)
}

// MatchOr is Match for an operator whose readers read otherwise when their
// browsers ask for none of our languages.
func MatchOr(query, cookie, acceptLanguage string, otherwise Lang) Lang {
	for _, tag := range []string{query, cookie} {
		if l, ok := Parse(tag); ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return otherwise
	}
	switch _, i, confidence := matcher.Match(tags...); {
	case confidence == language.No:
		return otherwise
	case i == english:
		return English
	}
	return Chinese
}

type contextKey struct{}

// With returns a context whose reader reads l.
func With(ctx context.Context, l Lang) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// From returns the language of the reader, Chinese when none was set.
func From(ctx context.Context) Lang {
	if l, ok := ctx.Value(contextKey{}).(Lang); ok && catalogs[l] != nil {
		return l
	}
	return Chinese
}

// Has reports whether key is in the catalogs.
func Has(key Key) bool {
	_, ok := catalogs[Chinese][key]
	return ok
}

// T returns the sentence key in the reader's language. args are pairs of a
// placeholder's name and its value: T(ctx, ResultSets, "n", 6). A placeholder
// without a value stays visible as {name}; an unknown key is its own sentence.
// The value of "n" decides between singular and plural.
func T(ctx context.Context, key Key, args ...any) string {
	lang := From(ctx)
	s, ok := catalogs[lang][key]
	if !ok {
		return string(key)
	}
	return s.fill(args, lang == Chinese)
}
