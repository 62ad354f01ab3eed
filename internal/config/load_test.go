package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"usher/internal/config"
)

const (
	sealKey   = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	aesKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	appSecret = "0c79eb5a2fd9c0ffee0c79eb5a2fd9c0"
)

// complete is the least environment that Load accepts.
func complete(more ...string) []string {
	return append([]string{
		"PATH=/bin",
		"USHER_PUBLIC_URL=https://open.example.com",
		"USHER_SECRET_KEY=" + sealKey,
		"USHER_COMPONENT_APPID=wx0123456789abcdef",
		"USHER_COMPONENT_SECRET=" + appSecret,
		"USHER_PUSH_TOKEN=pushtoken",
		"USHER_AES_KEY=" + aesKey,
	}, more...)
}

func TestLoad_Defaults(t *testing.T) {
	got, err := config.Load(nil, complete())
	want := config.Config{
		Listen:     "127.0.0.1:8080",
		PublicURL:  "https://open.example.com",
		Database:   "data/usher.db",
		SecretKey:  config.Hide(sealKey),
		AppID:      "wx0123456789abcdef",
		Secret:     config.Hide(appSecret),
		PushToken:  config.Hide("pushtoken"),
		AESKey:     config.Hide(aesKey),
		WeChatAPI:  "https://api.weixin.qq.com",
		WeChatPC:   "https://mp.weixin.qq.com",
		WeChatH5:   "https://open.weixin.qq.com",
		TokenParam: "access_token",
		Brand:      "Usher",
		LogLevel:   slog.LevelInfo,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Load(complete) = %+v, %v; want %+v", got, err, want)
	}
}

