package web

import (
	"encoding/csv"
	"io"
	"strings"
)

// sheet writes CSV as a spreadsheet program opens it: UTF-8 with a byte order mark,
// without which Excel reads Chinese as something else, and with every cell that
// the program would take for a formula marked as text (OWASP, CSV Injection).
type sheet struct{ w *csv.Writer }

// newSheet begins a file with its column titles.
func newSheet(w io.Writer, titles ...string) (*sheet, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	s := &sheet{csv.NewWriter(w)}
	s.w.UseCRLF = true
	return s, s.row(titles...)
}

// row writes one line.
func (s *sheet) row(cells ...string) error {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = plainCell(c)
	}
	return s.w.Write(safe)
}

// end writes what is left.
func (s *sheet) end() error {
	s.w.Flush()
	return s.w.Error()
}

// plainCell puts a quote mark before what would be computed. Full-width signs count
// too: some programs take them for the plain ones.
func plainCell(c string) string {
	if strings.HasPrefix(c, "'") {
		return c
	}
	lead := strings.TrimLeft(c, " \u00a0\u3000\ufeff\u200b")
	if lead != "" && strings.ContainsAny(string([]rune(lead)[0]), "=+-@\t\r\n|%＝＋－＠") {
		return "'" + c
	}
	return c
}
