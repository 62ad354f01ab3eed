package simulator_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/internal/simulator"
)

const (
	pc     = "/cgi-bin/componentloginpage"
	h5     = "/wxaopen/safe/bindcomponent"
	oldH5  = "/safe/bindcomponent"
	ours   = "https://merchant.example.com/"
	wechat = "Mozilla/5.0 (iPhone) AppleWebKit MicroMessenger/8.0"
)

// open fetches a page as a browser that comes from referer; it follows no
// redirects. It returns the body and where it was sent.
func (c *client) open(path, referer, agent string, form ...string) (body, location string) {
	c.t.Helper()
	method, content := http.MethodGet, ""
	if form != nil {
		values := url.Values{}
		for i := 0; i < len(form); i += 2 {
			values.Add(form[i], form[i+1])
		}
		method, content = http.MethodPost, values.Encode()
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.wx.URL+path, strings.NewReader(content))
	if err != nil {
		c.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if referer != "" {
		req.Header.Set("Referer", referer)
	}
	req.Header.Set("User-Agent", agent)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b), resp.Header.Get("Location")
}

// find returns the first group of pattern in text.
func find(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %q in:\n%s", pattern, text)
	}
	return html.UnescapeString(m[1])
}

func TestLinkChecks(t *testing.T) {
	const domainText = "请确认授权入口页所在域名，与授权后回调页所在域名相同，并且，此两者都必须与申请第三方平台时填写的授权发起页域名相同。授权入口页所在域名："
	tests := []struct {
		name, path, referer string
		change              []string // parameters
		want                string   // in the page
	}{
		{"PC", pc, ours, nil, "使用微信扫描二维码"},
		{"PC, port and case of the host do not matter", pc, "http://MERCHANT.example.com:8080/c/1", nil, "使用微信扫描二维码"},
		{"PC without Referer", pc, "", nil, domainText + "空"},
		{"PC from elsewhere", pc, "https://other.example.com/", nil, domainText + "other.example.com"},
		{"PC, redirect elsewhere", pc, ours, []string{"redirect_uri", "https://other.example.com/cb"}, domainText + "merchant.example.com"},
		{"redirect without scheme", pc, ours, []string{"redirect_uri", "merchant.example.com/cb"}, "参数错误"},
		{"H5", h5, ours, []string{"action", "bindcomponent", "no_scan", "1"}, "同意授权"},
		{"H5 without action", h5, ours, nil, "同意授权"},
		{"H5, wrong action", h5, ours, []string{"action", "bind"}, "参数错误"},
		{"H5, wrong no_scan", h5, ours, []string{"no_scan", "0"}, "参数错误"},
		{"H5 without Referer", h5, "", nil, domainText + "空"},
		{"old H5", oldH5, ours, nil, "同意授权"},
		{"unknown platform", pc, ours, []string{"component_appid", "wx1"}, "第三方平台不存在"},
		{"unknown code", pc, ours, []string{"pre_auth_code", "preauthcode@@@x"}, "PreAuthCode 无效"},
		{"no code", pc, ours, []string{"pre_auth_code", ""}, "pre_auth_code 为空"},
		{"empty biz_appid", pc, ours, []string{"biz_appid", ""}, "biz_appid 为空"},
		{"empty category_id_list", pc, ours, []string{"category_id_list", ""}, "category_id_list 为空"},
		{"auth_type 7", pc, ours, []string{"auth_type", "7"}, "auth_type 不是文档中的值"},
		{"set of the wrong kind", pc, ours, []string{"auth_type", "1", "category_id_list", "18"}, "该第三方平台指定了无效的权限"},
		{"one set of the wrong kind among good ones", pc, ours, []string{"auth_type", "2", "category_id_list", "18|1"}, "该第三方平台指定了无效的权限"},
		{"set that the platform lacks", pc, ours, []string{"category_id_list", "26"}, "该第三方平台指定了无效的权限"},
		{"sets joined by a comma", pc, ours, []string{"category_id_list", "18,30"}, "该第三方平台指定了无效的权限"},
		{"sets of both kinds", pc, ours, []string{"category_id_list", "18|1"}, "使用微信扫描二维码"},
		{"biz_appid decides the kind", h5, ours, []string{"auth_type", "1", "biz_appid", simulator.TeaHouse, "category_id_list", "18"}, "山茶花茶舍"},
		{"biz_appid of a frozen account", h5, ours, []string{"biz_appid", simulator.Frozen}, "该第三方平台仅支持指定账号「" + simulator.Frozen + "」进行授权"},
	}
	c := start(t).ready()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if body, _ := c.open(c.link(tt.path, tt.change...), tt.referer, wechat); !strings.Contains(body, tt.want) {
				t.Errorf("page lacks %q:\n%s", tt.want, body)
			}
		})
	}
	t.Run("parameter missing", func(t *testing.T) {
		u, _ := url.Parse(c.link(pc))
		q := u.Query()
		q.Del("auth_type")
		if body, _ := c.open(pc+"?"+q.Encode(), ours, wechat); !strings.Contains(body, "缺少 auth_type") {
			t.Errorf("page:\n%s", body)
		}
	})
	t.Run("parameter twice", func(t *testing.T) {
		if body, _ := c.open(c.link(pc)+"&auth_type=2", ours, wechat); !strings.Contains(body, "auth_type 出现了多次") {
			t.Errorf("page:\n%s", body)
		}
	})
	t.Run("expired code", func(t *testing.T) {
		link := c.link(pc)
		c.sim.AdvanceClock(30 * time.Minute)
		if body, _ := c.open(link, ours, wechat); !strings.Contains(body, "PreAuthCode 失效") {
			t.Errorf("page:\n%s", body)
		}
	})
}

