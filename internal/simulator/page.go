package simulator

import (
	"bytes"
	"embed"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// The addresses of the authorization pages.
const (
	pcPath    = "/cgi-bin/componentloginpage"
	h5Path    = "/wxaopen/safe/bindcomponent"
	oldH5Path = "/safe/bindcomponent"
)

//go:embed templates
var templateFiles embed.FS

var pages = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// render buffers the page first, so that a template that fails half way does not
// leave half a page behind.
func (s *Simulator) render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		s.cfg.Log.Error("page failed", "page", name, "err", err)
		http.Error(w, "page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeHTML(w, status, b.String())
}

// refuse shows WeChat's error page. Real ones come with status 200.
func (s *Simulator) refuse(w http.ResponseWriter, no *refusal) {
	s.render(w, http.StatusOK, "refusal.html", map[string]string{"Text": no.text, "Note": no.note})
}

// pageHandler answers for mp.weixin.qq.com and open.weixin.qq.com.
func (s *Simulator) pageHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pcPath, s.openLink)
	mux.HandleFunc("GET "+h5Path, s.openLink)
	mux.HandleFunc("GET "+oldH5Path, s.openLink)
	mux.HandleFunc("GET /sim/scan/{id}", s.consentForm)
	mux.HandleFunc("POST /sim/scan/{id}", s.consentAnswer)
	mux.HandleFunc("GET /sim/scan/{id}/cancel", s.cancelPage)
	mux.HandleFunc("GET /sim/scan/{id}/wait", s.waitPage)
	mux.HandleFunc("GET /sim/scan/{id}/state", s.waitState)
	mux.HandleFunc("GET /sim/scan/{id}/qr.png", s.scanCode)
	mux.HandleFunc("GET /sim/head/{file}", s.headImage)
	mux.HandleFunc("GET /sim/code/{file}", s.accountCode)
	return mux
}

// openLink is the page behind an authorization link. On the PC page the desktop
// waits while a phone decides; the phone's link asks at once.
func (s *Simulator) openLink(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	sc, no := s.parseLink(r.URL.Path, r.URL.Query())
	if no == nil {
		no = s.checkHosts(sc, r.Referer(), sc.desktop || !s.options.H5RefererUnchecked)
	}
	if no == nil && !sc.desktop && s.options.WeChatBrowserOnly && !strings.Contains(r.UserAgent(), "MicroMessenger") {
		no = &refusal{"请在微信客户端打开链接", "浏览器不是微信"}
	}
	if no == nil {
		s.scans[sc.id] = sc
	}
	s.mu.Unlock()
	switch {
	case no != nil:
		s.refuse(w, no)
	case sc.desktop:
		s.showWait(w, sc.id)
	default:
		s.showConsent(w, sc, "")
	}
}

// checkHosts applies the rule that the page the person came from and the one
// they return to are both on the registered 授权发起页域名.
func (s *Simulator) checkHosts(sc *scan, referer string, checkReferer bool) *refusal {
	const text = "请确认授权入口页所在域名，与授权后回调页所在域名相同，并且，此两者都必须与申请第三方平台时填写的授权发起页域名相同。授权入口页所在域名："
	domain := hostName(s.cfg.LaunchDomain)
	from := "空"
	if u, err := url.Parse(referer); err == nil && u.Host != "" {
		from = u.Hostname()
	}
	switch {
	case domain == "":
		return &refusal{text + from, "还没有登记授权发起页域名"}
	case checkReferer && !strings.EqualFold(from, domain):
		return &refusal{text + from, "应来自 " + domain}
	case !strings.EqualFold(sc.redirect.Hostname(), domain):
		return &refusal{text + from, "redirect_uri 应在 " + domain + "，而不是 " + sc.redirect.Hostname()}
	}
	return nil
}

// hostName strips a port, which the console field does not have but a local
// address does.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// scanOf finds the scan in the address, or answers that there is none.
func (s *Simulator) scanOf(w http.ResponseWriter, r *http.Request) *scan {
	s.mu.Lock()
	sc := s.scans[r.PathValue("id")]
	s.mu.Unlock()
	if sc == nil {
		s.refuse(w, &refusal{"页面已失效", "没有这次扫码"})
	}
	return sc
}

// waitPage is what the desktop reloads while the phone decides, and where it is
// sent back from. It has no Referer to check: it was opened by the PC page.
func (s *Simulator) waitPage(w http.ResponseWriter, r *http.Request) {
	sc := s.scanOf(w, r)
	if sc == nil {
		return
	}
	s.mu.Lock()
	to := sc.returnTo
	no := s.checkPreAuthCode(sc.preAuthCode)
	done := sc.done
	s.mu.Unlock()
	switch {
	case to != "":
		http.Redirect(w, r, to, http.StatusFound)
	case !done && no != nil:
		s.refuse(w, no)
	default:
		s.showWait(w, sc.id)
	}
}

func (s *Simulator) showWait(w http.ResponseWriter, id string) {
	s.render(w, http.StatusOK, "wait.html", map[string]string{"ID": id})
}

// waitState tells the PC page's script whether it is time to go.
func (s *Simulator) waitState(w http.ResponseWriter, r *http.Request) {
	sc := s.scanOf(w, r)
	if sc == nil {
		return
	}
	s.mu.Lock()
	done := sc.returnTo != "" || !sc.done && s.checkPreAuthCode(sc.preAuthCode) != nil
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, encodeJSON(object{"go": done}))
}

// scanCode is the QR code of the PC page; it holds the phone's address.
func (s *Simulator) scanCode(w http.ResponseWriter, r *http.Request) {
	sc := s.scanOf(w, r)
	if sc == nil {
		return
	}
	s.mu.Lock()
	link := s.base(r) + "/sim/scan/" + sc.id
	s.mu.Unlock()
	s.writeCode(w, link)
}

func (s *Simulator) writeCode(w http.ResponseWriter, text string) {
	png, err := qrcode.Encode(text, qrcode.Medium, 320)
	if err != nil {
		http.Error(w, "code failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(png)
}
