package main

import (
	"context"
	"errors"
	"net/http"

	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/picture"
	"usher/internal/wechat"
)

// pictureSide is twice the size in which pages show the picture of an account.
const pictureSide = 112

// pictures fetches the head images of accounts. A stand-in for WeChat serves its
// own, from wherever it runs; transport is the way to it, nil the network.
func pictures(cfg config.Config, transport http.RoundTripper) onboard.Pictures {
	f := &picture.Fetcher{Side: pictureSide, Transport: transport}
	for origin, usual := range map[string]string{cfg.WeChatAPI: wechat.DefaultAPI, cfg.WeChatPC: wechat.DefaultPC, cfg.WeChatH5: wechat.DefaultH5} {
		if origin != usual {
			f.Origins = append(f.Origins, origin)
		}
	}
	return func(ctx context.Context, address string) ([]byte, bool, error) {
		png, err := f.Fetch(ctx, address)
		return png, errors.Is(err, picture.ErrRefused), err
	}
}
