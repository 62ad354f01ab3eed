package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"
)

// An object is a JSON object that is written by hand, field by field.
type object map[string]any

// tokenKind says which token an endpoint wants in its query.
type tokenKind int

const (
	noToken       tokenKind = iota
	platformToken           // a component_access_token
	anyToken                // a component_access_token or an authorizer_access_token
)

// An endpoint is one server API. handle runs with the lock held.
type endpoint struct {
	method string
	token  tokenKind
	handle func(*call) (object, *apiError)
}

// A call is a request to an endpoint that passed the checks all of them share.
type call struct {
	base   string // the simulator's own address
	caller string // whose token was sent
	body   map[string]json.RawMessage
}

// text returns a field of the body; a missing one is empty, one that is not a
// JSON string is 47001.
func (c *call) text(name string) (string, *apiError) {
	raw, ok := c.body[name]
	if !ok {
		return "", nil
	}
	var v string
	if raw[0] != '"' || json.Unmarshal(raw, &v) != nil {
		return "", failure(47001)
	}
	return v, nil
}

// number is text for a field that must be a JSON integer.
func (c *call) number(name string) (int, *apiError) {
	var v int
	if raw, ok := c.body[name]; !ok || json.Unmarshal(raw, &v) != nil || string(raw) == "null" {
		return 0, failure(47001)
	}
	return v, nil
}

func (s *Simulator) endpointTable() map[string]endpoint {
	const post, get = http.MethodPost, http.MethodGet
	return map[string]endpoint{
		"/cgi-bin/component/api_start_push_ticket":   {post, noToken, s.startPushTicket},
		"/cgi-bin/component/api_component_token":     {post, noToken, s.componentToken},
		"/cgi-bin/component/api_create_preauthcode":  {post, platformToken, s.createPreAuthCode},
		"/cgi-bin/component/api_query_auth":          {post, platformToken, s.queryAuth},
		"/cgi-bin/component/api_authorizer_token":    {post, platformToken, s.authorizerToken},
		"/cgi-bin/component/api_get_authorizer_info": {post, platformToken, s.authorizerInfo},
		"/cgi-bin/component/api_get_authorizer_list": {post, platformToken, s.authorizerList},
		"/cgi-bin/getcallbackip":                     {get, anyToken, s.callbackIPs},
		"/cgi-bin/openapi/quota/get":                 {post, anyToken, s.quotaGet},
		"/cgi-bin/clear_quota":                       {post, anyToken, s.clearQuota},
		"/cgi-bin/component/clear_quota/v2":          {post, noToken, s.clearQuotaV2},
	}
}

// serveAPI answers for api.weixin.qq.com.
func (s *Simulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	e, ok := s.endpoints[r.URL.Path]
	if !ok {
		writeHTML(w, http.StatusNotFound, "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>\n")
		return
	}
	// The body is read first: only then does the server notice a client that
	// hangs up, which is how a hanging answer ends.
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	fault := s.begin(r.URL.Path)
	if fault.before(w, r) {
		return
	}
	answer, failed := s.answer(e, r, body)
	s.mu.Lock()
	if failed == nil {
		s.calls[r.URL.Path].OK++
	}
	s.mu.Unlock()
	if failed != nil {
		answer = object{"errcode": failed.code, "errmsg": failed.text + " rid: " + newRID()}
	}
	fault.after(w, r, answer, failed != nil)
}

// newRID returns the request id that WeChat's errmsg ends with.
func newRID() string {
	return randomText(8, hexDigits) + "-" + randomText(8, hexDigits) + "-" + randomText(8, hexDigits)
}

// answer runs the checks in the order the real gateway shows them, then the
// endpoint.
func (s *Simulator) answer(e endpoint, r *http.Request, body []byte) (object, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{base: s.base(r), caller: s.cfg.AppID}
	if r.Method != e.method {
		if e.method == http.MethodGet {
			return nil, failure(43001)
		}
		return nil, failure(43002)
	}
	token := tokenOf(r.URL.Query())
	if e.token != noToken && token == "" {
		return nil, failure(41001)
	}
	if ip := remoteIP(r); s.options.AllowedIPs != nil && !slices.Contains(s.options.AllowedIPs, ip) {
		return nil, &apiError{61004, errorText(61004) + " requestIP: " + ip}
	}
	if e.method == http.MethodPost {
		if len(bytes.TrimSpace(body)) == 0 {
			return nil, failure(44002)
		}
		if !plainJSON(body) || json.Unmarshal(body, &c.body) != nil || c.body == nil {
			return nil, failure(47001)
		}
	}
	if e.token != noToken {
		if failed := s.checkToken(c, e.token, token); failed != nil {
			return nil, failed
		}
	}
	if !s.spend(c.caller, r.URL.Path) {
		return nil, failure(45009)
	}
	return e.handle(c)
}

// tokenOf accepts both names of the query parameter: the newest pages say
// access_token, the older ones component_access_token.
func tokenOf(q url.Values) string {
	if t := q.Get("access_token"); t != "" {
		return t
	}
	return q.Get("component_access_token")
}

func (s *Simulator) checkToken(c *call, want tokenKind, token string) *apiError {
	now := s.now()
	if t := s.platformTokens[token]; t != nil {
		return t.check(now)
	}
	t := s.accessTokens[token]
	if t == nil {
		return failure(40001)
	}
	if failed := t.check(now); failed != nil {
		return failed
	}
	if want == platformToken {
		return failure(61014)
	}
	c.caller = t.appID
	return nil
}

// checkComponent compares the component_appid that almost every body carries.
func (s *Simulator) checkComponent(c *call) *apiError {
	id, failed := c.text("component_appid")
	switch {
	case failed != nil:
		return failed
	case id == "":
		return failure(41018)
	case id != s.cfg.AppID:
		return failure(40013)
	}
	return nil
}

// plainJSON reports whether body is UTF-8 without \u escapes, which several of
// WeChat's endpoints refuse.
func plainJSON(body []byte) bool {
	if !utf8.Valid(body) {
		return false
	}
	for i := 0; i < len(body)-1; i++ {
		if body[i] == '\\' {
			if body[i+1] == 'u' {
				return false
			}
			i++ // the escaped character, which may itself be a backslash
		}
	}
	return true
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// base is the simulator's own address for links in answers and pages.
func (s *Simulator) base(r *http.Request) string {
	if s.cfg.BaseURL != "" {
		return s.cfg.BaseURL
	}
	return "http://" + r.Host
}

// encodeJSON writes v as WeChat does: UTF-8, no HTML escapes, no final newline.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("simulator: %v", err)) // only our own maps and slices get here
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func writeHTML(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
