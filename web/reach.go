package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Kinds of failures of a call to our own public address; their sentences are
// wizard.address.<kind>.
const (
	reachClosed   = "closed"   // no connection
	reachTLS      = "tls"      // the certificate
	reachRedirect = "redirect" // it leads elsewhere
	reachStatus   = "status"   // an answer, but not that of /healthz
	reachOther    = "other"    // another site, or an Usher with another key
)

// reachTime is how long our own address may take to answer.
const reachTime = 5 * time.Second

// notReached says how a call to our own address failed.
type notReached struct {
	kind string
	err  error
}

func (e *notReached) Error() string { return fmt.Sprintf("the public address (%s): %v", e.kind, e.err) }
func (e *notReached) Unwrap() error { return e.err }

// isNonce reports whether s is one of ours: 26 letters and digits.
func isNonce(s string) bool {
	if len(s) != 26 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !('A' <= c && c <= 'Z' || '2' <= c && c <= '7') {
			return false
		}
	}
	return true
}

// reachSelf calls /healthz at the public address and looks whether we answer: only
// who holds our key can answer the nonce. Nothing that comes with a request decides
// what is called, a redirect is not followed, and of the answer nothing is shown.
func (s *Server) reachSelf(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	nonce := rand.Text()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.PublicURL+"/healthz?nonce="+nonce, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: s.Self, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if s.Self == nil {
		// Without a proxy and without a connection that was used before: the way that
		// others come.
		transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		client.Transport = transport
	}
	resp, err := client.Do(req)
	if err != nil {
		kind := reachClosed
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			kind = reachTLS
		} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
			kind = reachTLS
		}
		return &notReached{kind, err}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return &notReached{reachRedirect, fmt.Errorf("status %d", resp.StatusCode)}
	case resp.StatusCode != http.StatusOK:
		return &notReached{reachStatus, fmt.Errorf("status %d", resp.StatusCode)}
	}
	var answer health
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&answer); err != nil {
		return &notReached{reachOther, err}
	}
	if subtle.ConstantTimeCompare([]byte(answer.Proof), []byte(s.Console.ProveAddress(nonce))) != 1 {
		return &notReached{reachOther, errors.New("the answer does not prove our key")}
	}
	return nil
}
