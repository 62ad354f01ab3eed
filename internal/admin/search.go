package admin

import (
	"hash/fnv"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// How text is cut into terms: letters and digits of alphabets into three, the
// characters of other writing into two and also one by one, because 茶 alone is a
// word. Shorter words of an alphabet count at the beginning of a field only.
const (
	gramASCII = 3
	gramOther = 2
)

// fieldLimit bounds how much of one field can be searched for, in characters, and
// wordLimit how much of a query.
const (
	fieldLimit = NoteLimit
	wordLimit  = 4
	wordRunes  = 40
	termLimit  = 4000
)

// Fold writes text as it is compared: composed, in lower case and normal width,
// one space between words, without characters that are not seen.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || r == unicode.ReplacementChar:
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(strings.ToValidUTF8(s, "")))
	return strings.Join(strings.Fields(s), " ")
}

// SearchText is what an account can be found by: one folded field in a line, each
// after the sign that begins a line, so that a beginning can be looked for too.
func SearchText(fields ...string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, f := range fields {
		f = cutRunes(Fold(f), fieldLimit)
		if f == "" || seen[f] {
			continue
		}
		seen[f] = true
		b.WriteString(fieldStart)
		b.WriteString(f)
	}
	return b.String()
}

// fieldStart begins every field of a search text. Fold leaves none in a field.
const fieldStart = "\n"

func cutRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// SearchTerms lists the pieces of a search text by which it is found, without
// repeats.
func SearchTerms(text string) []string {
	var all []string
	seen := map[string]bool{}
	add := func(term string) {
		if !seen[term] && len(all) < termLimit {
			seen[term] = true
			all = append(all, term)
		}
	}
	for field := range strings.SplitSeq(text, fieldStart) {
		runes := []rune(field)
		for n := 1; n < gram(runes) && n <= len(runes); n++ {
			add(fieldStart + string(runes[:n]))
		}
		for word := range strings.SplitSeq(field, " ") {
			for _, term := range grams([]rune(word)) {
				add(term)
			}
			for _, term := range characters(word) {
				add(term)
			}
		}
	}
	return all
}

// gram is how long the terms of text that begins with r are.
func gram(r []rune) int {
	if len(r) > 0 && r[0] <= unicode.MaxASCII {
		return gramASCII
	}
	return gramOther
}

// grams cuts a word into overlapping terms; a word too short for one has none.
func grams(r []rune) []string {
	var all []string
	for i := range r {
		if n := gram(r[i:]); i+n <= len(r) {
			all = append(all, string(r[i:i+n]))
		}
	}
	return all
}

// characters lists those of a word that are terms by themselves.
func characters(word string) []string {
	var all []string
	for _, r := range word {
		if r > unicode.MaxASCII {
			all = append(all, string(r))
		}
	}
	return all
}

// Word is one word of a query: what an account's search text has to contain, and
// the terms that everything which contains it has.
type Word struct {
	Contains string
	Terms    []string
}

// SearchWords reads a query. Every word of it has to be found.
func SearchWords(query string) []Word {
	var words []Word
	for _, w := range strings.Fields(Fold(cutRunes(query, 4*wordRunes))) {
		if len(words) == wordLimit {
			break
		}
		w = cutRunes(w, wordRunes)
		terms := grams([]rune(w))
		if len(terms) == 0 {
			terms = characters(w)
		}
		slices.Sort(terms)
		terms = slices.Compact(terms) // an AppID may repeat itself
		if len(terms) > 0 {
			words = append(words, Word{Contains: w, Terms: terms})
			continue
		}
		words = append(words, Word{Contains: fieldStart + w, Terms: []string{fieldStart + w}})
	}
	return words
}

// TermNumber is a term of one platform as it is stored.
func TermNumber(platform, term string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(platform + "\x00" + term)) // never fails
	return int64(h.Sum64() >> 1)
}
