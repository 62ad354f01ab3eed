package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/internal/rescue"
)

const (
	newsChannel = "usher_news"
	newsLimit   = 7000   // bytes of one notification; PostgreSQL takes less than 8000
	newsKept    = 10_000 // that wait to be told; more become one that says everything changed
	newsPause   = time.Second
	newsQuiet   = 30 * time.Second // after which the connection is asked whether it lives
)

// peers carries news between the processes on one PostgreSQL database by LISTEN
// and NOTIFY. News is sent apart from the transaction it tells of: a NOTIFY inside
// would make all commits wait for one another.
type peers struct {
	log      *slog.Logger
	cfg      *pgx.ConnConfig
	db       *sql.DB
	platform string
	self     string // tells our own news from those of others
	ctx      context.Context
	stop     context.CancelFunc
	tasks    sync.WaitGroup

	mu      sync.Mutex
	waiting []string
	known   map[string]bool // what waits
	all     bool            // everything changed
	wake    chan struct{}
}

func newPeers(db *sql.DB, cfg *pgx.ConnConfig, platform string, log *slog.Logger) *peers {
	p := &peers{log: log, cfg: cfg.Copy(), db: db, platform: platform, self: rand.Text(), known: map[string]bool{}, wake: make(chan struct{}, 1)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.tasks.Go(p.send)
	return p
}

// Tell implements [onboard.Peers]. On SQLite there is nobody to tell.
func (s *Store) Tell(news string) {
	if s.peers != nil {
		s.peers.tell(news)
	}
}

// Listen calls hear with the news of the other processes until Close, and with
// none after a time in which some may have been missed. hear must not wait. On
// SQLite there are no others.
func (s *Store) Listen(hear func(news ...string)) {
	if s.peers != nil {
		s.peers.tasks.Go(func() {
			s.peers.listen(func(news ...string) {
				if err := rescue.Do(func() error { hear(news...); return nil }); err != nil {
					s.log.Error("hearing of another process failed", rescue.Attrs(err)...)
				}
			})
		})
	}
}

func (p *peers) tell(news string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.all || p.known[news]:
		return
	case len(p.waiting) >= newsKept:
		p.all, p.waiting = true, nil
		clear(p.known)
	default:
		p.known[news] = true
		p.waiting = append(p.waiting, news)
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take returns the payload of the next notification, empty when nothing waits.
func (p *peers) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.all && len(p.waiting) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(p.self + " " + p.platform)
	p.all = false
	n := 0
	for n < len(p.waiting) && b.Len()+1+len(p.waiting[n]) <= newsLimit {
		b.WriteString("\n" + p.waiting[n])
		delete(p.known, p.waiting[n])
		n++
	}
	p.waiting = p.waiting[n:]
	return b.String()
}

// send tells what waits, and at close what is left. What could not be told
// becomes "everything".
func (p *peers) send() {
	for {
		select {
		case <-p.ctx.Done():
			if payload := p.take(); payload != "" {
				_ = p.notify(payload, newsPause)
			}
			return
		case <-p.wake:
		}
		for payload := p.take(); payload != ""; payload = p.take() {
			err := p.notify(payload, prompt)
			if err == nil {
				continue
			}
			p.log.Warn("other processes could not be told what changed; it is tried again", "err", err)
			p.mu.Lock()
			p.all, p.waiting = true, nil
			clear(p.known)
			p.mu.Unlock()
			if !p.pause() {
				return
			}
		}
	}
}

// notify does not end with ctx: what changed last is told too.
func (p *peers) notify(payload string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), limit)
	defer cancel()
	_, err := p.db.ExecContext(ctx, `SELECT pg_notify($1, $2)`, newsChannel, payload)
	return err
}

// pause is false when the store closes.
func (p *peers) pause() bool {
	timer := time.NewTimer(newsPause)
	defer timer.Stop()
	select {
	case <-p.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// listen hears until close, over connections of its own, one after the other.
func (p *peers) listen(hear func(news ...string)) {
	for again := false; ; again = true {
		err := p.hearOn(hear, again)
		if p.ctx.Err() != nil {
			return
		}
		p.log.Warn("listening to other processes was broken off; it begins again", "err", err)
		if !p.pause() {
			return
		}
	}
}

func (p *peers) hearOn(hear func(news ...string), again bool) error {
	c, err := pgx.ConnectConfig(p.ctx, p.cfg)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), newsPause)
		defer cancel()
		_ = c.Close(ctx)
	}()
	if _, err := c.Exec(p.ctx, `LISTEN `+newsChannel); err != nil {
		return err
	}
	if again {
		hear()
	}
	for {
		ctx, cancel := context.WithTimeout(p.ctx, newsQuiet)
		n, err := c.WaitForNotification(ctx)
		cancel()
		switch {
		case err == nil:
			p.deliver(n.Payload, hear)
		case errors.Is(err, context.DeadlineExceeded):
			ctx, cancel := context.WithTimeout(p.ctx, prompt)
			err := c.Ping(ctx)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func (p *peers) deliver(payload string, hear func(news ...string)) {
	head, rest, some := strings.Cut(payload, "\n")
	if self, platform, _ := strings.Cut(head, " "); self == p.self || platform != p.platform {
		return
	}
	if !some {
		hear()
		return
	}
	hear(strings.Split(rest, "\n")...)
}

func (p *peers) close() {
	if p != nil {
		p.stop()
		p.tasks.Wait()
	}
}
