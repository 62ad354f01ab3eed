package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"usher/internal/admin"
	"usher/internal/config"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
	"usher/internal/wechat"
	"usher/internal/worker"
	"usher/views"
	"usher/web"
)

// drainTime is how long requests in hand may take when the program stops.
const drainTime = 10 * time.Second

func serveCommand(ctx context.Context, args []string, t terminal) error {
	cfg, err := config.Load(args, t.environ)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(t.out, "Usage: usher serve [FLAGS]\n\nRuns the site until it is interrupted. Settings come from the environment; a flag wins.\n\n")
		config.Usage(t.out)
	}
	if err != nil {
		return err
	}
	log := newLog(t.err, cfg.LogFormat, cfg.LogLevel)
	for _, name := range cfg.Unknown {
		log.WarnContext(ctx, "there is no such setting", "name", name)
	}
	setup := func(ctx context.Context, admins *admin.Service) error {
		return printSetup(ctx, admins, cfg.PublicURL, t.err)
	}
	return program{cfg: cfg, log: log, setup: setup}.run(ctx)
}

// program is one run of the site.
type program struct {
	cfg      config.Config
	log      *slog.Logger
	listener net.Listener      // nil: made from cfg.Listen
	now      func() time.Time  // nil: the time that the processes on one database share
	host     func() time.Time  // the clock of this machine; nil: time.Now
	wechat   http.RoundTripper // the way to WeChat; nil: the network
	// setup sees to it that somebody can sign in, before connections are accepted;
	// nil leaves the console closed until usher admin is run.
	setup func(context.Context, *admin.Service) error
	guide bool // serve the style guide as well
	// jobs are the duties that are done again and again; nil for those of usher serve.
	jobs  func(*onboard.Service, *admin.Service) map[string]job
	ready func(*onboard.Service, *store.Store) // called when connections are accepted; may be nil
}

