package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"testing"
)

// BenchmarkOpenPush is read beside its floor, what no implementation can leave
// out, and beside the same push read by encoding/xml.
func BenchmarkOpenPush(b *testing.B) {
	body := []byte(sampleBody)
	b.Run("floor", func(b *testing.B) {
		key, err := base64.StdEncoding.DecodeString(testAESKey + "=")
		if err != nil {
			b.Fatal(err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			b.Fatal(err)
		}
		sealed, err := base64.StdEncoding.DecodeString(sampleEncrypt)
		if err != nil {
			b.Fatal(err)
		}
		plain := make([]byte, len(sealed))
		signed := []byte(sampleEncrypt + "1700000100" + testToken + "n0nce0002")
		b.ReportAllocs()
		for b.Loop() {
			sha1.Sum(signed)
			cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(plain, sealed)
		}
	})
	r := testReceiver(b)
	b.Run("push", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.OpenPush(sampleQuery, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("push by encoding/xml", func(b *testing.B) {
		slow := []byte(`<?xml version="1.0"?>` + sampleBody)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.OpenPush(sampleQuery, slow); err != nil {
				b.Fatal(err)
			}
		}
	})
}
