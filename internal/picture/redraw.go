package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // what people upload
	_ "image/jpeg" // likewise
	"image/png"
)

// What Redraw looks at: a few hundred bytes can claim a size that takes all memory.
const (
	maxSide = 4096      // pixels
	maxArea = 8_000_000 // pixels
)

// ErrRefused is why a picture is not taken and never will be.
var ErrRefused = errors.New("picture refused")

// Redraw decodes a PNG, JPEG or GIF and draws it anew as a PNG of which neither
// side is longer than side, so that nothing but pixels is kept. The size is read
// before a pixel is. What is not such a picture is ErrRefused.
func Redraw(raw []byte, side int) ([]byte, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: not a picture: %w", ErrRefused, err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxSide || size.Height > maxSide || size.Width*size.Height > maxArea {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrRefused, size.Width, size.Height)
	}
	from, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: a broken picture: %w", ErrRefused, err)
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, shrink(from, side)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// shrink draws a picture so that neither side is longer than side. Each new pixel
// is the mean of those that it covers.
func shrink(from image.Image, side int) *image.NRGBA {
	r := from.Bounds()
	w, h := r.Dx(), r.Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := y*r.Dy()/h, max((y+1)*r.Dy()/h, y*r.Dy()/h+1)
		for x := range w {
			x0, x1 := x*r.Dx()/w, max((x+1)*r.Dx()/w, x*r.Dx()/w+1)
			var red, green, blue, alpha, n uint64
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					cr, cg, cb, ca := from.At(r.Min.X+xx, r.Min.Y+yy).RGBA() // multiplied by alpha
					red, green, blue, alpha, n = red+uint64(cr), green+uint64(cg), blue+uint64(cb), alpha+uint64(ca), n+1
				}
			}
			to.Set(x, y, color.RGBA64{uint16(red / n), uint16(green / n), uint16(blue / n), uint16(alpha / n)})
		}
	}
	return to
}
