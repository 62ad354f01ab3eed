package simulator_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/simulator"
)

const (
	appID  = "wx00000000000000c1"
	secret = "0123456789abcdef0123456789abcdef"
	token  = "fJ7sQ2tokenDemo"
	aesKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)

// An event is a push after decryption, as a client reads it.
type event struct {
	AppID     string `xml:"AppId"`
	Created   int64  `xml:"CreateTime"`
	InfoType  string
	Ticket    string `xml:"ComponentVerifyTicket"`
	Account   string `xml:"AuthorizerAppid"`
	Code      string `xml:"AuthorizationCode"`
	CodeUntil int64  `xml:"AuthorizationCodeExpiredTime"`
	PreAuth   string `xml:"PreAuthCode"`
}

// A client is a third-party platform small enough to be checked by eye: it
// keeps what it is pushed and calls what the test tells it to.
type client struct {
	t      *testing.T
	sim    *simulator.Simulator
	wx     *httptest.Server // the simulator
	app    *httptest.Server // our event URL
	mu     sync.Mutex
	events []event
	answer func(w http.ResponseWriter) // nil = success
	token  string
}

// start runs a simulator and a client that listens to it. The clock stands
// still at a fixed time until a test moves it.
func start(t *testing.T, change ...func(*simulator.Config)) *client {
	t.Helper()
	c := &client{t: t}
	c.app = httptest.NewServer(http.HandlerFunc(c.receive))
	t.Cleanup(c.app.Close)
	cfg := simulator.Config{
		AppID: appID, Secret: secret, Token: token, AESKey: aesKey,
		LaunchDomain: "merchant.example.com", EventURL: c.app.URL + "/wechat/events", Seed: 1,
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	}
	for _, f := range change {
		f(&cfg)
	}
	sim, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.sim = sim
	c.wx = httptest.NewServer(sim)
	t.Cleanup(c.wx.Close)
	return c
}

func (c *client) receive(w http.ResponseWriter, r *http.Request) {
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: appID, Token: token, AESKey: aesKey})
	if err != nil {
		c.t.Error(err)
	}
	var outer struct {
		XMLName xml.Name `xml:"xml"`
		AppID   string   `xml:"AppId"`
		Encrypt string
	}
	if err := xml.NewDecoder(r.Body).Decode(&outer); err != nil {
		c.t.Errorf("push body: %v", err)
	}
	q := r.URL.Query()
	if got, want := q.Get("msg_signature"), crypt.Signature(q.Get("timestamp"), q.Get("nonce"), outer.Encrypt); got != want {
		c.t.Errorf("msg_signature = %q, want %q", got, want)
	}
	if r.Method != http.MethodPost || q.Get("encrypt_type") != "aes" || len(q.Get("signature")) != 40 || outer.AppID != appID {
		c.t.Errorf("push %s %s AppId %q", r.Method, r.URL, outer.AppID)
	}
	plain, err := crypt.Open(outer.Encrypt)
	if err != nil {
		c.t.Errorf("Open: %v", err)
	}
	var e event
	if err := xml.Unmarshal(plain, &e); err != nil {
		c.t.Errorf("push %q: %v", plain, err)
	}
	c.mu.Lock()
	c.events = append(c.events, e)
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		answer(w)
		return
	}
	_, _ = io.WriteString(w, "success")
}

// pushed returns the events so far and forgets them.
func (c *client) pushed() []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.events
	c.events = nil
	return got
}

// do calls an API and returns the status and body as they are.
func (c *client) do(method, path, body string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.wx.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// call posts JSON with the platform token and returns the answer's JSON.
func (c *client) call(path string, body map[string]any) map[string]any {
	c.t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(body); err != nil {
		c.t.Fatal(err)
	}
	_, text := c.do(http.MethodPost, path+"?access_token="+url.QueryEscape(c.token), b.String())
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		c.t.Fatalf("%s answered %q: %v", path, text, err)
	}
	return answer
}

// errcode is the number in an answer, 0 when there is none.
func errcode(answer map[string]any) int {
	n, _ := answer["errcode"].(float64)
	return int(n)
}

// ready gets a ticket and a platform token.
func (c *client) ready() *client {
	c.t.Helper()
	if err := c.sim.PushTicket(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	got := c.pushed()
	if len(got) != 1 || got[0].InfoType != "component_verify_ticket" || got[0].Ticket == "" {
		c.t.Fatalf("PushTicket pushed %+v", got)
	}
	c.fetchToken(got[0].Ticket)
	return c
}

func (c *client) fetchToken(ticket string) {
	c.t.Helper()
	answer := c.call("/cgi-bin/component/api_component_token", map[string]any{
		"component_appid": appID, "component_appsecret": secret, "component_verify_ticket": ticket})
	c.token, _ = answer["component_access_token"].(string)
	if c.token == "" || answer["expires_in"] != 7200.0 || answer["errcode"] != nil {
		c.t.Fatalf("api_component_token = %v", answer)
	}
}

func (c *client) preAuthCode() string {
	c.t.Helper()
	answer := c.call("/cgi-bin/component/api_create_preauthcode", map[string]any{"component_appid": appID})
	code, _ := answer["pre_auth_code"].(string)
	if code == "" {
		c.t.Fatalf("api_create_preauthcode = %v", answer)
	}
	return code
}

// link is an authorization link; more are extra parameters in name, value order.
func (c *client) link(path string, more ...string) string {
	c.t.Helper()
	q := url.Values{
		"component_appid": {appID}, "pre_auth_code": {c.preAuthCode()}, "auth_type": {"3"},
		"redirect_uri": {"https://merchant.example.com/cb/state123"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return path + "?" + q.Encode()
}

// authorize consents without pages, delivers the push and returns the code.
func (c *client) authorize(account string, ids ...int) string {
	c.t.Helper()
	to, err := c.sim.Consent(simulator.Consent{Link: c.link("/cgi-bin/componentloginpage", "auth_type", "6"), AppID: account, Permissions: ids})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.sim.Deliver(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		c.t.Fatal(err)
	}
	return u.Query().Get("auth_code")
}

func (c *client) exchange(code string) map[string]any {
	c.t.Helper()
	return c.call("/cgi-bin/component/api_query_auth", map[string]any{"component_appid": appID, "authorization_code": code})
}

func (c *client) refresh(account, refresh string) map[string]any {
	c.t.Helper()
	return c.call("/cgi-bin/component/api_authorizer_token", map[string]any{
		"component_appid": appID, "authorizer_appid": account, "authorizer_refresh_token": refresh})
}

func TestNewRefusesBadKeys(t *testing.T) {
	for _, cfg := range []simulator.Config{
		{},
		{AppID: appID, Token: token, AESKey: aesKey},
		{AppID: appID, Secret: secret, Token: token, AESKey: "short"},
	} {
		if s, err := simulator.New(cfg); err == nil || s != nil {
			t.Errorf("New(%+v) = %v, %v; want an error", cfg, s, err)
		}
	}
}

// sets are the ids in func_info.
func sets(t *testing.T, info any) string {
	t.Helper()
	var ids []int
	list, _ := info.(map[string]any)["func_info"].([]any)
	for _, e := range list {
		category, _ := e.(map[string]any)["funcscope_category"].(map[string]any)
		id, _ := category["id"].(float64)
		ids = append(ids, int(id))
	}
	return fmt.Sprint(ids)
}
