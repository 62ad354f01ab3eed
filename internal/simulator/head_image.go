package simulator

import (
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
)

// accountOf finds the account whose picture the address names.
func (s *Simulator) accountOf(w http.ResponseWriter, r *http.Request) *account {
	id, isPNG := strings.CutSuffix(r.PathValue("file"), ".png")
	s.mu.Lock()
	a := s.account(id)
	s.mu.Unlock()
	if a == nil || !isPNG {
		http.NotFound(w, r)
		return nil
	}
	return a
}

// headImage draws the account's picture: five by five mirrored squares, in a
// color and a pattern that come from its appid, so that accounts can be told apart.
func (s *Simulator) headImage(w http.ResponseWriter, r *http.Request) {
	a := s.accountOf(w, r)
	if a == nil {
		return
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(a.appID))
	bits := h.Sum64()
	const cell, cells = 24, 6 // half a cell of margin on each side
	ink := color.RGBA{R: uint8(60 + bits>>40%120), G: uint8(90 + bits>>48%90), B: uint8(60 + bits>>56%120), A: 255}
	img := image.NewPaletted(image.Rect(0, 0, cell*cells, cell*cells), color.Palette{color.RGBA{240, 242, 240, 255}, ink})
	for y := range 5 {
		for x := range 5 {
			column := min(x, 4-x)
			if bits>>(y*3+column)&1 == 0 {
				continue
			}
			for py := range cell {
				for px := range cell {
					img.SetColorIndex(cell/2+x*cell+px, cell/2+y*cell+py, 1)
				}
			}
		}
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=3600")
	_ = png.Encode(w, img)
}

// accountCode is the account's own QR code, which api_get_authorizer_info links.
func (s *Simulator) accountCode(w http.ResponseWriter, r *http.Request) {
	if a := s.accountOf(w, r); a != nil {
		s.writeCode(w, "http://weixin.qq.com/r/"+a.userName)
	}
}
