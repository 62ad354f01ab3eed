package web

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/internal/onboard"
)

// pipes is a network of one connection inside the process, so that its deadlines
// run by the clock of the bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// The stream outlives the deadline that the server sets for every answer.
func TestLiveOutlivesWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		network := make(pipes, 1)
		server := &http.Server{Handler: d.h, ReadTimeout: 3 * time.Second, WriteTimeout: 5 * time.Second}
		stopped := make(chan error)
		go func() { stopped <- server.Serve(network) }()
		here, there := net.Pipe()
		network <- there
		if _, err := here.Write([]byte("GET /c/abcdefghijklmnopqrstuvwxyz/events HTTP/1.1\r\nHost: open.example.com\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(here), nil)
		if err != nil {
			t.Fatal(err)
		}
		read := func(want string) {
			t.Helper()
			var text strings.Builder
			b := make([]byte, 4096)
			for !strings.Contains(text.String(), want) {
				n, err := res.Body.Read(b)
				text.Write(b[:n])
				if err != nil {
					t.Fatalf("reading until %q: %v after\n%s", want, err, text.String())
				}
			}
		}
		read("id: 1-created\n")
		time.Sleep(3 * server.WriteTimeout / 2)
		d.set(true, func(a *onboard.Attempt) { a.OpenedAt = time.Now() })
		read("id: 2-opened\n")
		d.s.Close()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown after Close: %v", err)
		}
		here.Close()
		<-stopped
	})
}
