package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// clientAddress makes the function that names the client. X-Forwarded-For counts
// only as far as it was written by trusted proxies, read from the right; without
// any, the direct peer is the client whatever the headers say.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		p = p.Masked()
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP:   p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// clientScheme makes the function that says by which scheme the browser came.
// Only a trusted proxy is believed; Echo's default believes every private peer.
func clientScheme(trusted []netip.Prefix) echo.SchemeExtractor {
	return func(r *http.Request) string {
		if r.TLS != nil {
			return "https"
		}
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		known := err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) })
		if known && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
			return "https"
		}
		return "http"
	}
}

// neighborhood is the part of an address that limits are counted by: a /24 of
// IPv4, a /64 of IPv6. A client that can change the rest at will gains nothing.
func neighborhood(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}
