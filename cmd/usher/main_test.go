package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"usher/internal/onboard"
	"usher/internal/store"
)

func TestExecute(t *testing.T) {
	dir := t.TempDir()
	database := filepath.Join(dir, "data", "usher.db")
	tests := []struct {
		args   string
		status int
		out    string // part of the output
		err    string // part of the complaint
	}{
		{"", 2, "", "Usage: usher COMMAND"},
		{"help", 0, "usher COMMAND --help", ""},
		{"--help", 0, "simulate", ""},
		{"dance", 2, "", `no command "dance"`},
		{"version", 0, "usher ", ""},
		{"--version", 0, "usher ", ""},
		{"version --help", 0, "Usage: usher version", ""},
		{"version now", 2, "", `"now" is not expected`},
		{"serve --help", 0, "USHER_PUBLIC_URL, --public-url URL", ""},
		{"serve", 2, "", "USHER_SECRET_KEY is not set"},
		{"serve --dance", 2, "", "not defined: -dance"},
		{"demo --help", 0, "-data directory", ""},
		{"demo --listen 0.0.0.0:8080", 2, "", "must be an address of this machine"},
		{"demo --listen 8080", 2, "", "is not host:port"},
		{"simulate --help", 0, "-ticket-every", ""},
		{"simulate --appid wx00000000000000aa", 2, "", "missing: --secret --token --aes-key --event-url --launch-domain"},
		{"migrate --help", 0, "USHER_DATABASE", ""},
		{"migrate --listen :1", 2, "", "not defined: -listen"},
		{"migrate --database " + database, 0, "is up to date", ""},
		{"migrate --database " + filepath.Join(database, "beneath-a-file.db"), 1, "", "usher migrate: "},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var out, complaint bytes.Buffer
			status := execute(t.Context(), strings.Fields(tt.args), terminal{out: &out, err: &complaint})
			if status != tt.status || !strings.Contains(out.String(), tt.out) || !strings.Contains(complaint.String(), tt.err) {
				t.Errorf("execute(%q) = %d, out %q, err %q; want %d, %q, %q", tt.args, status, &out, &complaint, tt.status, tt.out, tt.err)
			}
			if status == 0 && complaint.Len() > 0 || status != 0 && out.Len() > 0 {
				t.Errorf("execute(%q) = %d wrote out %q, err %q; results and complaints belong apart", tt.args, status, &out, &complaint)
			}
		})
	}
}

// TestExecute_Serve runs the command itself with settings from the environment
// and stops it again.
func TestExecute_Serve(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := &stopOn{text: "started", stop: cancel}
	status := execute(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, terminal{err: log, out: log, environ: []string{
		"USHER_PUBLIC_URL=https://open.example.com",
		"USHER_DATABASE=" + filepath.Join(t.TempDir(), "data", "usher.db"),
		"USHER_SECRET_KEY=" + sealingKey,
		"USHER_COMPONENT_APPID=" + platformAppID,
		"USHER_COMPONENT_SECRET=" + platformSecret,
		"USHER_PUSH_TOKEN=" + pushToken,
		"USHER_AES_KEY=" + pushKey,
		// Nobody answers there, so nothing leaves this machine.
		"USHER_WECHAT_API=http://127.0.0.1:1",
		"USHER_BRAMD=misspelled",
	}})
	if status != 0 {
		t.Errorf("execute(serve) = %d after it was told to stop, want 0:\n%s", status, log)
	}
	for _, want := range []string{`"msg":"started"`, `"msg":"stopped"`, `"name":"USHER_BRAMD"`, `"public_url":"https://open.example.com"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	for _, secret := range []string{platformSecret, pushToken, pushKey, sealingKey} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// stopOn is a log that calls stop when text is written to it.
type stopOn struct {
	syncBuffer
	text string
	stop func()
}

func (s *stopOn) Write(p []byte) (int, error) {
	defer func() {
		if bytes.Contains(p, []byte(s.text)) {
			s.stop()
		}
	}()
	return s.syncBuffer.Write(p)
}

func TestRun_PortTaken(t *testing.T) {
	ln := listenLocal(t)
	defer ln.Close()
	w := startAll(t, options{quiet: true})
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	p := program{cfg: w.cfg, log: newLog(w.log, "json", 0)}
	p.cfg.Listen = ln.Addr().String()
	err := p.run(t.Context())
	if _, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("run with a port that is taken = %v, want a *net.OpError", err)
	}
	// The database was closed again: another run may open it.
	p.listener = listenLocal(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.ready = func(*onboard.Service, *store.Store) { cancel() }
	if err := p.run(ctx); err != nil {
		t.Errorf("run after a failed one = %v, want nil", err)
	}
}
