package main

import (
	"cmp"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"golang.org/x/net/html"
)

// User agents of the browsers in the journeys.
const (
	desktopAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	wechatAgent  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.62(0x18003e2f) NetType/WIFI Language/zh_CN"
)

// browser is a browser without scripts: it keeps cookies, follows redirects,
// tells where it came from as the page's Referrer-Policy says, sends Origin and
// Sec-Fetch-Site, and submits forms.
type browser struct {
	t        *testing.T
	client   *http.Client
	agent    string
	language string
	old      bool // without Sec-Fetch-Site, as the kernels of old phones are

	at     *url.URL // of the page shown; nil before the first
	policy string   // its Referrer-Policy
	status int
	header http.Header
	body   string
	trail  []string // every address visited, in order
	shown  []shown  // every page, in order
}

// shown is a page as a browser got it, or what the picture of a code says.
type shown struct {
	at   *url.URL
	body string
}

// browser opens a new browser, whose pages are searched for secrets at the end.
func (w *world) browser(agent string) *browser {
	w.t.Helper()
	b := newBrowser(w.t, agent)
	w.browsers = append(w.browsers, b)
	return b
}

func newBrowser(t *testing.T, agent string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, agent: agent, language: "zh-CN", client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open enters an address by hand or scans it: no page before it.
func (b *browser) open(address string) *browser {
	b.t.Helper()
	b.at = nil
	return b.load(http.MethodGet, address, nil)
}

// refresh does what a page that waits does after a while: it loads itself again,
// or the address that its meta element names.
func (b *browser) refresh() *browser {
	b.t.Helper()
	for _, meta := range b.find("meta") {
		if kind, _ := attr(meta, "http-equiv"); strings.EqualFold(kind, "refresh") {
			content, _ := attr(meta, "content")
			if _, to, ok := strings.Cut(content, "url="); ok {
				return b.load(http.MethodGet, to, nil)
			}
		}
	}
	return b.open(b.at.String())
}

// click follows the first link of the page whose address contains part.
func (b *browser) click(part string) *browser {
	b.t.Helper()
	b.arrive(func() bool { return len(b.links(part)) > 0 })
	if all := b.links(part); len(all) > 0 {
		return b.load(http.MethodGet, all[0], nil)
	}
	b.t.Fatalf("%s has no link with %q:\n%s", b.at, part, b.body)
	return b
}

// links lists the addresses of the page's links that contain part.
func (b *browser) links(part string) []string {
	b.t.Helper()
	var all []string
	for _, link := range b.find("a") {
		if href, ok := attr(link, "href"); ok && strings.Contains(href, part) {
			all = append(all, href)
		}
	}
	return all
}

// submit fills in and sends the first form of the page whose action ends with
// action. Fields that change does not name are sent as the page filled them in;
// one that it names without a value is left out.
func (b *browser) submit(action string, change url.Values) *browser {
	b.t.Helper()
	for _, form := range b.find("form") {
		to, _ := attr(form, "action")
		if !strings.HasSuffix(strings.Split(to, "?")[0], action) {
			continue
		}
		values := fields(form)
		for name, v := range change {
			if _, there := values[name]; !there && len(v) > 0 && !hasField(form, name) {
				b.t.Fatalf("the form %s of %s has no field %q", action, b.at, name)
			}
			values[name] = v
		}
		method, _ := attr(form, "method")
		if strings.EqualFold(method, http.MethodPost) {
			return b.load(http.MethodPost, to, values)
		}
		return b.load(http.MethodGet, to+"?"+values.Encode(), nil)
	}
	b.t.Fatalf("%s has no form with action %q:\n%s", b.at, action, b.body)
	return b
}

// load goes to address, which may be relative to the page, and on to wherever it
// redirects.
func (b *browser) load(method, address string, values url.Values) *browser {
	b.t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	from, policy, site := b.at, b.policy, "none"
	if from != nil {
		to = from.ResolveReference(to)
	}
	for range 10 {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(values.Encode())
		}
		r, err := http.NewRequestWithContext(b.t.Context(), method, to.String(), body)
		if err != nil {
			b.t.Fatal(err)
		}
		r.Header.Set("User-Agent", b.agent)
		r.Header.Set("Accept-Language", b.language)
		if from != nil {
			if site != "cross-site" { // once left, a chain of redirects stays cross-site
				site = fetchSite(from, to)
			}
			if ref := referrer(policy, from, to); ref != "" {
				r.Header.Set("Referer", ref)
			}
		}
		if !b.old {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", from.Scheme+"://"+from.Host)
		}
		resp, err := b.client.Do(r)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		b.trail = append(b.trail, to.String())
		next := resp.Header.Get("Location")
		if resp.StatusCode < 300 || resp.StatusCode > 399 || next == "" {
			b.at, b.policy = to, resp.Header.Get("Referrer-Policy")
			b.status, b.header, b.body = resp.StatusCode, resp.Header, string(text)
			b.shown = append(b.shown, shown{to, b.body})
			b.readCodes()
			return b
		}
		policy = cmp.Or(resp.Header.Get("Referrer-Policy"), policy)
		if to, err = to.Parse(next); err != nil {
			b.t.Fatal(err)
		}
		method, values = http.MethodGet, nil
	}
	b.t.Fatalf("too many redirects: %q", b.trail)
	return b
}

