package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The errors of this file say what to do and never repeat a secret value.

func listen(s string) (string, error) {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is not host:port, such as 127.0.0.1:8080 or :8080", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		return "", fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return s, nil
}

// base checks the address of a site. Plain http is for this machine only:
// WeChat and merchants must not send codes through the open.
func base(s string) (string, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is not an address such as https://open.example.com", s)
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("must be only https:// and a host, without a path, a query or a user")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", fmt.Errorf("%q must begin with https://; http:// is accepted for localhost only", s)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func database(s string) (Database, error) {
	d := Database(s)
	if d.IsPostgres() {
		if u, err := url.Parse(s); err != nil || strings.Trim(u.Path, "/") == "" {
			return "", errors.New("is not an address such as postgres://user:password@host:5432/usher")
		}
		return d, nil
	}
	if strings.Contains(s, "://") || strings.HasPrefix(s, "file:") {
		return "", errors.New("is neither a file path nor a postgres:// address")
	}
	return d, nil
}

func secretKeys(s string) (Hidden, error) {
	for i, key := range strings.Split(s, ",") {
		key = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(key), "="))
		raw, err := base64.RawStdEncoding.DecodeString(key)
		if err != nil {
			return Hidden{}, fmt.Errorf("key %d is not base64; make one with: openssl rand -base64 32", i+1)
		}
		if len(raw) != 32 {
			return Hidden{}, fmt.Errorf("key %d has %d bytes instead of 32; make one with: openssl rand -base64 32", i+1, len(raw))
		}
	}
	return Hide(s), nil
}

// prefixes reads addresses and CIDR blocks between commas or white space.
func prefixes(s string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		p, err := netip.ParsePrefix(field)
		if err != nil {
			ip, err := netip.ParseAddr(field)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address nor a block such as 10.0.0.0/8", field)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		if p != p.Masked() {
			return nil, fmt.Errorf("%q has bits outside its block; meant %s?", field, p.Masked())
		}
		all = append(all, p)
	}
	return all, nil
}

func appID(s string) (string, error) {
	if len(s) != 18 || s[:2] != "wx" || strings.Trim(s[2:], "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not wx and 16 digits or letters a–f; copy it from the console's 详情 page", s)
	}
	return s, nil
}

func word(s string) (Hidden, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Hidden{}, errors.New("holds white space or characters that WeChat does not use; copy it again")
	}
	return Hide(s), nil
}

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func token(s string) (Hidden, error) {
	if len(s) > 32 || !isAlphanumeric(s) {
		return Hidden{}, errors.New("is not 1 to 32 letters and digits; copy 消息校验Token from the console")
	}
	return Hide(s), nil
}

func aesKey(s string) (Hidden, error) {
	if len(s) != 43 || !isAlphanumeric(s) {
		return Hidden{}, fmt.Errorf("is not 43 letters and digits but %d characters; copy 消息加解密Key from the console", utf8.RuneCountInString(s))
	}
	return Hide(s), nil
}

func oneOf(s string, values ...string) (string, error) {
	if !slices.Contains(values, s) {
		return "", fmt.Errorf("%q is not %s", s, strings.Join(values, " or "))
	}
	return s, nil
}

func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%q is not true or false", s)
}

func level(s string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(s)); err != nil {
		return 0, fmt.Errorf("%q is not debug, info, warn or error", s)
	}
	return l, nil
}

// line reads a text of at most limit characters that people will see.
func line(s string, limit int) (string, error) {
	if utf8.RuneCountInString(s) > limit || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return "", fmt.Errorf("must be one line of at most %d characters", limit)
	}
	return s, nil
}

// ids reads what WeChat's category_id_list looks like; commas do as well.
func ids(s string) ([]int, error) {
	var all []int
	for _, field := range strings.FieldsFunc(s, func(r rune) bool { return r == '|' || r == ',' || unicode.IsSpace(r) }) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > 999 {
			return nil, fmt.Errorf("%q is not the number of a permission set; write for example 17|18|19", field)
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all, nil
}
