package web

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	qrcode "github.com/skip2/go-qrcode"
)

// modulePixels is the edge of one module: large enough to stay sharp on every
// screen and when WeChat reads a code from a screenshot.
const modulePixels = 16

// qrPNG draws text as a QR code with its quiet zone: error correction M, black
// on white, one bit per pixel.
func qrPNG(text string) ([]byte, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return bitmapPNG(code.Bitmap())
}

// qrSVG draws the same code as a picture of lines, sharp at every size.
func qrSVG(text string) ([]byte, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return bitmapSVG(code.Bitmap()), nil
}

// bitmapSVG writes modules, true for black, as one path of one unit per module: each
// run of black modules in a row is a rectangle.
func bitmapSVG(modules [][]bool) []byte {
	edge := len(modules)
	svg := fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`,
		edge*modulePixels, edge*modulePixels, edge, edge, edge, edge)
	for y, row := range modules {
		for x := 0; x < edge; x++ {
			n := 0
			for x+n < edge && row[x+n] {
				n++
			}
			if n > 0 {
				svg = fmt.Appendf(svg, "M%d %dh%dv1h-%dz", x, y, n, n)
				x += n
			}
		}
	}
	return append(svg, `"/></svg>`...)
}

// bitmapPNG writes modules, true for black, as a one-bit gray-scale PNG (W3C PNG
// Specification). Only the first row of each module is written in full; the
// others repeat it by the Up filter, which makes the file small and cheap.
func bitmapPNG(modules [][]bool) ([]byte, error) {
	edge := len(modules) * modulePixels
	stride := (edge + 7) / 8

	var pixels bytes.Buffer
	z, err := zlib.NewWriterLevel(&pixels, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	first, repeat := make([]byte, 1+stride), make([]byte, 1+stride)
	repeat[0] = 2 // filter Up: the same as the row above
	for _, row := range modules {
		clear(first)
		for x := range edge {
			if !row[x/modulePixels] {
				first[1+x/8] |= 0x80 >> (x % 8) // a set bit is white
			}
		}
		if _, err := z.Write(first); err != nil {
			return nil, err
		}
		for range modulePixels - 1 {
			if _, err := z.Write(repeat); err != nil {
				return nil, err
			}
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}

	header := binary.BigEndian.AppendUint32(nil, uint32(edge))
	header = binary.BigEndian.AppendUint32(header, uint32(edge))
	header = append(header, 1, 0, 0, 0, 0) // one bit, gray-scale, deflate, adaptive filters, not interlaced
	png := []byte("\x89PNG\r\n\x1a\n")
	png = appendChunk(png, "IHDR", header)
	png = appendChunk(png, "IDAT", pixels.Bytes())
	return appendChunk(png, "IEND", nil), nil
}

// appendChunk adds length, name, data and checksum.
func appendChunk(png []byte, name string, data []byte) []byte {
	png = binary.BigEndian.AppendUint32(png, uint32(len(data)))
	start := len(png)
	png = append(append(png, name...), data...)
	return binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(png[start:]))
}
