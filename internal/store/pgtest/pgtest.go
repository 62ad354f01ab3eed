//go:build unix

// Package pgtest starts throw-away PostgreSQL servers for tests. It knows
// nothing of what is stored in them.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// nobody is the user that runs PostgreSQL when the tests run as root, which
// PostgreSQL refuses.
const nobody = 65534

// Server is a running PostgreSQL server. It listens only on a socket in a
// directory of its own and keeps nothing when it ends.
type Server struct {
	dir, program string
	as           *syscall.SysProcAttr
	kill         func() // ends the process at once and waits for it
	made         atomic.Int64
}

// Start starts a server for one test. Without PostgreSQL's programs the test is
// skipped, unless the environment variable USHER_TEST_REQUIRE, a list separated
// by commas, names postgres.
func Start(t testing.TB) *Server {
	t.Helper()
	var shared Shared
	t.Cleanup(func() {
		if err := shared.Stop(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return shared.Start(t)
}

// Shared is a server for all tests of a package, started by the first that needs
// it. TestMain must stop it.
type Shared struct {
	mu     sync.Mutex
	server *Server
	stop   func() error
}

// Start returns the running server, and skips or fails like the function Start.
func (s *Shared) Start(t testing.TB) *Server {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return s.server
	}
	bin, err := programs()
	if err != nil {
		Missing(t, err)
	}
	if s.server, s.stop, err = start(bin); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return s.server
}

// Missing skips a test that lacks a program of PostgreSQL, or fails it where
// USHER_TEST_REQUIRE names postgres.
func Missing(t testing.TB, err error) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("USHER_TEST_REQUIRE"), ","), "postgres") {
		t.Fatalf("USHER_TEST_REQUIRE asks for PostgreSQL: %v", err)
	}
	t.Skipf("no PostgreSQL here: %v", err)
}

// Stop stops the server if it was started.
func (s *Shared) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	s.server = nil
	return s.stop()
}

// Database makes an empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.do(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return s.address(name)
}

// Drop ends a database whose address Database gave, and every connection to it. The
// others end with the server, and so does one that cannot be dropped.
func (s *Server) Drop(t testing.TB, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // t's own is over in a cleanup
	defer cancel()
	u, err := url.Parse(address)
	if err == nil {
		err = s.do(ctx, "DROP DATABASE "+strings.TrimPrefix(u.Path, "/")+" WITH (FORCE)")
	}
	if err != nil {
		t.Logf("drop %s: %v", address, err)
	}
}

// do has the server do what is about whole databases.
func (s *Server) do(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, statement)
	return errors.Join(err, c.Close(ctx))
}

func (s *Server) address(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// programs finds the directory of initdb and postgres.
func programs() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	if found, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(found))
	}
	for _, dir := range slices.Backward(dirs) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("initdb is neither in /usr/lib/postgresql/*/bin nor beside postgres: %w", fs.ErrNotExist)
}

func start(bin string) (*Server, func() error, error) {
	// Not the test's own directory: a socket's path is limited to 107 bytes.
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	var as *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return nil, nil, errors.Join(err, remove())
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), remove())
	}
	s := &Server{dir: dir, program: filepath.Join(bin, "postgres"), as: as}
	if err := s.launch(); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	stop := func() error {
		s.kill() // at once: nothing of it is kept
		return remove()
	}
	return s, stop, nil
}

// launch starts the server on its data and returns when it answers.
func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	server := exec.Command(s.program, "-D", filepath.Join(s.dir, "data"), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off")
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = s.as, s.dir, log, log
	if err := server.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	s.kill = func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		<-ended
	}
	if err := s.await(ended); err != nil {
		out, _ := os.ReadFile(log.Name())
		if stopErr := server.Process.Signal(syscall.SIGQUIT); stopErr == nil {
			<-ended
		}
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// Restart stops the server at once, as a crash would, and starts it on what it
// left. Every connection breaks. Only one goroutine may call it.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.kill()
	if err := s.launch(); err != nil {
		t.Fatalf("restart PostgreSQL: %v", err)
	}
}

// await returns when the server answers.
func (s *Server) await(ended <-chan error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for {
		if err := ready(s.address("postgres")); err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the server ended: %w", err)
		case <-late:
			return errors.New("the server does not answer after 30 s")
		case <-tick.C:
		}
	}
}

func ready(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}