// TestLoad_Values has one row for each accepted way to write a setting.
func TestLoad_Values(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("fromfile\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args string
		env  string
		got  func(config.Config) any
		want any
	}{
		{"", "USHER_LISTEN=:80", func(c config.Config) any { return c.Listen }, ":80"},
		{"--listen [::1]:0", "USHER_LISTEN=:80", func(c config.Config) any { return c.Listen }, "[::1]:0"},
		{"-listen=:81", "", func(c config.Config) any { return c.Listen }, ":81"},
		{"", "USHER_LISTEN=", func(c config.Config) any { return c.Listen }, "127.0.0.1:8080"},
		{"--public-url https://Open.Example.com:8443/", "", func(c config.Config) any { return c.PublicURL }, "https://open.example.com:8443"},
		{"--public-url http://localhost:8080", "", func(c config.Config) any { return c.PublicURL }, "http://localhost:8080"},
		{"--public-url http://[::1]:8080", "", func(c config.Config) any { return c.Host() }, "::1"},
		{"", "USHER_DATABASE=/var/lib/usher/a.db", func(c config.Config) any { return c.Database.IsPostgres() }, false},
		{"--database postgres://u:p@h/usher", "", func(c config.Config) any { return c.Database.IsPostgres() }, true},
		{"", "USHER_SECRET_KEY=" + sealKey + "," + strings.TrimRight(sealKey, "="), func(c config.Config) any { return len(c.SecretKey.Reveal()) }, 88},
		{"--trusted-proxies 127.0.0.1,10.0.0.0/8", "", func(c config.Config) any { return c.TrustedProxies },
			[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}},
		{"--push-token-file " + file, "", func(c config.Config) any { return c.PushToken.Reveal() }, "fromfile"},
		{"", "USHER_AES_KEY_PREVIOUS=" + aesKey, func(c config.Config) any { return c.PreviousAESKey.Reveal() }, aesKey},
		{"", "USHER_PUSH_TOKEN_PREVIOUS_FILE=" + file, func(c config.Config) any { return c.PreviousPushToken.Reveal() }, "fromfile"},
		{"--wechat-api http://127.0.0.1:9090", "", func(c config.Config) any { return c.WeChatAPI }, "http://127.0.0.1:9090"},
		{"--wechat-token-param component_access_token", "", func(c config.Config) any { return c.TokenParam }, "component_access_token"},
		{"--wechat-old-h5 yes", "", func(c config.Config) any { return c.OldH5 }, true},
		{"", "USHER_BRAND=山茶花 SaaS", func(c config.Config) any { return c.Brand }, "山茶花 SaaS"},
		{"", "USHER_CONTACT=微信 chahua-kefu", func(c config.Config) any { return c.Contact }, "微信 chahua-kefu"},
		{"--permission-sets 17|18,19|17", "", func(c config.Config) any { return c.PermissionSets }, []int{17, 18, 19}},
		{"--log-format text --log-level debug", "", func(c config.Config) any { return c.LogFormat + c.LogLevel.String() }, "textDEBUG"},
		{"", "USHER_PUBLICURL=x", func(c config.Config) any { return c.Unknown }, []string{"USHER_PUBLICURL"}},
		{"", "USHER_TEST_REQUIRE=chromium", func(c config.Config) any { return len(c.Unknown) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.args+tt.env, func(t *testing.T) {
			c, err := config.Load(strings.Fields(tt.args), complete(tt.env))
			if err != nil || !reflect.DeepEqual(tt.got(c), tt.want) {
				t.Errorf("Load(%q, %q) = %v, %v; want %v", tt.args, tt.env, tt.got(c), err, tt.want)
			}
		})
	}
}

func TestLoad_Faults(t *testing.T) {
	tests := []struct{ args, env, want string }{
		{"", "USHER_LISTEN=8080", "USHER_LISTEN"},
		{"", "USHER_LISTEN=localhost:http", "USHER_LISTEN"},
		{"", "USHER_LISTEN=localhost:65536", "USHER_LISTEN"},
		{"", "USHER_PUBLIC_URL=http://open.example.com", "must begin with https://"},
		{"", "USHER_PUBLIC_URL=open.example.com", "not an address"},
		{"", "USHER_PUBLIC_URL=https://open.example.com/usher", "without a path"},
		{"", "USHER_PUBLIC_URL=https://open.example.com?", "without a path"},
		{"", "USHER_PUBLIC_URL=https://u@open.example.com", "a user"},
		{"", "USHER_DATABASE=mysql://h/db", "neither a file path"},
		{"", "USHER_DATABASE=postgres://h", "postgres://user"},
		{"", "USHER_SECRET_KEY=c2hvcnQ=", "key 1 has 5 bytes"},
		{"", "USHER_SECRET_KEY=" + sealKey + ",%", "key 2 is not base64"},
		{"", "USHER_TRUSTED_PROXIES=proxy.local", "neither an address"},
		{"", "USHER_TRUSTED_PROXIES=10.0.0.1/8", "10.0.0.0/8?"},
		{"", "USHER_COMPONENT_APPID=wx0123456789ABCDEF", "USHER_COMPONENT_APPID"},
		{"", "USHER_COMPONENT_APPID=gh_0123456789abcde", "USHER_COMPONENT_APPID"},
		{"", "USHER_COMPONENT_SECRET=two words", "white space"},
		{"", "USHER_PUSH_TOKEN=dash-ed", "letters and digits"},
		{"", "USHER_PUSH_TOKEN=" + strings.Repeat("a", 33), "1 to 32"},
		{"", "USHER_AES_KEY=" + aesKey + "=", "44 characters"},
		{"", "USHER_WECHAT_H5=http://open.weixin.qq.com", "USHER_WECHAT_H5"},
		{"", "USHER_WECHAT_TOKEN_PARAM=token", "access_token or component_access_token"},
		{"", "USHER_WECHAT_OLD_H5=maybe", "true or false"},
		{"", "USHER_BRAND=" + strings.Repeat("茶", 41), "40 characters"},
		{"", "USHER_CONTACT=two\nlines", "one line"},
		{"", "USHER_PERMISSION_SETS=17|x", `"x" is not the number`},
		{"", "USHER_LOG_FORMAT=xml", "text or json"},
		{"", "USHER_LOG_LEVEL=loud", "not debug, info, warn or error"},
		{"", "USHER_PUSH_TOKEN_FILE=/etc/hostname", "are both set"},
		{"--aes-key-file /nowhere/key", "", "USHER_AES_KEY_FILE cannot be read"},
		{"--secret-key x", "", "not defined: -secret-key"},
		{"serve", "", `"serve" is not expected`},
	}
	for _, tt := range tests {
		t.Run(tt.args+tt.env, func(t *testing.T) {
			// A variable that is set twice counts as it was set last.
			_, err := config.Load(strings.Fields(tt.args), complete(tt.env))
			var faults config.Faults
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load(%q, %q) = %v, want one fault with %q", tt.args, tt.env, err, tt.want)
			}
		})
	}
}

