// Package wechat speaks with the WeChat Open Platform: it calls its server API,
// builds the links to its authorization pages and reads its pushes. It knows the
// protocol and nothing of storage, pages or of what the answers are used for; it
// repeats no call and writes no log.
package wechat

import (
	"cmp"
	"net"
	"net/http"
	"sync"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// The addresses of WeChat that a [Client] uses where its own are empty.
const (
	DefaultAPI = "https://api.weixin.qq.com"
	DefaultPC  = "https://mp.weixin.qq.com"
	DefaultH5  = "https://open.weixin.qq.com"
)

// Client calls WeChat as one platform. Its fields are set before the first call;
// then it is safe for concurrent use. It implements [onboard.OpenPlatform].
type Client struct {
	AppID  onboard.AppID // component_appid
	Secret secret.Secret // component_appsecret
	// CurrentSecret, when set, is asked for the secret at each call instead.
	CurrentSecret func() secret.Secret

	// API, PC and H5 are base addresses without a slash at the end: of the server
	// API, of the desktop page and of the page inside WeChat.
	API, PC, H5 string
	// OldH5 builds the link inside WeChat as the pages of 2022 describe it, on the
	// host of PC. The newest page no longer has it, its English version does.
	OldH5 bool
	// TokenParam is the query parameter that carries the platform token:
	// "access_token" when empty, or "component_access_token" as in older pages.
	TokenParam string
	// HTTP makes the calls; nil means one of [NewHTTPClient].
	HTTP *http.Client

	fallback struct {
		once sync.Once
		http *http.Client
	}
}

var _ onboard.OpenPlatform = (*Client)(nil)

// NewHTTPClient returns a client for calls to WeChat: 3 s to connect, 10 s in
// all, redirects not followed, because they would carry a secret elsewhere.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: 3 * time.Second,
			// Every call goes to one host, and refreshes come in bursts.
			MaxIdleConns:        64,
			MaxIdleConnsPerHost: 64,
			// Short, so that a connection is rarely used in the moment in which
			// the other side closes it: such a call has an unknown outcome.
			IdleConnTimeout: 30 * time.Second,
		},
	}
}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	c.fallback.once.Do(func() { c.fallback.http = NewHTTPClient() })
	return c.fallback.http
}

// secret is the component_appsecret in use.
func (c *Client) secret() secret.Secret {
	if c.CurrentSecret != nil {
		return c.CurrentSecret()
	}
	return c.Secret
}

func (c *Client) api() string        { return cmp.Or(c.API, DefaultAPI) }
func (c *Client) pc() string         { return cmp.Or(c.PC, DefaultPC) }
func (c *Client) h5() string         { return cmp.Or(c.H5, DefaultH5) }
func (c *Client) tokenParam() string { return cmp.Or(c.TokenParam, "access_token") }
