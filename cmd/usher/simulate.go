package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"usher/internal/simulator"
)

func simulateCommand(ctx context.Context, args []string, t terminal) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	var (
		cfg       simulator.Config
		publicURL string
	)
	listen := flags.String("listen", "127.0.0.1:8081", "address to accept connections on")
	flags.StringVar(&cfg.BaseURL, "base-url", "", "address of the stand-in as browsers see it (default http://localhost:PORT)")
	flags.StringVar(&publicURL, "public-url", "", "address of the site (default: USHER_PUBLIC_URL)")
	flags.StringVar(&cfg.AppID, "appid", "", "AppID of the platform (default: USHER_COMPONENT_APPID)")
	flags.StringVar(&cfg.Secret, "secret", "", "AppSecret of the platform (default: USHER_COMPONENT_SECRET)")
	flags.StringVar(&cfg.Token, "token", "", "消息校验Token (default: USHER_PUSH_TOKEN)")
	flags.StringVar(&cfg.AESKey, "aes-key", "", "消息加解密Key (default: USHER_AES_KEY)")
	flags.StringVar(&cfg.EventURL, "event-url", "", "授权事件接收URL (default: /wechat/events of the site)")
	flags.StringVar(&cfg.LaunchDomain, "launch-domain", "", "授权发起页域名 (default: host of the site)")
	flags.DurationVar(&cfg.TicketEvery, "ticket-every", 10*time.Minute, "pause between two ticket pushes")
	flags.IntVar(&cfg.Crowd, "crowd", 0, "Mini Programs beside the named merchants, for load")
	flags.Int64Var(&cfg.Seed, "seed", 1, "decides which calls a percentage of failures hits")
	if err := parse(flags, args, t, "Runs the stand-in for WeChat: its server API, its authorization pages, its pushes,\nand a page to make things go wrong, at /control. Start usher serve with\nUSHER_WECHAT_API, USHER_WECHAT_PC and USHER_WECHAT_H5 set to its address.\nKeys given by flags are visible to everybody on this machine: use made-up ones."); err != nil {
		return err
	}
	env := map[string]string{}
	for _, pair := range t.environ {
		name, text, _ := strings.Cut(pair, "=")
		env[name] = text
	}
	publicURL = strings.TrimRight(cmp.Or(publicURL, env["USHER_PUBLIC_URL"]), "/")
	site, err := url.Parse(publicURL)
	if err != nil {
		return usageError{"--public-url is not an address"}
	}
	cfg.AppID = cmp.Or(cfg.AppID, env["USHER_COMPONENT_APPID"])
	cfg.Secret = cmp.Or(cfg.Secret, env["USHER_COMPONENT_SECRET"])
	cfg.Token = cmp.Or(cfg.Token, env["USHER_PUSH_TOKEN"])
	cfg.AESKey = cmp.Or(cfg.AESKey, env["USHER_AES_KEY"])
	cfg.LaunchDomain = cmp.Or(cfg.LaunchDomain, site.Hostname())
	if cfg.EventURL == "" && publicURL != "" {
		cfg.EventURL = publicURL + "/wechat/events"
	}
	if missing := missingOf(cfg); len(missing) > 0 {
		return usageError{"missing: " + strings.Join(missing, " ")}
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	cfg.BaseURL = cmp.Or(strings.TrimRight(cfg.BaseURL, "/"), localhost(ln))
	cfg.Log = newLog(t.err, "", slog.LevelInfo)
	sim, err := simulator.New(cfg)
	if err != nil {
		return usageError{err.Error()}
	}
	fmt.Fprintf(t.out, "WeChat stand-in: %s/control\n", cfg.BaseURL)
	return runSimulator(ctx, ln, sim)
}

func missingOf(cfg simulator.Config) []string {
	var missing []string
	for _, f := range []struct{ flag, value string }{
		{"--appid", cfg.AppID}, {"--secret", cfg.Secret}, {"--token", cfg.Token}, {"--aes-key", cfg.AESKey},
		{"--event-url", cfg.EventURL}, {"--launch-domain", cfg.LaunchDomain},
	} {
		if f.value == "" {
			missing = append(missing, f.flag)
		}
	}
	return missing
}

// localhost is the address of ln by the name localhost, which browsers take for
// another site than 127.0.0.1.
func localhost(ln net.Listener) string {
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return ""
	}
	return "http://localhost:" + port
}

// runSimulator plays WeChat on ln until ctx ends.
func runSimulator(ctx context.Context, ln net.Listener, sim *simulator.Simulator) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second}
	var pushes sync.WaitGroup
	pushes.Go(func() { sim.Run(ctx) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = server.Close()
	}
	cancel()
	pushes.Wait()
	return err
}
