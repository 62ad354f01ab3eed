package wechat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// rawServer hands every connection to serve, with its number from 1.
func rawServer(t *testing.T, serve func(n int, conn net.Conn)) *Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn)
			}()
		}
	}()
	return &Client{AppID: testAppID, API: "http://" + listener.Addr().String(), HTTP: NewHTTPClient()}
}

// readRequest reads one whole request; it is false at the end of the connection.
func readRequest(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

// TestCall_Failures: whether WeChat may have acted decides what becomes of a code.
func TestCall_Failures(t *testing.T) {
	answer := func(text string) func(int, net.Conn) {
		return func(_ int, conn net.Conn) {
			if readRequest(bufio.NewReader(conn)) {
				_, _ = io.WriteString(conn, text)
			}
		}
	}
	tests := []struct {
		name    string
		serve   func(int, net.Conn)
		api     string // instead of a server
		unknown bool
	}{
		{name: "connection refused", api: "http://127.0.0.1:1"},
		{name: "no such host", api: "http://wechat.invalid"},
		{name: "bad address", api: "http://[::1"},
		{name: "TLS handshake fails", api: "https"},
		{name: "closed before the request was read", serve: func(_ int, conn net.Conn) {}, unknown: true},
		{name: "closed after the request was read", serve: answer(""), unknown: true},
		{name: "reset", serve: func(_ int, conn net.Conn) {
			readRequest(bufio.NewReader(conn))
			_ = conn.(*net.TCPConn).SetLinger(0)
		}, unknown: true},
		{name: "not HTTP", serve: answer("SSH-2.0\r\n"), unknown: true},
		{name: "head cut", serve: answer("HTTP/1.1 200 OK\r\nContent-Le"), unknown: true},
		{name: "body cut", serve: answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"authorization_info\":{}}"), unknown: true},
		{name: "chunks cut", serve: answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), unknown: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &Client{AppID: testAppID, API: tt.api, HTTP: NewHTTPClient()}
			switch {
			case tt.serve != nil:
				c = rawServer(t, tt.serve)
			case tt.api == "https":
				server := httptest.NewUnstartedServer(http.NotFoundHandler())
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.StartTLS() // its certificate is nobody's we trust
				t.Cleanup(server.Close)
				c.API = server.URL
			}
			_, err := c.Exchange(t.Context(), platformToken, authCode)
			up, ok := errors.AsType[*onboard.UpstreamError](err)
			if !ok || up.Unknown != tt.unknown || up.Code != 0 || up.Reaction != onboard.Backoff || up.API != "api_query_auth" {
				t.Errorf("Exchange = %#v, want an UpstreamError with Unknown %v", err, tt.unknown)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), mark) || strings.Contains(err.Error(), "access_token=") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// TestExchange_NotAutoRetried: net/http repeats some requests by itself when a
// kept connection breaks. None that may have been read is.
func TestExchange_NotAutoRetried(t *testing.T) {
	var requests, connections atomic.Int32
	var broken atomic.Bool
	c := rawServer(t, func(_ int, conn net.Conn) {
		connections.Add(1)
		r := bufio.NewReader(conn)
		for readRequest(r) {
			requests.Add(1)
			if broken.Load() {
				return // read, not answered
			}
			const answer = `{"authorization_info":{"authorizer_appid":"wx00000000000000a1","func_info":[]}}`
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		}
	})
	reused := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	for !reused { // on a busy machine the first connection may not be kept
		if _, err := c.Exchange(ctx, platformToken, authCode); err != nil {
			t.Fatal(err)
		}
	}
	broken.Store(true)
	read, opened := requests.Load(), connections.Load()
	_, err := c.Exchange(ctx, platformToken, authCode)
	up, ok := errors.AsType[*onboard.UpstreamError](err)
	if !ok || !up.Unknown {
		t.Errorf("Exchange on a connection that broke = %v, want an unknown outcome", err)
	}
	if n := requests.Load() - read; n != 1 {
		t.Errorf("WeChat read the request %d times, want once", n)
	}
	if reused && connections.Load() != opened {
		t.Errorf("the request went over %d more connections, want the one that was kept", connections.Load()-opened)
	}
}

func TestCall_RedirectNotFollowed(t *testing.T) {
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect) // the status that repeats the body
	}))
	t.Cleanup(server.Close)
	c := &Client{AppID: testAppID, API: server.URL} // without HTTP of its own
	_, _, err := c.PlatformToken(t.Context(), ticket)
	if err == nil || strayed.Load() != 0 {
		t.Errorf("PlatformToken = %v with %d calls elsewhere, want an error and none", err, strayed.Load())
	}
}

// TestCall_Canceled: the caller recognizes its own cancellation.
func TestCall_Canceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	c := &Client{AppID: testAppID, API: server.URL, HTTP: NewHTTPClient()}
	_, err := c.Exchange(ctx, platformToken, authCode)
	if up, ok := errors.AsType[*onboard.UpstreamError](err); !ok || !up.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("Exchange canceled while WeChat works = %v, want context.Canceled and an unknown outcome", err)
	}
	_, err = c.Exchange(ctx, platformToken, authCode)
	if up, ok := errors.AsType[*onboard.UpstreamError](err); !ok || up.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("Exchange canceled before it began = %v, want context.Canceled and a known outcome", err)
	}
}

// TestNewHTTPClient_Patience: a WeChat that never answers costs ten seconds.
func TestNewHTTPClient_Patience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewHTTPClient()
		here, there := net.Pipe()
		defer there.Close()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return here, nil }
		c := &Client{AppID: testAppID, API: "http://wechat.test", HTTP: client}
		start := time.Now()
		_, err := c.Exchange(t.Context(), platformToken, authCode)
		up, ok := errors.AsType[*onboard.UpstreamError](err)
		if took := time.Since(start); !ok || !up.Unknown || took != 10*time.Second {
			t.Errorf("Exchange with a silent WeChat = %v after %v, want an unknown outcome after 10s", err, took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), mark) {
			t.Errorf("the error = %v, want a deadline and no secret", err)
		}
	})
}

func TestClient_ShowsNoSecret(t *testing.T) {
	c := &Client{AppID: testAppID, Secret: secret.New("app-" + mark)}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if got := fmt.Sprintf(verb, c); strings.Contains(got, mark) {
			t.Errorf("Sprintf(%q) = %s, which shows the secret", verb, got)
		}
	}
}
