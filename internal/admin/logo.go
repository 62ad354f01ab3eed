package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	_ "image/gif"  // what an owner may upload
	_ "image/jpeg" // likewise
	"image/png"
	"io"

	"usher/internal/onboard"
)

const (
	logoSide   = 256       // pixels, at most
	uploadSide = 4096      // of a picture that is looked at
	uploadArea = 8_000_000 // pixels, so that a small file cannot take all memory
)

// logo is the picture in use.
type logo struct {
	hash string
	png  []byte
}

// SaveLogo makes the operator's picture of an uploaded PNG, JPEG or GIF: drawn
// anew by us, so that nothing but pixels is kept, and no larger than 256 pixels.
// version is that of the settings which the owner saw. An empty upload removes it.
func (s *Service) SaveLogo(ctx context.Context, upload io.Reader, version int64) error {
	raw, err := io.ReadAll(upload)
	if err != nil {
		return err
	}
	next := s.Settings()
	next.Version, next.Logo = version, ""
	if len(raw) > 0 {
		picture, err := drawLogo(raw)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(picture)
		next.Logo = hex.EncodeToString(sum[:16])
		if err := s.store.SaveLogo(ctx, next.Logo, picture); err != nil {
			return err
		}
	}
	return s.SaveSettings(ctx, next)
}

// Logo reads a picture by its hash; one that is not there is NotFound.
func (s *Service) Logo(ctx context.Context, hash string) ([]byte, error) {
	if l := s.logo.Load(); l != nil && l.hash == hash {
		return l.png, nil
	}
	picture, err := s.store.Logo(ctx, hash)
	if err != nil {
		return nil, found(err)
	}
	if hash == s.Settings().Logo {
		s.logo.Store(&logo{hash, picture})
	}
	return picture, nil
}

// drawLogo decodes a picture, shrinks it and encodes it as PNG.
func drawLogo(raw []byte) ([]byte, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, onboard.Errorf(onboard.Invalid, KeyPicture, "not a picture: %w", err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > uploadSide || size.Height > uploadSide || size.Width*size.Height > uploadArea {
		return nil, onboard.Errorf(onboard.Invalid, KeyPicture, "a picture of %d × %d pixels", size.Width, size.Height)
	}
	from, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, onboard.Errorf(onboard.Invalid, KeyPicture, "a broken picture: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, shrink(from, logoSide)); err != nil {
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
