// Package config reads the settings of the program from the environment and
// from flags, checks all of them, and reports everything that is wrong at once
// together with what to do about it. It does not know what the settings are for.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
)

// Config is every setting after it was checked. A secret in it does not print.
type Config struct {
	Listen         string         // host:port to accept connections on
	PublicURL      string         // address as browsers and WeChat see it, without a slash at the end
	Database       Database       // where everything is kept
	SecretKey      Hidden         // keys that seal stored secrets, base64, the newest first
	TrustedProxies []netip.Prefix // whose X-Forwarded-* headers are believed

	AppID             string // component_appid of the third-party platform
	Secret            Hidden // component_appsecret
	PushToken         Hidden // 消息校验Token
	PreviousPushToken Hidden // the one before it, during a change; may be empty
	AESKey            Hidden // 消息加解密Key
	PreviousAESKey    Hidden // the one before it, during a change; may be empty

	WeChatAPI  string // base address of WeChat's server API
	WeChatPC   string // base address of the authorization page for desktops
	WeChatH5   string // base address of the authorization page for phones
	TokenParam string // query name of the platform token: access_token or component_access_token
	OldH5      bool   // use the phone page's former path

	Brand          string // name shown to merchants
	Contact        string // how merchants reach the operator; may be empty
	PermissionSets []int  // sets every merchant is asked for; empty for all of the platform's
	LogFormat      string // text or json
	LogLevel       slog.Level

	// Unknown names the USHER_ variables of the environment that no setting has,
	// most likely misspelled.
	Unknown []string
}

// Host is the host name of PublicURL without a port: what WeChat's console has
// to hold as 授权发起页域名.
func (c Config) Host() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Database is a file path or a postgres:// address. It prints without the user
// and password that an address may hold.
type Database string

// IsPostgres tells an address of a PostgreSQL server from a file path.
func (d Database) IsPostgres() bool {
	return strings.HasPrefix(string(d), "postgres://") || strings.HasPrefix(string(d), "postgresql://")
}

// String is the path, or the address without user, password and parameters.
func (d Database) String() string {
	if !d.IsPostgres() {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return "postgres://[unreadable]"
	}
	return "postgres://" + u.Host + u.Path
}

// Format keeps every verb of package fmt from showing a password.
func (d Database) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.String())) }

// MarshalText writes what String says, for encoding/json and its like.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// LogValue gives slog what String says.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// LogValue lists the settings that explain how a running program behaves.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("listen", c.Listen),
		slog.String("public_url", c.PublicURL),
		slog.String("database", c.Database.String()),
		slog.String("appid", c.AppID),
		slog.Any("trusted_proxies", c.TrustedProxies),
		slog.String("wechat_api", c.WeChatAPI),
		slog.Bool("previous_push_token", c.PreviousPushToken.value != ""),
		slog.Bool("previous_aes_key", c.PreviousAESKey.value != ""),
	)
}
