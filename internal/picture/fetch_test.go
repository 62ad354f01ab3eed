package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// photo is a picture of w × h pixels.
func photo(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	return img
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claims is a small PNG whose header says that it has side × side pixels.
func claims(t *testing.T, side uint32) []byte {
	raw := asPNG(t, photo(1, 1))
	header := raw[8 : 8+4+4+13]
	binary.BigEndian.PutUint32(header[8:], side)
	binary.BigEndian.PutUint32(header[12:], side)
	binary.BigEndian.PutUint32(raw[8+4+4+13:], crc32.ChecksumIEEE(header[4:]))
	return raw
}

// TestHeadImg serves what a hostile merchant may have set as a picture.
func TestHeadImg(t *testing.T) {
	release := make(chan struct{})
	bodies := map[string]struct {
		kind string
		body []byte
	}{
		"png":         {"image/png", asPNG(t, photo(300, 200))},
		"jpeg":        {"image/jpeg", asJPEG(t, photo(640, 640))},
		"wrong-type":  {"text/html", asPNG(t, photo(20, 20))},
		"polyglot":    {"image/png", append(asPNG(t, photo(20, 20)), "<script>alert(1)</script>"...)},
		"svg":         {"image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)},
		"html-as-png": {"image/png", []byte("<!DOCTYPE html><script>alert(1)</script>")},
		"50kx50k":     {"image/png", claims(t, 50_000)},
		"0x0":         {"image/png", claims(t, 0)},
		"half":        {"image/png", asPNG(t, photo(300, 300))[:900]},
		"empty":       {"image/png", nil},
		"2MiB":        {"image/png", make([]byte, 2<<20)},
	}
	mux := http.NewServeMux()
	for name, b := range bodies {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", b.kind)
			_, _ = w.Write(b.body)
		})
	}
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/png", http.StatusFound) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	host := httptest.NewServer(mux)
	defer host.Close()
	defer close(release)

	tests := []struct {
		name string
		want error // nil for a picture
	}{
		{"png", nil}, {"jpeg", nil}, {"wrong-type", nil}, {"polyglot", nil},
		{"svg", ErrRefused}, {"html-as-png", ErrRefused}, {"50kx50k", ErrRefused}, {"0x0", ErrRefused}, {"half", ErrRefused}, {"empty", ErrRefused},
		{"2MiB", ErrRefused}, {"endless", ErrRefused}, {"redirect", ErrRefused}, {"none", ErrRefused},
		{"slow", context.DeadlineExceeded}, {"broken", errAny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Fetcher{Origins: []string{host.URL}, Side: 112}
			if tt.name == "slow" {
				f.Timeout = 50 * time.Millisecond
			}
			got, err := f.Fetch(t.Context(), host.URL+"/"+tt.name)
			switch {
			case tt.want == nil && err != nil:
				t.Fatalf("Fetch = %v", err)
			case tt.want == errAny && (err == nil || errors.Is(err, ErrRefused)):
				t.Fatalf("Fetch = %d bytes, %v; want an error that may pass", len(got), err)
			case tt.want == errAny:
				return
			case !errors.Is(err, tt.want) || err != nil && got != nil:
				t.Fatalf("Fetch = %d bytes, %v; want %v", len(got), err, tt.want)
			case err != nil:
				return
			}
			if bytes.Contains(got, []byte("script")) {
				t.Errorf("the picture still holds what stood beside its pixels")
			}
			img, kind, err := image.Decode(bytes.NewReader(got))
			if err != nil || kind != "png" || max(img.Bounds().Dx(), img.Bounds().Dy()) > 112 {
				t.Errorf("Fetch = a %s of %v, %v; want a PNG of at most 112 pixels", kind, img.Bounds(), err)
			}
		})
	}
}

var errAny = errors.New("any")

