package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"usher/internal/simulator"
)

// TestRush sends the redirect and the push of one authorization at the same
// moment, a thousand times or as often as USHER_RUSHES says, each through the whole
// site. There is one exchange for each, and nobody is shown an error. Accounts
// authorize side by side; the attempts of one account follow one another, each with
// other sets than the one before, because WeChat pushes nothing when they are the
// same.
//
// A tenth of them meets a hostile WeChat: then it may take longer, and nobody is shown
// an error all the same. The others meet a calm one, because they count the exchanges
// and what is logged.
//
// With the race detector, with which it takes five times as long, a fifth of all.
func TestRush(t *testing.T) {
	attempts := long("USHER_RUSHES", 1000, 10_000)
	if raced {
		attempts /= 5
	}
	t.Run("hostile", func(t *testing.T) { rush(t, sqlite, attempts/10, true) })
	t.Run("calm", func(t *testing.T) { rush(t, sqlite, attempts-attempts/10, false) })
}

func rush(t *testing.T, on engine, attempts int, hostile bool) {
	o := on(t)
	o.hostile = hostile
	o.config = manyAddresses
	w := startAll(t, o)
	w.sim.Change(func(o *simulator.Options) { o.DailyQuota = 100 * attempts })
	w.ticket()
	accounts := map[string]int{ // and the set to grant alone every second time
		simulator.TeaHouse: 17, simulator.Takeaway: 17, simulator.Personal: 17, simulator.MiniShop: 17, simulator.TakenElsewhere: 17,
		simulator.Hostile: 17, simulator.ServiceAccount: 1, simulator.Subscription: 1, simulator.OldAccount: 1,
	}
	var turn atomic.Int64
	var all sync.WaitGroup
	for appID, set := range accounts {
		all.Go(func() {
			r := newRusher(w, hostile)
			defer r.client.CloseIdleConnections()
			for sets := []int(nil); ; {
				n := turn.Add(1)
				if n > int64(attempts) {
					return
				}
				if sets == nil {
					sets = []int{set}
				} else {
					sets = nil // all
				}
				r.address = fmt.Sprintf("10.%d.%d.1", n>>8, n&255)
				if err := r.rush(appID, sets); err != nil {
					t.Errorf("attempt %d, of %s: %v", n, appID, err)
					return
				}
			}
		})
	}
	all.Wait()
	if hostile {
		if w.sim.Spoiled("") == 0 {
			t.Error("WeChat was never hostile")
		}
		w.calmDown()
	}
	w.settle()
	// A spoiled exchange is tried again; so is one whose platform token was replaced
	// meanwhile, because WeChat refused it falsely to somebody else.
	most := w.sim.Spoiled(exchangePath)
	if hostile {
		most += len(accounts) * w.sim.Calls(platformCall)
	}
	if n := w.sim.Calls(exchangePath) - attempts; n < 0 || n > most {
		t.Errorf("%d exchanges more than the %d attempts, want at most %d", n, attempts, most)
	}
	t.Logf("%d attempts, %d exchanges", attempts, w.sim.Calls(exchangePath))
	for appID := range accounts {
		w.holds(appID)
	}
	if attempts <= 1000 && !hostile {
		w.calm() // among many, some authorize again while a token is proven
	}
}

// rusher goes through attempts without looking at the pages.
type rusher struct {
	w       *world
	t       *testing.T
	client  *http.Client
	address string
	hostile bool // WeChat is
}

func newRusher(w *world, hostile bool) *rusher {
	return &rusher{w: w, t: w.t, hostile: hostile, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var phoneCode = regexp.MustCompile(`/q/[0-9A-Z]{8}`)

// rush is one attempt in which sets are ticked, nil for all.
func (r *rusher) rush(appID string, sets []int) error {
	desk, _, err := r.ask(http.MethodPost, r.w.base+"/connect", url.Values{"auth_type": {"3"}})
	if err != nil {
		return err
	}
	_, page, err := r.ask(http.MethodGet, desk, nil)
	if err != nil {
		return err
	}
	link, err := r.press(r.w.base + phoneCode.FindString(page) + "/go")
	if err != nil {
		return err
	}
	redirect, err := r.w.sim.Consent(simulator.Consent{Link: link, AppID: appID, Permissions: sets})
	if err != nil {
		return err
	}

	start := make(chan struct{})
	var both sync.WaitGroup
	var pushed error
	both.Go(func() {
		<-start
		pushed = r.w.sim.Deliver(r.t.Context())
	})
	close(start)
	result, _, err := r.ask(http.MethodGet, redirect, nil)
	both.Wait()
	if err == nil {
		err = pushed
	}
	for late := time.Now().Add(time.Minute); err == nil; time.Sleep(50 * time.Millisecond) {
		_, page, err = r.ask(http.MethodGet, result, nil)
		shown := html.UnescapeString(page)
		switch {
		case err != nil || strings.Contains(shown, "授权完成") || strings.Contains(shown, "权限已更新"):
			return err
		case !r.hostile && !strings.Contains(shown, "已授权，正在读取权限") || time.Now().After(late):
			return fmt.Errorf("the browser that came back reads:\n%s", shown)
		}
		err = r.w.sim.Deliver(r.t.Context()) // the push may be late, and a busy machine slow
	}
	return err
}

// press presses the button; where WeChat gives no code, again, as the page asks for.
func (r *rusher) press(address string) (link string, err error) {
	for try := 1; ; try++ {
		link, _, err = r.ask(http.MethodPost, address, nil)
		if err == nil && strings.Contains(link, "pre_auth_code=") || !r.hostile || try == 20 {
			return link, err
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// ask makes one request and returns where it leads and the page. A status that
// tells of an error is one.
func (r *rusher) ask(method, address string, form url.Values) (location, page string, err error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("X-Forwarded-For", r.address)
	req.Header.Set("User-Agent", wechatAgent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", err
	}
	if resp.StatusCode >= 400 {
		return "", "", fmt.Errorf("%s %s answered %d", method, req.URL.Path, resp.StatusCode)
	}
	to, err := req.URL.Parse(resp.Header.Get("Location"))
	if err != nil {
		return "", "", err
	}
	return to.String(), string(body), nil
}
