package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// nginxProgram finds nginx or skips the test, unless USHER_TEST_REQUIRE names it.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("USHER_TEST_REQUIRE"), ","), "nginx") {
		t.Fatal("nginx is not installed, and USHER_TEST_REQUIRE names it")
	}
	t.Skip("nginx is not installed")
	return ""
}

// nginx is a server with docs/nginx.conf, its logs and certificate in a
// directory of its own.
type nginx struct {
	t           *testing.T
	dir         string
	http, https string // host:port
	trusted     *x509.CertPool
	key         string // hash of the certificate's public key, in base64
	process     *exec.Cmd
	ended       chan error
	output      bytes.Buffer
}

// newNginx writes the configuration of a server in front of upstream.
func newNginx(t *testing.T, upstream string) *nginx {
	t.Helper()
	n := &nginx{t: t, dir: t.TempDir(), trusted: x509.NewCertPool(), ended: make(chan error, 1)}
	for _, address := range []*string{&n.http, &n.https} {
		*address = freeAddress(t)
	}
	n.certificate()
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	conf := string(manual)
	for old, now := range map[string]string{
		"/etc/ssl/open.example.com": filepath.Join(n.dir, "cert"),
		"/var/log/nginx/":           n.dir + "/",
		"listen 80;":                "listen " + n.http + ";",
		"listen 443 ssl":            "listen " + n.https + " ssl",
		"server 127.0.0.1:8080;":    "server " + upstream + ";",
	} {
		if !strings.Contains(conf, old) {
			t.Fatalf("docs/nginx.conf does not hold %q any more", old)
		}
		conf = strings.ReplaceAll(conf, old, now)
	}
	main := "daemon off;\nmaster_process off;\npid " + n.dir + "/pid;\nerror_log stderr warn;\nevents {}\nhttp {\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		main += kind + "_temp_path " + n.dir + "/" + kind + ";\n"
	}
	if err := os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(main+conf+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

// certificate makes one for publicHost that transport trusts.
func (n *nginx) certificate() {
	n.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{publicHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		n.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		n.t.Fatal(err)
	}
	hash := sha256.Sum256(public)
	n.key = base64.StdEncoding.EncodeToString(hash[:])
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		n.t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	n.trusted.AppendCertsFromPEM(certPEM)
	err = errors.Join(
		os.WriteFile(filepath.Join(n.dir, "cert.pem"), certPEM, 0o600),
		os.WriteFile(filepath.Join(n.dir, "cert.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	if err != nil {
		n.t.Fatal(err)
	}
}

// start runs the server and waits until it answers.
func (n *nginx) start(program string) {
	n.t.Helper()
	n.process = exec.Command(program, "-c", filepath.Join(n.dir, "nginx.conf"), "-p", n.dir, "-e", "stderr")
	n.process.Stdout, n.process.Stderr = &n.output, &n.output
	if err := n.process.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func() { n.ended <- n.process.Wait() }()
	n.t.Cleanup(func() { _ = n.stop() })
	for {
		c, err := net.Dial("tcp", n.https)
		if err == nil {
			c.Close()
			return
		}
		select {
		case err := <-n.ended:
			n.ended <- err
			n.t.Fatalf("nginx ended: %v\n%s", err, &n.output)
		case <-n.t.Context().Done():
			n.t.Fatal("nginx does not listen")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop ends the server; its logs are complete then.
func (n *nginx) stop() error {
	if err := n.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := <-n.ended
	n.ended <- err // for a second stop
	return err
}

func (n *nginx) read(name string) string {
	n.t.Helper()
	text, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// transport reaches the server by the name in its certificate, and everything
// else as usual. Connections to the server come from clientIP, which is not where
// the server's own connections to the site come from.
func (n *nginx) transport() *http.Transport {
	var dialer net.Dialer
	visitor := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(clientIP)}}
	tr := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: n.trusted},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			switch address {
			case publicHost + ":80":
				return visitor.DialContext(ctx, network, n.http)
			case publicHost + ":443":
				return visitor.DialContext(ctx, network, n.https)
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
	n.t.Cleanup(tr.CloseIdleConnections)
	return tr
}