// TestLoad_AllFaultsAtOnce gives a Load everything wrong and expects everything
// told, and no secret told.
func TestLoad_AllFaultsAtOnce(t *testing.T) {
	_, err := config.Load([]string{"--listen", "nonsense", "--bogus"}, []string{
		"USHER_AES_KEY=tooshortZq", "USHER_PUSH_TOKEN=not-a-tokenZq", "USHER_COMPONENT_SECRET=spaced secretZq",
		"USHER_SECRET_KEY=badkeyZq", "USHER_DATABASE=mysql://root:passwordZq@h/db", "USHER_COMPONENT_APPID=",
	})
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Load(everything wrong) = %v, want Faults", err)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	want := []string{"command line:", "USHER_LISTEN", "USHER_PUBLIC_URL", "USHER_DATABASE", "USHER_SECRET_KEY",
		"USHER_COMPONENT_APPID", "USHER_COMPONENT_SECRET", "USHER_PUSH_TOKEN", "USHER_AES_KEY"}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("Load(everything wrong) names %q, want %q", names, want)
	}
	if strings.Contains(err.Error(), "Zq") {
		t.Errorf("a fault repeats a secret value:\n%v", err)
	}
}

// TestLoad_Some checks that a command which needs one setting asks for no other.
func TestLoad_Some(t *testing.T) {
	c, err := config.Load([]string{"--database", "x.db"}, nil, "USHER_DATABASE")
	if err != nil || c.Database != "x.db" {
		t.Errorf("Load(only the database) = %v, %v", c.Database, err)
	}
	if _, err := config.Load([]string{"--listen", ":1"}, nil, "USHER_DATABASE"); err == nil {
		t.Error("Load(only the database) accepted --listen")
	}
}

func TestLoad_Help(t *testing.T) {
	for _, arg := range []string{"-h", "--help"} {
		if _, err := config.Load([]string{arg}, nil); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("Load(%q) = %v, want flag.ErrHelp", arg, err)
		}
	}
	var b strings.Builder
	config.Usage(&b)
	for _, want := range []string{
		"USHER_LISTEN, --listen HOST:PORT\n", "(default 127.0.0.1:8080)",
		"USHER_SECRET_KEY, USHER_SECRET_KEY_FILE, --secret-key-file PATH\n", "(required)",
		"USHER_PERMISSION_SETS, --permission-sets",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Usage lacks %q:\n%s", want, b.String())
		}
	}
}

// TestConfig_PrintsNoSecret prints a Config in every way that might happen.
func TestConfig_PrintsNoSecret(t *testing.T) {
	c, err := config.Load(nil, complete("USHER_DATABASE=postgres://usher:pgpassword@db/usher?password=pgpassword"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", c, "key", c.AESKey, "database", c.Database)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c), log.String(), string(asJSON),
		fmt.Sprintf("%x %#v %v %q", c.SecretKey, c.Secret, &c.PushToken, c.Database),
	} {
		for _, secret := range []string{sealKey, appSecret, "pushtoken", aesKey, "pgpassword", fmt.Sprintf("%x", "pushtoken")} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %s", secret, text)
			}
		}
	}
}
