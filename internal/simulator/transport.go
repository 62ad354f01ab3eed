package simulator

import (
	"bytes"
	"io"
	"net/http"
)

// Transport returns a RoundTripper that hands every request to the simulator
// without a socket, whatever its host, so that a client can run against it under
// testing/synctest. A cut connection becomes io.ErrUnexpectedEOF.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "127.0.0.1:1", r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	out := &memoryResponse{header: http.Header{}}
	done := make(chan bool, 1) // false when the connection was cut
	go func() {
		whole := false
		defer func() {
			if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
				panic(cause)
			}
			done <- whole
		}()
		t.handler.ServeHTTP(out, in)
		whole = true
	}()
	select {
	case whole := <-done:
		switch {
		case r.Context().Err() != nil:
			return nil, r.Context().Err()
		case !whole:
			return nil, io.ErrUnexpectedEOF
		}
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// A memoryResponse keeps what a handler writes.
type memoryResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memoryResponse) Header() http.Header { return m.header }

func (m *memoryResponse) WriteHeader(status int) {
	if m.status == 0 {
		m.status = status
	}
}

func (m *memoryResponse) Write(b []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return m.body.Write(b)
}
