package i18n

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence is one entry of a catalog. Chinese has no plural; an English entry
// may be written as {"one": …, "other": …}.
type sentence struct{ one, other []piece }

// piece is literal text or, when name is set, a placeholder.
type piece struct{ text, name string }

// UnmarshalJSON reads a string, or an object with the members one and other.
func (s *sentence) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		s.other = cut(text)
		return nil
	}
	var forms struct{ One, Other string }
	if err := json.Unmarshal(b, &forms); err != nil {
		return err
	}
	if forms.One == "" || forms.Other == "" {
		return fmt.Errorf("a plural needs both one and other, not %s", b)
	}
	s.one, s.other = cut(forms.One), cut(forms.Other)
	return nil
}

// cut splits text at its {name} placeholders once, so that a page only joins.
func cut(text string) []piece {
	var pieces []piece
	for text != "" {
		open := strings.IndexByte(text, '{')
		end := strings.IndexByte(text, '}')
		if open < 0 || end < open {
			return append(pieces, piece{text: text})
		}
		if open > 0 {
			pieces = append(pieces, piece{text: text[:open]})
		}
		pieces = append(pieces, piece{name: text[open+1 : end]})
		text = text[end+1:]
	}
	return pieces
}

// fill joins the pieces with the values in args. Where spaced, as in Chinese, a
// space goes between a Han character and a Latin letter or digit that a value
// brings together: 授权给 Usher.
func (s sentence) fill(args []any, spaced bool) string {
	pieces := s.other
	if n, ok := value(args, "n"); ok && n == "1" && s.one != nil {
		pieces = s.one
	}
	if len(pieces) == 1 && pieces[0].name == "" {
		return pieces[0].text
	}
	var b strings.Builder
	last := ""
	for _, p := range pieces {
		text := p.text
		if p.name != "" {
			if v, ok := value(args, p.name); ok {
				text = v
			} else {
				text = "{" + p.name + "}"
			}
		}
		if text == "" {
			continue
		}
		if spaced && meet(last, text) {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		last = text
	}
	return b.String()
}

// meet reports whether a Han character and a Latin letter or digit would touch
// where b follows a.
func meet(a, b string) bool {
	x, _ := utf8.DecodeLastRuneInString(a)
	y, _ := utf8.DecodeRuneInString(b)
	return unicode.Is(unicode.Han, x) && narrow(y) || narrow(x) && unicode.Is(unicode.Han, y)
}

func narrow(r rune) bool {
	return r < '\u2000' && unicode.Is(unicode.Latin, r) || '0' <= r && r <= '9'
}

func value(args []any, name string) (string, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return fmt.Sprint(args[i+1]), true
		}
	}
	return "", false
}

// names lists the placeholders of the pieces in order.
func names(pieces []piece) []string {
	var found []string
	for _, p := range pieces {
		if p.name != "" {
			found = append(found, p.name)
		}
	}
	return found
}
