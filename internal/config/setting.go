package config

// A setting is one line of the table below: how it is called, what it means and
// how its text becomes a part of a Config.
type setting struct {
	name     string // of the environment variable
	usage    string
	value    string // shown in --help as what to write
	def      string // default, as text
	secret   bool   // not a flag itself, because a command line is visible to everybody on the machine
	required bool   // must not be empty
	set      func(c *Config, text string) error
}

// settings is the whole table, in the order of the manual.
var settings = []setting{
	{name: "USHER_LISTEN", value: "HOST:PORT", def: "127.0.0.1:8080", required: true,
		usage: "address to accept connections on",
		set:   func(c *Config, s string) (err error) { c.Listen, err = listen(s); return err }},
	{name: "USHER_PUBLIC_URL", value: "URL", required: true,
		usage: "address of this site as merchants and WeChat reach it; its host is the console's 授权发起页域名",
		set:   func(c *Config, s string) (err error) { c.PublicURL, err = base(s); return err }},
	{name: "USHER_DATABASE", value: "PATH|URL", def: "data/usher.db", required: true,
		usage: "file of the SQLite database, or postgres://user@host/name",
		set:   func(c *Config, s string) (err error) { c.Database, err = database(s); return err }},
	{name: "USHER_SECRET_KEY", value: "KEY[,KEY]", secret: true, required: true,
		usage: "32 random bytes in base64 that seal stored secrets (openssl rand -base64 32); to change it, put the new one in front",
		set:   func(c *Config, s string) (err error) { c.SecretKey, err = secretKeys(s); return err }},
	{name: "USHER_TRUSTED_PROXIES", value: "CIDR,…",
		usage: "addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
		set:   func(c *Config, s string) (err error) { c.TrustedProxies, err = prefixes(s); return err }},

	{name: "USHER_COMPONENT_APPID", value: "APPID", required: true,
		usage: "AppID of the third-party platform",
		set:   func(c *Config, s string) (err error) { c.AppID, err = appID(s); return err }},
	{name: "USHER_COMPONENT_SECRET", value: "TEXT", secret: true,
		usage: "AppSecret of the third-party platform; without it an owner enters it in the console",
		set:   func(c *Config, s string) (err error) { c.Secret, err = word(s); return err }},
	{name: "USHER_PUSH_TOKEN", value: "TEXT", secret: true,
		usage: "消息校验Token of WeChat's console; without it an owner enters it in ours",
		set:   func(c *Config, s string) (err error) { c.PushToken, err = token(s); return err }},
	{name: "USHER_PUSH_TOKEN_PREVIOUS", value: "TEXT", secret: true,
		usage: "the Token before it, while a change is being released",
		set:   func(c *Config, s string) (err error) { c.PreviousPushToken, err = token(s); return err }},
	{name: "USHER_AES_KEY", value: "TEXT", secret: true,
		usage: "消息加解密Key of WeChat's console, 43 characters; without it an owner enters it in ours",
		set:   func(c *Config, s string) (err error) { c.AESKey, err = aesKey(s); return err }},
	{name: "USHER_AES_KEY_PREVIOUS", value: "TEXT", secret: true,
		usage: "the Key before it, while a change is being released",
		set:   func(c *Config, s string) (err error) { c.PreviousAESKey, err = aesKey(s); return err }},

	{name: "USHER_WECHAT_API", value: "URL", def: "https://api.weixin.qq.com", required: true,
		usage: "base address of WeChat's server API",
		set:   func(c *Config, s string) (err error) { c.WeChatAPI, err = base(s); return err }},
	{name: "USHER_WECHAT_PC", value: "URL", def: "https://mp.weixin.qq.com", required: true,
		usage: "base address of WeChat's authorization page for desktops",
		set:   func(c *Config, s string) (err error) { c.WeChatPC, err = base(s); return err }},
	{name: "USHER_WECHAT_H5", value: "URL", def: "https://open.weixin.qq.com", required: true,
		usage: "base address of WeChat's authorization page for phones",
		set:   func(c *Config, s string) (err error) { c.WeChatH5, err = base(s); return err }},
	{name: "USHER_WECHAT_TOKEN_PARAM", value: "NAME", def: "access_token", required: true,
		usage: "query name of the platform token: access_token or component_access_token",
		set: func(c *Config, s string) (err error) {
			c.TokenParam, err = oneOf(s, "access_token", "component_access_token")
			return err
		}},
	{name: "USHER_WECHAT_OLD_H5", value: "BOOL", def: "false", required: true,
		usage: "use the former path of the authorization page for phones",
		set:   func(c *Config, s string) (err error) { c.OldH5, err = boolean(s); return err }},

	{name: "USHER_BRAND", value: "NAME", def: "Usher", required: true,
		usage: "name shown to merchants",
		set:   func(c *Config, s string) (err error) { c.Brand, err = line(s, 40); return err }},
	{name: "USHER_CONTACT", value: "TEXT",
		usage: "how merchants reach you, such as a phone number or a WeChat ID; shown where something went wrong",
		set:   func(c *Config, s string) (err error) { c.Contact, err = line(s, 100); return err }},
	{name: "USHER_PERMISSION_SETS", value: "ID|ID|…",
		usage: "permission sets every merchant is asked for, such as 17|18|19; empty asks for all of the platform's",
		set:   func(c *Config, s string) (err error) { c.PermissionSets, err = ids(s); return err }},
	{name: "USHER_LOG_FORMAT", value: "FORMAT",
		usage: "text or json; by default text on a terminal and json elsewhere",
		set:   func(c *Config, s string) (err error) { c.LogFormat, err = oneOf(s, "text", "json"); return err }},
	{name: "USHER_LOG_LEVEL", value: "LEVEL", def: "info", required: true,
		usage: "debug, info, warn or error",
		set:   func(c *Config, s string) (err error) { c.LogLevel, err = level(s); return err }},
}
