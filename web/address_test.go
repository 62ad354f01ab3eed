package web

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name      string
		trusted   []netip.Prefix
		peer      string
		forwarded string
		want      string
	}{
		{"nobody trusted, public peer", nil, "203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"nobody trusted, private peer", nil, "10.1.2.3:1", "1.2.3.4", "10.1.2.3"},
		{"nobody trusted, loopback peer", nil, "127.0.0.1:1", "1.2.3.4", "127.0.0.1"},
		{"stranger spoofs", proxies, "203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"private peer that is not listed spoofs", proxies, "192.168.0.7:1", "1.2.3.4", "192.168.0.7"},
		{"link-local peer spoofs", proxies, "169.254.1.1:1", "1.2.3.4", "169.254.1.1"},
		{"proxy", proxies, "127.0.0.1:1", "1.2.3.4", "1.2.3.4"},
		{"proxy without the header", proxies, "127.0.0.1:1", "", "127.0.0.1"},
		{"client adds a line before the proxy's", proxies, "127.0.0.1:1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		{"two proxies", proxies, "127.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.1.0.5", "1.2.3.4"},
		{"client claims to be a proxy", proxies, "127.0.0.1:1", "10.1.0.6, 1.2.3.4", "1.2.3.4"},
		{"proxy by IPv6", proxies, "[fd00::1]:1", "2001:db8::7", "2001:db8::7"},
		{"rubbish in the header", proxies, "127.0.0.1:1", "<script>", "127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			if tt.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tt.forwarded)
			}
			r.Header.Set("X-Real-Ip", "6.6.6.6")
			if got := clientAddress(tt.trusted)(r); got != tt.want {
				t.Errorf("clientAddress from %s with %q = %q, want %q", tt.peer, tt.forwarded, got, tt.want)
			}
		})
	}
}

func TestClientScheme(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	tests := []struct {
		trusted   []netip.Prefix
		peer      string
		forwarded string
		tls       bool
		want      string
	}{
		{nil, "127.0.0.1:1", "https", false, "http"},
		{proxies, "127.0.0.1:1", "https", false, "https"},
		{proxies, "127.0.0.1:1", "http", false, "http"},
		{proxies, "10.0.0.1:1", "https", false, "http"},
		{proxies, "not an address", "https", false, "http"},
		{nil, "203.0.113.9:1", "", true, "https"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-Proto", tt.forwarded)
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := clientScheme(tt.trusted)(r); got != tt.want {
			t.Errorf("clientScheme from %s with %q = %q, want %q", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func TestNeighborhood(t *testing.T) {
	tests := []struct{ in, want string }{
		{"203.0.113.9", "203.0.113.0/24"},
		{"::ffff:203.0.113.77", "203.0.113.0/24"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"", ""},
		{"@", "@"}, // the peer of a Unix socket
	}
	for _, tt := range tests {
		if got := neighborhood(tt.in); got != tt.want {
			t.Errorf("neighborhood(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