// readCodes loads the codes of the page and notes what they say, each once.
func (b *browser) readCodes() {
	b.t.Helper()
	for _, img := range b.find("img") {
		src, _ := attr(img, "src")
		at := b.at.ResolveReference(&url.URL{Path: src})
		if !strings.HasSuffix(src, "/qr.png") || slices.ContainsFunc(b.shown, func(s shown) bool { return *s.at == *at }) {
			continue
		}
		resp, err := b.client.Get(at.String())
		if err != nil {
			b.t.Fatal(err)
		}
		picture, err := png.Decode(resp.Body)
		resp.Body.Close()
		if err != nil {
			b.t.Fatalf("%s: %v", at, err)
		}
		text, err := readCode(picture, gozxing.DecodeHintType_PURE_BARCODE)
		if err != nil {
			b.t.Fatalf("%s: %v", at, err)
		}
		b.shown = append(b.shown, shown{at, text})
	}
}

// referrer is the Referer that a browser sends from one page to another.
func referrer(policy string, from, to *url.URL) string {
	origin := from.Scheme + "://" + from.Host + "/"
	same := from.Scheme == to.Scheme && from.Host == to.Host
	switch policy {
	case "no-referrer":
		return ""
	case "origin":
		return origin
	case "same-origin":
		if !same {
			return ""
		}
	default: // strict-origin-when-cross-origin
		if !same {
			return origin
		}
	}
	page := *from
	page.Fragment, page.User = "", nil
	return page.String()
}

// fetchSite is the Sec-Fetch-Site of a request. Two hosts of these tests are
// never two names of one site.
func fetchSite(from, to *url.URL) string {
	switch {
	case from.Scheme == to.Scheme && from.Host == to.Host:
		return "same-origin"
	case from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}

// expect fails the test unless the page has this status and holds all texts,
// with character references resolved.
func (b *browser) expect(status int, texts ...string) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s answered %d, want %d:\n%s", b.at, b.status, status, b.body)
	}
	lacks := func(text string) bool { return !strings.Contains(html.UnescapeString(b.body), text) }
	b.arrive(func() bool { return !slices.ContainsFunc(texts, lacks) })
	for _, text := range texts {
		if lacks(text) {
			b.t.Errorf("%s lacks %q:\n%s", b.at, text, b.body)
		}
	}
	return b
}

// arrive waits for what the page is to have while the page says that permissions are
// being read: whoever comes back from WeChat is shown that after three seconds, which
// are not enough on a busy machine.
func (b *browser) arrive(has func() bool) {
	b.t.Helper()
	for late := time.Now().Add(time.Minute); !has() && time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
		if !strings.Contains(b.body, "正在读取权限") && !strings.Contains(b.body, "Reading permissions") {
			return
		}
		b.refresh()
	}
}

// find lists the elements of the page with this tag, in order.
func (b *browser) find(tag string) []*html.Node {
	b.t.Helper()
	doc, err := html.ParseWithOptions(strings.NewReader(b.body), html.ParseOptionEnableScripting(false))
	if err != nil {
		b.t.Fatal(err)
	}
	return elements(doc, tag)
}
