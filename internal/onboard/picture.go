package onboard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"usher/internal/rescue"
)

// Pictures fetches the picture at an address that others chose and draws it anew
// as PNG. final says that an error will not pass by itself.
type Pictures func(ctx context.Context, address string) (png []byte, final bool, err error)

// WantedPicture is the head image that an account's profile names.
type WantedPicture struct {
	AppID  AppID
	Source string // remote and hostile
}

const (
	pictureBatch    = 5
	pictureTryAgain = 5 * time.Minute
)

// ReadPictures fetches the head images that are missing or have changed. Pages show
// a letter in place of one that does not come.
func (s *Service) ReadPictures(ctx context.Context) error {
	if s.pictures == nil {
		return nil
	}
	now := s.now()
	wanted, err := s.store.ClaimPictures(ctx, now, now.Add(-pictureTryAgain), pictureBatch)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		var png []byte
		var final bool
		err := rescue.Do(func() (err error) {
			png, final, err = s.pictures(ctx, w.Source)
			return err
		})
		hash := ""
		if err == nil {
			sum := sha256.Sum256(png)
			hash = hex.EncodeToString(sum[:16])
		} else {
			s.log.InfoContext(ctx, "a head image was not taken", append(rescue.Attrs(err), "appid", string(w.AppID), "final", final)...)
			if !final {
				continue
			}
		}
		if err := s.store.SavePicture(ctx, w, hash, png); err != nil {
			return err
		}
	}
	return nil
}

// Picture reads a head image by its hash.
func (s *Service) Picture(ctx context.Context, hash string) ([]byte, error) {
	png, err := s.store.Picture(ctx, hash)
	if errors.Is(err, ErrNoRow) {
		return nil, Errorf(NotFound, KeyNotFound, "picture: %w", err)
	}
	return png, err
}
