package chromium

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for axe-core
	"io"
)

// packed is axe-core by Deque Systems, under the Mozilla Public License 2.0 that
// stands beside it. It is of the tests alone: the program never holds this package.
//
//go:embed testdata/axe-core-4.14.1.min.js.gz
var packed []byte

// axe is the script that defines the object axe.
func axe() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	script, err := io.ReadAll(r)
	return string(script), err
}
