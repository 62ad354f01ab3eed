package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"usher/internal/i18n"
	"usher/internal/msgcrypt"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
	"usher/views"
)

// Each of these benchmarks prints the figure of the running program beside a
// floor measured in the same run, and their ratio:
//
//	go test -run '^$' -bench . ./cmd/usher

// BenchmarkPush sends tickets, encrypted as WeChat does, over 64 connections to
// the whole program; each is answered after its commit with synchronous=FULL,
// while the workers handle what has come. The floor of "verified" is net/http,
// the same cipher and one insert of as many bytes under a unique digest, in
// shared commits with the same promise, and nothing else; that of "bare" has no cipher either.
func BenchmarkPush(b *testing.B) {
	const conns, n = 64, 4000
	site, _, db := benchSite(b)
	ring, err := secret.ParseRing(sealingKey)
	if err != nil {
		b.Fatal(err)
	}
	payload := ring.Seal("arrival", "payload", platformAppID, secret.New(ticketXML(time.Now(), 0)))
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: platformAppID, Token: pushToken, AESKey: pushKey})
	if err != nil {
		b.Fatal(err)
	}
	inbox := newInbox(b)
	var received atomic.Int64
	floor := serveFloor(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.URL.Path != "/bare" {
			_, sealed, _ := strings.Cut(string(body), "<Encrypt><![CDATA[")
			sealed, _, _ = strings.Cut(sealed, "]]>")
			q := r.URL.Query()
			_, err = crypt.OpenSigned(q.Get("timestamp"), q.Get("nonce"), sealed, q.Get("msg_signature"))
		}
		if err == nil {
			sum := sha256.Sum256(fmt.Append(body[:0], received.Add(1)))
			err = inbox.insert(hex.EncodeToString(sum[:]), payload)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, "success")
	}))
	var pushes [][]byte
	var pushed int
	prepare := func(n int) {
		pushes = pushes[:0]
		now := time.Now()
		for range n {
			pushed++
			pushes = append(pushes, pushRequest(crypt, now, ticketXML(now, pushed)))
		}
	}
	toSite, toFloor := newLoad(b, site, conns), newLoad(b, floor, conns)
	whole := side{prepare, func(n int) {
		toSite.run(n, func(i int) []byte { return pushes[i] }, "success")
	}}
	handled := func(int) { // the workers are done before a floor is measured
		until(b, func() bool {
			h, err := db.Health(context.Background(), time.Now())
			return err == nil && h.Waiting == 0
		})
	}
	b.Run("verified", func(b *testing.B) {
		pairs(b, n, whole, side{handled, func(n int) {
			toFloor.run(n, func(i int) []byte { return pushes[i] }, "success")
		}})
	})
	b.Run("bare", func(b *testing.B) {
		pairs(b, n, whole, side{handled, func(n int) {
			bare := fmt.Appendf(nil, "POST /bare HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s", len(payload), payload)
			toFloor.run(n, func(int) []byte { return bare }, "success")
		}})
	})
}

// BenchmarkPushUnderPages is how long WeChat waits for the answer to a push, 50
// times a second: alone, and while pages are asked for 500 times a second, in turn.
// A push that could not be sent when it was due has waited all the same.
func BenchmarkPushUnderPages(b *testing.B) {
	const seconds, senders, readers = 5, 16, 16
	site, svc, _ := benchSite(b)
	a, err := svc.Begin(context.Background(), onboard.Wish{AuthType: onboard.MiniPrograms, Wanted: []onboard.PermissionID{18}})
	if err != nil {
		b.Fatal(err)
	}
	var pages [][]byte
	for _, path := range floodedPaths(a) {
		pages = append(pages, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept-Language: zh-CN\r\n\r\n", path, site, desktopAgent))
	}
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: platformAppID, Token: pushToken, AESKey: pushKey})
	if err != nil {
		b.Fatal(err)
	}
	pushing, reading := newLoad(b, site, senders), newLoad(b, site, readers)
	var pushed atomic.Int64
	push := func() (took []time.Duration) {
		var mu sync.Mutex
		atRate(seconds*pushesPerSecond, pushesPerSecond, senders, func(g, i int, due time.Time) {
			now := time.Now()
			request := pushRequest(crypt, now, ticketXML(now, int(pushed.Add(1))))
			if err := pushing.conns[g].ask(request, "success"); err != nil {
				b.Errorf("push %d: %v", i, err)
			}
			mu.Lock()
			took = append(took, time.Since(due))
			mu.Unlock()
		})
		return took
	}
	read := func() {
		atRate(seconds*pagesPerSecond, pagesPerSecond, readers, func(g, i int, _ time.Time) {
			if err := reading.conns[g].ask(pages[i%len(pages)], ""); err != nil {
				b.Errorf("page %d: %v", i, err)
			}
		})
	}
	var rates []float64
	flooded := func() (took []time.Duration) {
		begun := time.Now()
		var flood sync.WaitGroup
		flood.Go(func() {
			read()
			rates = append(rates, seconds*pagesPerSecond/time.Since(begun).Seconds())
		})
		took = push()
		flood.Wait()
		return took
	}
	flooded() // connections, caches, prepared statements
	for b.Loop() {
		var alone, under []time.Duration
		for range 3 {
			alone, under = append(alone, push()...), append(under, flooded()...)
		}
		for name, took := range map[string]spread{"alone": quantiles(alone), "flooded": quantiles(under)} {
			for part, unit := range map[int]string{500: "p50", 990: "p99", 1000: "max"} {
				b.ReportMetric(float64(took.at(part).Microseconds())/1000, name+"-"+unit+"-ms")
			}
		}
		b.ReportMetric(median(rates), "pages/s")
	}
	b.ReportMetric(0, "ns/op") // of three rounds: says nothing
}

