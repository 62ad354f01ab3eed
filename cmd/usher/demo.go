package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"usher/internal/admin"
	"usher/internal/config"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/internal/simulator"
	"usher/internal/store"
)

// demoAppID is the platform of the demo. It exists nowhere else.
const demoAppID = "wxde300000000000de"

const demoAbout = `Runs the site together with a stand-in for WeChat on this machine. Nothing has
to be set up and nothing leaves the machine. What it keeps is in one directory,
and it begins anew at each start, as the stand-in does.`

func demoCommand(ctx context.Context, args []string, t terminal) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	listen := flags.String("listen", "", "`address` of the site on this machine (default 127.0.0.1:8080, or a free port when it is taken)")
	dir := flags.String("data", "data", "`directory` for the demo's keys and database")
	empty := flags.Bool("empty", false, "begin without merchants")
	verbose := flags.Bool("verbose", false, "log every request")
	if err := parse(flags, args, t, demoAbout); err != nil {
		return err
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelInfo
	}
	site, err := demoListen(*listen, "127.0.0.1:8080")
	if err != nil {
		return err
	}
	// Browsers take localhost for another site than 127.0.0.1, as WeChat is one.
	wechat, err := demoListen("", "127.0.0.1:8081")
	if err != nil {
		return errors.Join(err, site.Close())
	}
	d := demo{dir: *dir, site: site, wechat: wechat, log: newLog(t.err, "text", level), password: rand.Text()[:16], merchants: !*empty}
	d.ready = func(address string) { fmt.Fprint(t.out, welcome(ctx, address, d.password)) }
	return d.run(ctx)
}

// welcome says where the demo is and what to do there. The names of buttons come
// from the pages themselves.
func welcome(ctx context.Context, address, password string) string {
	zh, en := i18n.With(ctx, i18n.Chinese), i18n.With(ctx, i18n.English)
	return fmt.Sprintf(demoWelcome, address,
		i18n.T(zh, i18n.ConnectNext), i18n.T(en, i18n.ConnectNext),
		i18n.T(zh, i18n.AttemptOfficial), i18n.T(en, i18n.AttemptOfficial),
		i18n.T(zh, i18n.ResultView), i18n.T(en, i18n.ResultView),
		demoOwner, password)
}

const demoWelcome = `
  Usher 演示 · demo

  打开 / Open   %s

  1. 点“%s”，像商家坐在电脑前一样。
     Press "%s", as a merchant at a desk would.
  2. 点“%s”，再点二维码下面的“在手机上看到的页面”，选账号，点“同意授权”。
     Press "%s", then the link below the code; choose an account, agree.
  3. 原来的页面会自己走到结果，点“%s”看授权了什么。
     The first page goes on to the result by itself; "%s" shows what was granted.

  管理后台在 /admin。用户名 / The console is at /admin. User name:  %s
  密码，每次启动都会换 / Password, new at every start:  %s

  这里的微信是本机上的替身，不需要真实账号，也不会访问外网。
  WeChat is played by a stand-in on this machine: no real account, no network.

  按 Ctrl+C 结束 / Ctrl+C ends it.

`

// demo is the site and the stand-in for WeChat in one process.
type demo struct {
	dir          string
	site, wechat net.Listener
	log          *slog.Logger
	ready        func(address string)
	password     string // of the owner that is made at every start; empty makes none
	merchants    bool   // some are on board already, so that the console has something to show
}

// demoOwner is who may do everything in the console of the demo.
const demoOwner = "demo"

