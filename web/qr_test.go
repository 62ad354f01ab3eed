package web

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
)

func TestQRPNG(t *testing.T) {
	// 35 bytes: as long as the address of a phone page at a host of 16 characters.
	const address = "https://open.example.com/q/7K3M9Q2X"
	file, err := qrPNG(address)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("qrPNG(%q) is not a PNG: %v", address, err)
	}
	// 29 modules and the quiet zone of 4 on each side.
	if got, want := img.Bounds().Dx(), (29+8)*modulePixels; got != want || img.Bounds().Dy() != want {
		t.Errorf("qrPNG(%q) has %v, want an edge of %d", address, img.Bounds(), want)
	}
	if depth := file[24]; depth != 1 {
		t.Errorf("qrPNG(%q) has %d bits a pixel, want 1", address, depth)
	}
	if len(file) > 1200 {
		t.Errorf("qrPNG(%q) has %d bytes, want at most 1200", address, len(file))
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := zxing.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatalf("qrPNG(%q) cannot be read: %v", address, err)
	}
	if got := result.GetText(); got != address {
		t.Errorf("qrPNG(%q) reads %q", address, got)
	}
	if level := result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]; level != "M" {
		t.Errorf("qrPNG(%q) has error correction %v, want M", address, level)
	}
}

func TestQRPNGTooLong(t *testing.T) {
	if _, err := qrPNG(string(make([]byte, 4000))); err == nil {
		t.Error("qrPNG of 4000 bytes gave no error")
	}
}

func BenchmarkQRPNG(b *testing.B) {
	for b.Loop() {
		if _, err := qrPNG("https://open.example.com/q/7K3M9Q2X"); err != nil {
			b.Fatal(err)
		}
	}
}
