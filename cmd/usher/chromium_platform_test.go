package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"usher/internal/admin"
	"usher/internal/chromium"
	"usher/internal/config"
	"usher/internal/simulator"
)

// TestChromium_Platform walks the console's pages about the platform.
func TestChromium_Platform(t *testing.T) {
	browser := chromium.Start(t, chromium.Program(t), nil)
	for name, test := range map[string]func(*testing.T, context.Context){
		"first run to first merchant":       chromiumFirstRun,
		"tickets stop and come back":        chromiumTickets,
		"what is wrong, by the page's word": chromiumFindings,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

// firstRun starts a site without admins and credentials, and returns the link that
// it prints.
func firstRun(t *testing.T, o options) (*world, string) {
	t.Helper()
	given := o.config
	o.config = func(c *config.Config) {
		c.Secret, c.PushToken, c.AESKey = config.Hide(""), config.Hide(""), config.Hide("")
		if given != nil {
			given(c)
		}
	}
	w := startAll(t, o)
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	w.restartWith(func(p *program) {
		p.setup = func(ctx context.Context, admins *admin.Service) error {
			return printSetup(ctx, admins, w.base, &printed)
		}
	})
	return w, mustFind(t, setupAddress.String(), printed.String())
}

// fill types into a field.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(`[name="`+name+`"]`), text))
}

// press sends the form with this action.
func (b *tab) press(action string) {
	b.t.Helper()
	b.click(`form[action="` + action + `"] button[type=submit]`)
}

// letIn signs a new owner in.
func (w *world) letIn(b *tab) {
	w.t.Helper()
	_, out := w.shell("admin", "create", "陈晓")
	b.open(mustFind(w.t, setupAddress.String(), out))
	b.fill("password", adminPassword)
	b.fill("repeat", adminPassword)
	b.press("/admin/setup")
	b.until(`location.pathname === "/admin" || location.pathname === "/admin/wizard"`)
	b.said() // what a page that does not exist yet complains about
}

func chromiumFirstRun(t *testing.T, browser context.Context) {
	w, link := firstRun(t, options{quiet: true})
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9"} })
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	desk.open(link)
	desk.fill("name", "陈晓")
	desk.fill("password", adminPassword)
	desk.fill("repeat", adminPassword)
	desk.press("/admin/setup")

	// The way leads into the wizard, at the first step that is not done.
	desk.at("/admin/wizard")
	desk.sees("从外面打得开这个网址")
	desk.press("/admin/wizard/address")
	desk.sees("3 · 填写 AppSecret")

	// Values of the wrong shape come back without what was typed.
	desk.fill("secret-component_secret", "short")
	desk.fill("secret-push_token", pushToken)
	desk.fill("secret-aes_key", pushKey)
	desk.press("/admin/wizard/credentials")
	desk.until(`document.querySelector(".errors a[href='#secret-component_secret']") !== null`)
	if typed := ask[string](desk, `document.querySelector("[name=secret-aes_key]").value`); typed != "" {
		t.Errorf("the form came back with the key in it")
	}

	// WeChat looks at our address first.
	desk.fill("secret-component_secret", "notthesecretofthisplatform")
	desk.fill("secret-push_token", pushToken)
	desk.fill("secret-aes_key", pushKey)
	desk.press("/admin/wizard/credentials")
	desk.sees("微信拒绝了来自 127.0.0.1 的请求（61004）")
	desk.sees("4 · 出口 IP 已加入白名单")
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"127.0.0.1"} })
	desk.press("/admin/wizard/push")

	// Then at the secret.
	desk.sees("微信不接受 AppSecret（40125）")
	desk.sees("3 · 填写 AppSecret")
	desk.fill("secret-component_secret", platformSecret)
	desk.press("/admin/wizard/credentials")
	desk.sees("5 · 收到第一张票据")
	for _, value := range []string{w.base + "/wechat/events", w.base + "/wechat/messages/$APPID$", strings.TrimPrefix(w.base, "http://")} {
		if !ask[bool](desk, fmt.Sprintf(`Array.from(document.querySelectorAll(".field input")).some(function (i) { return i.value === %q; })`, value)) {
			t.Errorf("the step does not offer %s", value)
		}
	}

	// The ticket moves the page on by itself, even when it is left and opened again.
	desk.open(w.base + "/admin")
	desk.said()
	desk.open(w.base + "/admin/wizard")
	desk.sees("已请微信推送")
	w.ticket()
	desk.sees("6 · 选默认申请的权限")
	desk.fill("sets", "17|18|30")
	desk.press("/admin/wizard/sets")
	desk.sees("7 · 用自己的账号试一次")
	desk.press("/admin/wizard/try")
	desk.until(`document.querySelector("#try-link") !== null`)

	phone.open(ask[string](desk, `document.querySelector("#try-link").value`))
	desk.sees("手机已打开")
	phone.click(goOn)
	phone.click(`input[value="` + simulator.TeaHouse + `"]`)
	phone.click(agree)
	phone.at("/done/")
	desk.sees("接好了")
	desk.sees("7 / 7 完成")
	w.holds(simulator.TeaHouse)

	desk.open(w.base + "/admin/health")
	desk.sees("一切正常")
	desk.quiet()
}

