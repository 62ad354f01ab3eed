package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// maxAnswer bounds what is read of an answer. The longest known one, a page of
// 500 authorizers, has about 150 KB.
const maxAnswer = 4 << 20

// request is one call.
type request struct {
	path  string        // such as "/cgi-bin/component/api_query_auth"
	token secret.Secret // travels in the query; empty for the calls without one
	body  any           // sent as JSON; nil makes the call a GET
	// secrets are the values in body that must not come back in an error text.
	secrets []secret.Secret
}

// name is how the official pages call the API: the path without its common part.
func (r request) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(r.path, "/cgi-bin/"), "component/")
}

// call makes the request once and decodes the answer into out. Every error is
// an [*onboard.UpstreamError].
func (c *Client) call(ctx context.Context, r request, out any) error {
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return r.failure(err, false)
	}
	// From the moment there is a connection, the request may have reached WeChat.
	// Before it (name, dial, handshake) it surely has not.
	var sent atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	}))
	// net/http sends a POST again only when it has written no byte of it, so
	// WeChat never sees one call twice.
	resp, err := c.http().Do(req)
	if err != nil {
		return r.failure(err, sent.Load())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return r.failure(err, true)
	}
	if len(body) > maxAnswer {
		return r.failure(fmt.Errorf("status %d: answer longer than %d bytes", resp.StatusCode, maxAnswer), true)
	}
	return r.decode(resp.StatusCode, body, out)
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target := c.api() + r.path
	if !r.token.Empty() {
		target += "?" + c.tokenParam() + "=" + url.QueryEscape(r.token.Reveal())
	}
	if r.body == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	}
	// Some APIs refuse \u escapes (40033, 47002), so everything goes as raw UTF-8.
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r.body); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, &body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return req, nil
}

// decode reads an answer. A refusal is an error that WeChat's errcode
// classifies; whatever cannot be read leaves the outcome unknown.
func (r request) decode(status int, body []byte, out any) error {
	var head struct {
		Code number `json:"errcode"`
		Msg  text   `json:"errmsg"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return r.failure(fmt.Errorf("status %d: answer of %d bytes is not the JSON expected", status, len(body)), true)
	}
	if head.Code.sent && !head.Code.ok {
		return r.failure(fmt.Errorf("status %d: errcode is not a number", status), true)
	}
	if head.Code.n != 0 {
		return r.refusal(int(head.Code.n), string(head.Msg))
	}
	if status < 200 || status > 299 {
		return r.failure(fmt.Errorf("status %d", status), true)
	}
	if bytes.TrimLeft(body, " \t\r\n")[0] != '{' { // null decodes into everything
		return r.failure(fmt.Errorf("status %d: answer is not a JSON object", status), true)
	}
	if err := json.Unmarshal(body, out); err != nil {
		// The text of the error could quote a value, so it is left out.
		return r.failure(fmt.Errorf("status %d: answer of %d bytes has members of the wrong type", status, len(body)), true)
	}
	return nil
}

// failure is the error of a call that got no readable answer.
func (r request) failure(err error, unknown bool) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // url.Error prints the address with the token in it
	}
	return &onboard.UpstreamError{API: r.name(), Reaction: onboard.Backoff, Unknown: unknown, Err: err}
}

// incomplete is the error of an answer that lacks what it is for. WeChat may
// have acted all the same.
func (r request) incomplete(what string) error {
	return r.failure(errors.New(what), true)
}

// refusal is the error of an answer with an errcode.
func (r request) refusal(code int, msg string) error {
	e := &onboard.UpstreamError{API: r.name(), Code: code, Reaction: react(r.name(), code), RID: rid(msg)}
	if refusesAddress(code) {
		e.IP = address(msg)
	}
	e.Err = errors.New(r.clean(msg))
	return e
}