func TestPhoneLinkSwitches(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.H5RefererUnchecked, o.WeChatBrowserOnly = true, true })
	if body, _ := c.open(c.link(h5), "", wechat); !strings.Contains(body, "同意授权") {
		t.Errorf("without Referer where that is allowed:\n%s", body)
	}
	if body, _ := c.open(c.link(h5), ours, "Mozilla/5.0 Chrome/130"); !strings.Contains(body, "请在微信客户端打开链接") {
		t.Errorf("in another browser:\n%s", body)
	}
	if body, _ := c.open(c.link(pc), "", wechat); !strings.Contains(body, "域名：空") {
		t.Errorf("the PC page without Referer:\n%s", body)
	}
}

func TestChooser(t *testing.T) {
	tests := []struct {
		name   string
		change []string
		want   string // appids offered, in order
	}{
		{"Official Accounts", []string{"auth_type", "1"}, simulator.ServiceAccount + simulator.Subscription + simulator.OldAccount + simulator.NoAPI},
		{"Mini Programs", []string{"auth_type", "2"}, simulator.TeaHouse + simulator.Takeaway + simulator.Personal + simulator.MiniShop + simulator.TakenElsewhere + simulator.Hostile},
		{"Channels", []string{"auth_type", "5"}, simulator.ChannelsLive},
		{"sales assistant", []string{"auth_type", "8"}, simulator.TalentHelper},
		{"one account", []string{"auth_type", "1", "biz_appid", simulator.Takeaway}, simulator.Takeaway},
		{"only those that can give set 18", []string{"auth_type", "3", "category_id_list", "18"}, simulator.TeaHouse + simulator.Takeaway + simulator.Personal + simulator.MiniShop + simulator.Hostile},
	}
	c := start(t).ready()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body, _ := c.open(c.link(h5, tt.change...), ours, wechat)
			got := ""
			for _, m := range regexp.MustCompile(`name="account" value="(wx[0-9a-f]{16})"`).FindAllStringSubmatch(body, -1) {
				got += m[1]
			}
			if got != tt.want {
				t.Errorf("offered %s, want %s", got, tt.want)
			}
		})
	}
	body, _ := c.open(c.link(h5, "biz_appid", simulator.TakenElsewhere), ours, wechat)
	if !strings.Contains(body, `disabled><span>小程序开发与数据分析 <small>「渡口书店」已把这项互斥权限授权给「青藤云建站」`) || strings.Contains(body, `name="permission" value="18"`) {
		t.Errorf("set 18 held elsewhere is not shown as such:\n%s", body)
	}
	if strings.Contains(body, "<script>alert") {
		t.Error("a nickname reached the page as markup")
	}
}

func TestUnpublished(t *testing.T) {
	c := start(t).ready()
	c.sim.Change(func(o *simulator.Options) { o.Unpublished = true })
	if body, _ := c.open(c.link(h5), ours, wechat); !strings.Contains(body, "未全网发布") {
		t.Errorf("page:\n%s", body)
	}
	c.sim.Change(func(o *simulator.Options) { o.TestList = []string{"gh_8c1f40d7a2be"} })
	if body, _ := c.open(c.link(h5), ours, wechat); !strings.Contains(body, "山茶花茶舍") || strings.Contains(body, "山茶花外卖") {
		t.Errorf("page:\n%s", body)
	}
}