func chromiumTickets(t *testing.T, browser context.Context) {
	c := &clock{}
	w := startAll(t, c.options())
	b := newTab(t, browser, look{})
	w.letIn(b)
	b.open(w.base + "/admin/health")
	b.sees("无法工作")
	b.sees("从没收到票据")
	w.ticket()
	b.sees("一切正常") // by itself
	loaded := len(b.shown())
	c.advance(25 * time.Minute)
	b.sees("票据晚了")
	b.sees("变旧")
	if now := len(b.shown()); now != loaded {
		t.Errorf("the page was loaded %d times to say so", now-loaded)
	}
	b.open(w.base + "/admin/health") // a person looks, or the session would end
	c.advance(25 * time.Minute)
	b.open(w.base + "/admin/health")
	c.advance(25 * time.Minute)
	b.sees("有 1 个问题")
	b.sees("票据已 75 分钟没有更新，10 小时后停止工作。")
	w.ticket()
	b.sees("一切正常")
	if words := ask[string](b, `document.querySelector("[data-part=beat] .vh").textContent`); !strings.Contains(words, "缺失") || strings.Contains(words, "，0 格缺失") {
		t.Errorf("the strip says %q after an hour of silence", words)
	}
	b.quiet()

	// Nobody at work: the page does not keep the session alive, and says so.
	c.advance(admin.IdleLife + time.Minute)
	b.at("/admin/sign-in")
}

func chromiumFindings(t *testing.T, browser context.Context) {
	w := startAll(t, options{quiet: true})
	b := newTab(t, browser, look{width: 375, height: 812, dark: true})
	w.letIn(b)
	w.ticket()
	b.open(w.base + "/admin/health")
	b.sees("一切正常")
	b.press("/admin/health/check")
	b.sees("检查过了")
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = []string{"203.0.113.9"} })
	b.press("/admin/health/check")
	b.sees("微信拒绝了来自 127.0.0.1 的请求（61004）。")
	b.until(`document.querySelector("#paste-address").value === "127.0.0.1"`)
	w.sim.Change(func(o *simulator.Options) { o.AllowedIPs = nil })
	w.sim.RotateSecret()
	b.press("/admin/health/check")
	b.sees("微信不接受 AppSecret（40125）")
	b.until(`!document.body.innerText.includes("微信拒绝了来自")`)
	if wide := ask[bool](b, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page is wider than the phone")
	}
	b.open(w.base + "/admin/health/quota")
	b.press("/admin/health/quota")
	b.sees("api_create_preauthcode")
	b.open(w.base + "/admin/health/quota/clear")
	b.press("/admin/health/quota/clear")
	b.sees("微信拒绝了 clear_quota/v2（40125）")
	b.quiet()
}