// TestAllowed is which addresses are asked at all.
func TestAllowed(t *testing.T) {
	f := Fetcher{Origins: []string{"http://127.0.0.1:8081"}}
	tests := []struct {
		address, want string // empty for refused
		standIn       bool
	}{
		{"https://wx.qlogo.cn/mmopen/x/0", "https://wx.qlogo.cn/mmopen/x/0", false},
		{"http://wx.qlogo.cn/mmopen/x/0", "https://wx.qlogo.cn/mmopen/x/0", false},
		{"HTTP://MMBIZ.QPIC.CN/x?wx_fmt=png", "https://MMBIZ.QPIC.CN/x?wx_fmt=png", false},
		{"http://127.0.0.1:8081/head/wx1.png", "http://127.0.0.1:8081/head/wx1.png", true},
		{"http://127.0.0.1:8082/x", "", false},
		{"https://127.0.0.1:8081/x", "", false},
		{"https://qlogo.cn.evil.example/x", "", false},
		{"https://evilqlogo.cn/x", "", false},
		{"https://wx.qlogo.cn:8443/x", "", false},
		{"https://wx.qlogo.cn@evil.example/x", "", false},
		{"https://evil.example@wx.qlogo.cn/x", "", false},
		{"ftp://wx.qlogo.cn/x", "", false},
		{"file:///etc/passwd", "", false},
		{"javascript:alert(1)", "", false},
		{"data:image/png;base64,AA==", "", false},
		{"//wx.qlogo.cn/x", "", false},
		{"http://169.254.169.254/latest/meta-data", "", false},
		{"", "", false},
		{"%", "", false},
	}
	for _, tt := range tests {
		u, standIn, err := f.allowed(tt.address)
		got := ""
		if err == nil {
			got = u.String()
		} else if !errors.Is(err, ErrRefused) {
			t.Errorf("allowed(%q) = %v, want ErrRefused", tt.address, err)
		}
		if got != tt.want || standIn != tt.standIn {
			t.Errorf("allowed(%q) = %q, %t; want %q, %t", tt.address, got, standIn, tt.want, tt.standIn)
		}
	}
}

// TestOutside is where a picture host may not be, whatever its name says.
func TestOutside(t *testing.T) {
	for address, want := range map[string]bool{
		"157.148.59.1:443": true, "[2408:8756::1]:443": true,
		"127.0.0.1:443": false, "[::1]:443": false, "10.1.2.3:443": false, "172.16.0.1:443": false, "192.168.1.1:443": false,
		"169.254.169.254:80": false, "100.100.100.200:80": false, "0.0.0.0:443": false, "255.255.255.255:443": false, "224.0.0.1:443": false,
		"198.18.0.1:443": false, "[::]:443": false, "[fe80::1%eth0]:443": false, "[fd00::1]:443": false, "[::ffff:127.0.0.1]:443": false,
		"[64:ff9b::7f00:1]:443": false, "[2002:7f00:1::]:443": false, "nothing": false,
	} {
		if err := outside(address); (err == nil) != want {
			t.Errorf("outside(%q) = %v, want allowed %t", address, err, want)
		}
	}
}

// TestDialGuard checks that the guard stands where connections are made: a name
// that leads inside reaches nothing.
func TestDialGuard(t *testing.T) {
	reached := false
	host := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer host.Close()
	for _, name := range []string{"127.0.0.1", "localhost"} {
		answer, err := new(Fetcher).client(false).Get("http://" + name + ":" + strconv.Itoa(port(host.URL)))
		if err == nil {
			_ = answer.Body.Close()
		}
		if !errors.Is(err, ErrRefused) || reached {
			t.Errorf("a fetch from %s = %v, reached %t; want ErrRefused", name, err, reached)
		}
	}
}

func port(address string) int {
	n, _ := strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
	return n
}

// FuzzRedraw checks that no bytes make a picture larger than was asked for.
func FuzzRedraw(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, photo(9, 5)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))
	f.Add([]byte{0xff, 0xd8, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Redraw(raw, 16)
		if err != nil {
			if got != nil {
				t.Errorf("Redraw returned %d bytes beside %v", len(got), err)
			}
			return
		}
		img, err := png.Decode(bytes.NewReader(got))
		if err != nil || img.Bounds().Dx() > 16 || img.Bounds().Dy() > 16 {
			t.Errorf("Redraw = a picture of %v, %v", img.Bounds(), err)
		}
	})
}