// run serves both until ctx ends.
func (d demo) run(ctx context.Context) error {
	environ, err := demoKeys(filepath.Join(d.dir, "demo.env"))
	if err != nil {
		return errors.Join(err, d.site.Close(), d.wechat.Close())
	}
	database := filepath.Join(d.dir, "demo.db")
	if err := discard(ctx, database); err != nil {
		return errors.Join(err, d.site.Close(), d.wechat.Close())
	}
	address := "http://" + d.site.Addr().String()
	cfg, err := config.Load([]string{
		"--listen", d.site.Addr().String(),
		"--public-url", address,
		"--database", database,
		"--component-appid", demoAppID,
		"--wechat-api", "http://" + d.wechat.Addr().String(),
		"--wechat-pc", localhost(d.wechat),
		"--wechat-h5", localhost(d.wechat),
	}, environ)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", filepath.Join(d.dir, "demo.env"), err), d.site.Close(), d.wechat.Close())
	}
	sim, err := simulator.New(simulator.Config{
		AppID: cfg.AppID, Secret: cfg.Secret.Reveal(), Token: cfg.PushToken.Reveal(), AESKey: cfg.AESKey.Reveal(),
		LaunchDomain: cfg.Host(), EventURL: cfg.PublicURL + "/wechat/events", BaseURL: localhost(d.wechat),
		Log: d.log, Seed: 1,
	})
	if err != nil {
		return errors.Join(err, d.site.Close(), d.wechat.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stand sync.WaitGroup
	var simErr error
	started := false
	setup := func(ctx context.Context, admins *admin.Service) error {
		if d.password == "" {
			return nil
		}
		_, err := admins.CreateWithPassword(ctx, demoOwner, d.password, admin.Owner)
		return err
	}
	p := program{cfg: cfg, log: d.log, listener: d.site, guide: true, setup: setup, ready: func(svc *onboard.Service, _ *store.Store) {
		started = true
		// The stand-in pushes its first ticket at once, so the site comes first.
		stand.Go(func() {
			if err := runSimulator(ctx, d.wechat, sim); err != nil && ctx.Err() == nil {
				simErr = err
				cancel()
			}
		})
		stand.Go(func() {
			waitTicket(ctx, svc)
			if d.merchants && ctx.Err() == nil {
				if err := bringMerchants(ctx, svc, sim); err != nil {
					d.log.WarnContext(ctx, "the demo begins with fewer merchants", "err", err)
				}
			}
			if d.ready != nil && ctx.Err() == nil {
				d.ready(address + "/")
			}
		})
	}}
	err = p.run(ctx)
	cancel()
	if !started {
		return errors.Join(err, d.wechat.Close())
	}
	stand.Wait()
	return errors.Join(err, simErr)
}

// waitTicket waits for the first ticket. It does not wait for ever, because
// without one the pages still work and say what is missing.
func waitTicket(ctx context.Context, svc *onboard.Service) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for !svc.Ready(ctx).OK {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// discard removes the database of the run before: the stand-in for WeChat has
// forgotten every token in it. A database that another process uses stays.
func discard(ctx context.Context, database string) error {
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := store.Migrate(ctx, database); errors.Is(err, store.ErrLocked) {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(database + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// demoListen listens on the address the user chose, or on the usual one, or when
// that is taken on any free port. Only this machine is served: the stand-in lets
// everybody agree to everything.
func demoListen(chosen, usual string) (net.Listener, error) {
	if chosen == "" {
		if ln, err := net.Listen("tcp", usual); err == nil {
			return ln, nil
		}
		return net.Listen("tcp", "127.0.0.1:0")
	}
	host, _, err := net.SplitHostPort(chosen)
	if err != nil {
		return nil, usageError{fmt.Sprintf("--listen %q is not host:port", chosen)}
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, usageError{fmt.Sprintf("--listen %q must be an address of this machine such as 127.0.0.1:8080", chosen)}
	}
	return net.Listen("tcp", chosen)
}

// demoKeys reads the demo's keys, as lines of NAME=VALUE, and makes them at the
// first time. They are the demo's own and open nothing else.
func demoKeys(path string) ([]string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		text = fmt.Appendf(nil, "# Keys of usher demo, made once. They open nothing else.\n"+
			"USHER_SECRET_KEY=%s\nUSHER_COMPONENT_SECRET=%s\nUSHER_PUSH_TOKEN=%s\nUSHER_AES_KEY=%s\n",
			base64.StdEncoding.EncodeToString(key), strings.ToLower(rand.Text()), rand.Text(), (rand.Text() + rand.Text())[:43])
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return nil, err
	}
	var environ []string
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			environ = append(environ, line)
		}
	}
	return environ, nil
}
