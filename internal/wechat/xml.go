package wechat

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// errXML says no more, so that no content of a push gets into a log.
var errXML = errors.New("not the XML expected")

const (
	maxFields = 256 // of one document; the longest known has about a dozen
	maxDepth  = 16
)

// field is one child of the root element.
type field struct {
	name, value string
	nested      bool // it has children; value is then of no use
}

// fields are the children of the root element <xml>, in their order.
type fields []field

// only returns the value of the field called name; ok is false when there is
// none. A second one of the name, or one with children, is an error: two readers
// of such a document could see different values.
func (f fields) only(name string) (value string, ok bool, err error) {
	for _, e := range f {
		if e.name != name {
			continue
		}
		if ok || e.nested {
			return "", false, errXML
		}
		value, ok = e.value, true
	}
	return value, ok, nil
}

// readXML reads a document of WeChat's shape: a root <xml> and children that
// hold text. The scanner reads what WeChat really sends in a tenth of the time;
// what it does not know goes to encoding/xml, which has the last word.
func readXML(doc string) (fields, error) {
	if f, ok := scanXML(doc); ok {
		return f, nil
	}
	return decodeXML(doc)
}

// scanXML reads documents without attributes, comments, entities, nesting and
// carriage returns. It is not ok where it meets anything else, malformed or not.
func scanXML(doc string) (fields, bool) {
	if !plainText(doc) {
		return nil, false
	}
	s, ok := strings.CutPrefix(skipSpace(doc), "<xml>")
	if !ok {
		return nil, false
	}
	f := make(fields, 0, 8)
	for {
		s = skipSpace(s)
		if rest, ok := strings.CutPrefix(s, "</xml>"); ok {
			return f, skipSpace(rest) == ""
		}
		if len(s) == 0 || s[0] != '<' || len(f) == maxFields {
			return nil, false
		}
		end := strings.IndexByte(s, '>')
		if end < 0 || !plainName(s[1:end]) {
			return nil, false
		}
		e := field{name: s[1:end]}
		s = s[end+1:]
		if rest, ok := strings.CutPrefix(s, "<![CDATA["); ok {
			if e.value, s, ok = strings.Cut(rest, "]]>"); !ok {
				return nil, false
			}
		} else {
			end := strings.IndexByte(s, '<')
			if end < 0 {
				return nil, false
			}
			e.value, s = s[:end], s[end:]
			if strings.IndexByte(e.value, '&') >= 0 || strings.Contains(e.value, "]]>") {
				return nil, false
			}
		}
		if len(s) < len(e.name)+3 || s[:2] != "</" || s[2:2+len(e.name)] != e.name || s[2+len(e.name)] != '>' {
			return nil, false
		}
		s = s[len(e.name)+3:]
		f = append(f, e)
	}
}

// plainText reports whether s is UTF-8 of characters that XML allows and that no
// reader changes.
func plainText(s string) bool {
	ascii := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' && c != '\n' && c != '\t' {
			return false
		}
		if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s) && !strings.Contains(s, "\uFFFE") && !strings.Contains(s, "\uFFFF")
}

func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func skipSpace(s string) string { return strings.TrimLeft(s, " \t\n") }

// decodeXML reads doc with encoding/xml, which knows no external entities. A
// DOCTYPE, a second root, a namespace, another encoding than UTF-8 and too many
// or too deep elements are refused.
func decodeXML(doc string) (fields, error) {
	d := xml.NewDecoder(strings.NewReader(doc))
	var (
		f     fields
		depth int
		ended bool // the root is closed
		value strings.Builder
	)
	for {
		token, err := d.Token()
		if err == io.EOF {
			if !ended {
				return nil, errXML
			}
			return f, nil
		}
		if err != nil {
			return nil, errXML
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errXML
		case xml.StartElement:
			depth++
			if ended || depth > maxDepth || t.Name.Space != "" || depth == 1 && t.Name.Local != "xml" {
				return nil, errXML
			}
			switch depth {
			case 2:
				if len(f) == maxFields {
					return nil, errXML
				}
				f = append(f, field{name: t.Name.Local})
				value.Reset()
			case 3:
				f[len(f)-1].nested = true
			}
		case xml.EndElement:
			depth--
			switch {
			case depth == 0:
				ended = true
			case depth == 1 && !f[len(f)-1].nested:
				f[len(f)-1].value = value.String()
			}
		case xml.CharData:
			switch {
			case depth == 2:
				value.Write(t)
			case depth < 2 && strings.Trim(string(t), " \t\r\n") != "":
				return nil, errXML
			}
		}
	}
}