// ticketXML is the content of a ticket push (component_verify_ticket).
func ticketXML(at time.Time, n int) string {
	return fmt.Sprintf("<xml><AppId>%s</AppId>\n<CreateTime>%d</CreateTime>\n<InfoType><![CDATA[component_verify_ticket]]></InfoType>\n"+
		"<ComponentVerifyTicket><![CDATA[ticket@@@%0*d]]></ComponentVerifyTicket>\n</xml>", platformAppID, at.Unix(), 86, n)
}

// pushRequest is a whole request with the push of xml, as WeChat sends it.
func pushRequest(crypt *msgcrypt.Cipher, at time.Time, xml string) []byte {
	sealed, timestamp, nonce := crypt.Seal([]byte(xml)), fmt.Sprint(at.Unix()), "1377034511"
	body := "<xml><AppId><![CDATA[" + platformAppID + "]]></AppId><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>"
	query := url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "encrypt_type": {"aes"},
		"msg_signature": {crypt.Signature(timestamp, nonce, sealed)}}
	return fmt.Appendf(nil, "POST /wechat/events?%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", query.Encode(), len(body), body)
}

// inbox is the bare group commit: one goroutine takes what waits, inserts what is
// new by its digest and commits once.
type inbox struct{ jobs chan inboxJob }

type inboxJob struct {
	digest, payload string
	done            chan error
}

func newInbox(b *testing.B) *inbox {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "floor.db")+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, `CREATE TABLE inbox (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, payload TEXT NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	var texts [3]*sql.Stmt
	for i, text := range []string{`BEGIN IMMEDIATE`, `INSERT INTO inbox (digest, payload) VALUES ($1, $2) ON CONFLICT DO NOTHING`, `COMMIT`} {
		if texts[i], err = conn.PrepareContext(ctx, text); err != nil {
			b.Fatal(err)
		}
	}
	x := &inbox{jobs: make(chan inboxJob, 256)}
	var all sync.WaitGroup
	all.Go(func() {
		var batch []inboxJob
		for first := range x.jobs {
			batch = append(batch[:0], first)
			for more := true; more && len(batch) < cap(x.jobs); {
				select {
				case j := <-x.jobs:
					batch = append(batch, j)
				default:
					more = false
				}
			}
			_, err := texts[0].Exec()
			for _, j := range batch {
				if err == nil {
					_, err = texts[1].Exec(j.digest, j.payload)
				}
			}
			if err == nil {
				_, err = texts[2].Exec()
			}
			for _, j := range batch {
				j.done <- err
			}
		}
	})
	b.Cleanup(func() {
		close(x.jobs)
		all.Wait()
		conn.Close()
		db.Close()
	})
	return x
}

// insert returns after the commit.
func (x *inbox) insert(digest, payload string) error {
	j := inboxJob{digest, payload, make(chan error, 1)}
	x.jobs <- j
	return <-j.done
}

// BenchmarkAccessToken reads a token in the process, as a caller beside us does;
// the floor is a map under a lock.
func BenchmarkAccessToken(b *testing.B) {
	_, svc, _ := benchSite(b)
	appID := onboard.AppID(simulator.CrowdAppID(0))
	b.Run("site", func(b *testing.B) {
		b.ReportAllocs()
		ctx := context.Background()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if token, _, err := svc.AccessToken(ctx, appID); err != nil || token.Empty() {
					b.Error(err)
				}
			}
		})
	})
	b.Run("floor", func(b *testing.B) {
		var mu sync.RWMutex
		tokens := map[onboard.AppID]string{appID: "token"}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				mu.RLock()
				token := tokens[appID]
				mu.RUnlock()
				if token == "" {
					b.Error("no token")
				}
			}
		})
	})
}

// BenchmarkWaitingPage asks for the page at the desk of an attempt that is in the
// database; the floor is Echo drawing the same bytes with templ from memory.
func BenchmarkWaitingPage(b *testing.B) {
	const conns, n = 16, 2000
	site, svc, _ := benchSite(b)
	a, err := svc.Begin(context.Background(), onboard.Wish{AuthType: onboard.MiniPrograms, Wanted: []onboard.PermissionID{18}})
	if err != nil {
		b.Fatal(err)
	}
	public := "http://" + site
	page := views.AttemptPage{
		Page: views.Page{Path: views.AttemptPath(a.ID), Now: time.Now(), Reference: "R-ABCD"}, Attempt: a,
		PhoneURL: public + views.PhonePath(a.PhoneCode), PlatformAppID: platformAppID, PluginURL: public + views.PhonePath(a.PhoneCode) + "/plugin",
	}
	e := echo.New()
	e.GET("/c/:id", func(c echo.Context) error {
		var text strings.Builder
		if err := views.Attempt(page).Render(i18n.With(c.Request().Context(), i18n.Chinese), &text); err != nil {
			return err
		}
		return c.HTML(http.StatusOK, text.String())
	})
	request := fmt.Appendf(nil, "GET /c/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept-Language: zh-CN\r\n\r\n", a.ID, site, desktopAgent)
	toSite, toFloor := newLoad(b, site, conns), newLoad(b, serveFloor(b, e), conns)
	ask := func(l *load) side {
		return side{run: func(n int) { l.run(n, func(int) []byte { return request }, "") }}
	}
	pairs(b, n, ask(toSite), ask(toFloor))
	if got, want := len(toSite.conns[0].body), len(toFloor.conns[0].body); got < want {
		b.Errorf("the site's page has %d bytes, the floor's %d: they do not compare", got, want)
	}
}
