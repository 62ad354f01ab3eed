package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"usher/internal/onboard"
	"usher/internal/picture"
)

const logoSide = 256 // pixels, at most

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
		drawn, err := drawLogo(raw)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(drawn)
		next.Logo = hex.EncodeToString(sum[:16])
		if err := s.store.SaveLogo(ctx, next.Logo, drawn); err != nil {
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
	stored, err := s.store.Logo(ctx, hash)
	if err != nil {
		return nil, found(err)
	}
	if hash == s.Settings().Logo {
		s.logo.Store(&logo{hash, stored})
	}
	return stored, nil
}

// drawLogo draws an upload anew.
func drawLogo(raw []byte) ([]byte, error) {
	drawn, err := picture.Redraw(raw, logoSide)
	if errors.Is(err, picture.ErrRefused) {
		return nil, onboard.Errorf(onboard.Invalid, KeyPicture, "the logo: %w", err)
	}
	return drawn, err
}
