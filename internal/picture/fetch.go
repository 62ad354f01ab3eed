package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxBytes bounds what is read of an answer.
const maxBytes = 1 << 20

// hosts are where WeChat keeps the pictures of accounts (head_img and qrcode_url of
// api_get_authorizer_info). A name counts with everything below it.
var hosts = [...]string{"qlogo.cn", "qpic.cn"}

// Fetcher fetches pictures from WeChat's own picture hosts and nowhere else: not
// from an address inside our network, not after a redirect, not more than 1 MiB.
type Fetcher struct {
	// Origins are further places, such as "http://127.0.0.1:8081": a stand-in for
	// WeChat. They alone may be inside our network and without TLS.
	Origins []string
	// Transport is the way to Origins; nil is the network.
	Transport http.RoundTripper
	// Side is the longest side of the result in pixels; 0 means 256.
	Side int
	// Timeout bounds a whole fetch; 0 means ten seconds.
	Timeout time.Duration
}

// Fetch returns the picture at address, drawn anew as PNG. ErrRefused is final;
// any other error may pass.
func (f *Fetcher) Fetch(ctx context.Context, address string) ([]byte, error) {
	u, standIn, err := f.allowed(address)
	if err != nil {
		return nil, err
	}
	timeout := f.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := read(ctx, f.client(standIn), u)
	if err != nil {
		return nil, err
	}
	side := f.Side
	if side == 0 {
		side = 256
	}
	return Redraw(raw, side)
}

// allowed checks an address that others chose. WeChat still writes http for hosts
// that have long spoken https: those are upgraded.
func (f *Fetcher) allowed(address string) (u *url.URL, standIn bool, err error) {
	u, err = url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return nil, false, fmt.Errorf("%w: not an address", ErrRefused)
	}
	if slices.Contains(f.Origins, u.Scheme+"://"+u.Host) {
		return u, true, nil
	}
	host := strings.ToLower(u.Hostname())
	known := slices.ContainsFunc(hosts[:], func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
	if !known || u.Port() != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, false, fmt.Errorf("%w: not a picture host of WeChat", ErrRefused)
	}
	u.Scheme = "https"
	return u, false, nil
}

// read asks once.
func read(ctx context.Context, c *http.Client, u *url.URL) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	r.Header.Set("Accept", "image/png, image/jpeg, image/gif")
	answer, err := c.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch a picture: %w", withoutAddress(err))
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("fetch a picture: status %d", answer.StatusCode)
	case answer.StatusCode != http.StatusOK: // a redirect too: it could lead anywhere
		return nil, fmt.Errorf("%w: status %d", ErrRefused, answer.StatusCode)
	case answer.ContentLength > maxBytes:
		return nil, fmt.Errorf("%w: %d bytes", ErrRefused, answer.ContentLength)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetch a picture: %w", withoutAddress(err))
	}
	if len(raw) > maxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrRefused, maxBytes)
	}
	return raw, nil
}

// withoutAddress keeps what others wrote out of the log.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// client makes one for a single fetch. The addresses that a name stands for are
// checked when they are dialed, after the name was looked up: a check before could
// be told something else. A proxy would dial for us, so none is used.
func (f *Fetcher) client(standIn bool) *http.Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if standIn && f.Transport != nil {
		return &http.Client{CheckRedirect: stay, Transport: f.Transport}
	}
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	if !standIn {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return outside(address) }
	}
	return &http.Client{
		CheckRedirect: stay,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 3 * time.Second,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
			// What is counted has to be what was sent.
			DisableCompression: true,
		},
	}
}

// inside are networks that no public host is in, beside those that netip names
// (IANA IPv4 and IPv6 Special-Purpose Address Registries). Some IPv6 ranges hold an
// IPv4 address, which could be one of these.
var inside = func() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

// outside refuses an address and port inside our network, or inside any.
func outside(address string) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: dial %q", ErrRefused, address)
	}
	ip := target.Addr().Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%w: the host is inside a network", ErrRefused)
	}
	return nil
}