// run serves until ctx ends or something fails. It then stops in the order in
// which nothing is lost: connections, live pages, requests in hand, workers,
// database.
func (p program) run(ctx context.Context) error {
	cfg, log := p.cfg, p.log
	ring, err := secret.ParseRing(cfg.SecretKey.Reveal())
	if err != nil {
		return fmt.Errorf("USHER_SECRET_KEY: %w", err)
	}
	sessionKeys, err := sessionKeys(cfg.SecretKey.Reveal())
	if err != nil {
		return fmt.Errorf("USHER_SECRET_KEY: %w", err)
	}
	db, err := store.Open(ctx, store.Options{
		Database: string(cfg.Database), Platform: onboard.AppID(cfg.AppID), Ring: ring, Log: log, Host: p.host,
	})
	if err != nil {
		return fmt.Errorf("open database %s: %w", cfg.Database, err)
	}
	if p.now == nil {
		p.now = db.Now
	}
	client := wechat.NewHTTPClient()
	if p.wechat != nil {
		client.Transport = p.wechat
	}
	admins := admin.NewService(admin.Options{
		Store: db, Hasher: db.Hasher(), Log: log, Now: p.now,
		Fixed:    fixedCredentials(cfg),
		Defaults: admin.Settings{Brand: cfg.Brand, Contact: cfg.Contact, Wanted: permissionIDs(cfg.PermissionSets)},
	})
	if err := admins.Reload(ctx); err != nil {
		return errors.Join(fmt.Errorf("read the settings: %w", err), db.Close())
	}
	if p.setup != nil {
		if err := p.setup(ctx, admins); err != nil {
			return errors.Join(fmt.Errorf("the first admin: %w", err), db.Close())
		}
	}
	svc := onboard.NewService(onboard.Options{
		AppID: onboard.AppID(cfg.AppID),
		Store: db,
		Platform: admins.Observe(&wechat.Client{
			AppID: onboard.AppID(cfg.AppID), CurrentSecret: func() secret.Secret { return admins.Platform().Secret },
			API: cfg.WeChatAPI, PC: cfg.WeChatPC, H5: cfg.WeChatH5,
			OldH5: cfg.OldH5, TokenParam: cfg.TokenParam,
			HTTP: client,
		}),
		Parse:     wechat.ParseEvent,
		Fields:    wechat.Fields,
		Hasher:    db.Hasher(),
		Pictures:  pictures(cfg, p.wechat),
		Peers:     db,
		Log:       log,
		Now:       p.now,
		PublicURL: cfg.PublicURL,
		Rules:     func() onboard.Rules { return admins.Settings().Rules() },
	})
	db.Listen(svc.Hear)
	reconciler := admin.NewReconciler(svc, admins, log)
	pushes := &keys{appID: onboard.AppID(cfg.AppID), now: admins.Platform}
	if _, err := pushes.current(); err != nil {
		if !errors.Is(err, errNoKeys) {
			return errors.Join(fmt.Errorf("USHER_AES_KEY: %w", err), db.Close())
		}
		log.WarnContext(ctx, "pushes are refused", "err", err)
	}
	site := &web.Server{
		Service:        svc,
		Console:        admins,
		Reconcile:      reconciler,
		Explain:        pushes.explain,
		Receive:        counting(pushes.openPush, admins.PushRefused),
		Echo:           pushes.echo,
		PublicURL:      cfg.PublicURL,
		Brand:          views.Brand{Name: cfg.Brand, Contact: cfg.Contact},
		SessionKeys:    sessionKeys,
		TrustedProxies: cfg.TrustedProxies,
		FormTargets:    []string{cfg.WeChatPC, cfg.WeChatH5},
		Guide:          p.guide,
		Version:        version(),
		Log:            log,
		Now:            p.now,
	}
	ln := p.listener
	if ln == nil {
		if ln, err = net.Listen("tcp", cfg.Listen); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	log.InfoContext(ctx, "started", "version", version(), "config", cfg)

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	// Workers outlive ctx: they end after the last request was answered.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var workers sync.WaitGroup
	if p.jobs == nil {
		p.jobs = jobs
	}
	for name, job := range p.jobs(svc, admins) {
		workers.Go(func() {
			if err := worker.Every(work, log, name, job.interval, job.run); err != nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	workers.Go(func() {
		if err := svc.Run(work); err != nil {
			fail(fmt.Errorf("arrivals: %w", err))
		}
	})
	workers.Go(func() {
		if err := reconciler.Run(work); err != nil {
			fail(fmt.Errorf("reconciliations: %w", err))
		}
	})
	if p.ready != nil {
		p.ready(svc, db)
	}
	err = serveHTTP(ctx, ln, site, log)
	stopWork()
	workers.Wait()
	svc.Wait()
	if saved := savePulse(work, admins); saved != nil {
		log.WarnContext(ctx, "the last counts are lost", "err", saved)
	}
	err = errors.Join(err, db.Close())
	log.InfoContext(ctx, "stopped")
	return err
}

// savePulse stores what was noticed since the last turn of its job.
func savePulse(ctx context.Context, admins *admin.Service) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return admins.SavePulse(ctx)
}

// job is one duty of the service and how often it is done.
type job struct {
	interval time.Duration
	run      func(context.Context) error
}

func jobs(svc *onboard.Service, admins *admin.Service) map[string]job {
	return map[string]job{
		"arrivals": {time.Second, svc.HandleArrivals}, // those that wait for another try
		"platform": {time.Minute, svc.KeepPlatform},
		"refresh":  {5 * time.Second, svc.KeepFresh},
		"time":     {5 * time.Second, svc.KeepTime},
		"profiles": {5 * time.Second, svc.ReadProfiles},
		"pictures": {5 * time.Second, svc.ReadPictures},
		"settings": {5 * time.Second, admins.Reload}, // another process may have changed them
		"pulse":    {5 * time.Second, admins.SavePulse},
		"events":   {time.Hour, admins.Retain},
		"database": {time.Hour, admins.KeepSound},
		"sessions": {10 * time.Minute, admins.Prune},
		"sweep":    {5 * time.Second, svc.KeepSwept},
	}
}

// serveHTTP answers on ln until ctx ends, then lets the requests in hand finish.
// Live pages are ended first: a browser keeps one open for minutes, and Shutdown
// would wait for it.
func serveHTTP(ctx context.Context, ln net.Listener, site *web.Server, log *slog.Logger) error {
	handler, err := site.Handler()
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // a live page moves its own
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(site.Close)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off: %w", err), server.Close())
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// sessionKeys derives what cookies are signed and encrypted with, a pair for
// each key of the setting, so that a cookie outlives a change of keys.
func sessionKeys(setting string) ([][]byte, error) {
	var pairs [][]byte
	for text := range strings.SplitSeq(setting, ",") {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
		key, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("not base64")
		}
		for _, purpose := range []string{"usher session hash", "usher session block"} {
			derived, err := hkdf.Key(sha256.New, key, nil, purpose, 32)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, derived)
		}
	}
	return pairs, nil
}

func permissionIDs(ids []int) []onboard.PermissionID {
	var all []onboard.PermissionID
	for _, id := range ids {
		all = append(all, onboard.PermissionID(id))
	}
	return all
}
