package admin

import "context"

// logo is the picture in use.
type logo struct {
	hash string
	png  []byte
}

// Settings are the ones in use.
func (s *Service) Settings() Settings {
	if now := s.settings.Load(); now != nil {
		return *now
	}
	return s.defaults
}

// Reload reads what another process of ours, or this one, changed.
func (s *Service) Reload(ctx context.Context) error {
	stored, err := s.store.Settings(ctx)
	if isNoRow(err) {
		stored, err = s.defaults, nil
	}
	if err != nil {
		return err
	}
	s.settings.Store(&stored)
	return nil
}
