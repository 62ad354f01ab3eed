package main

import (
	"strings"
	"testing"

	"usher/internal/chromium"
)

// flags lead Chromium to the server by its public name and make it trust the
// certificate.
func (n *nginx) flags() map[string]any {
	return map[string]any{
		"host-resolver-rules":                 "MAP " + publicHost + ":443 " + n.https + ", MAP " + publicHost + ":80 " + n.http,
		"ignore-certificate-errors-spki-list": n.key,
	}
}

// TestChromium_Nginx walks through nginx with the configuration of the manual,
// over https and HTTP/2 as merchants do.
func TestChromium_Nginx(t *testing.T) {
	program := chromium.Program(t)
	w, front := startBehindNginx(t)
	browser := chromium.Start(t, program, front.flags())
	w.ticket()
	desk, phone := newTab(t, browser, look{}), newTab(t, browser, look{agent: wechatAgent})
	desk.open("http://" + publicHost + "/")
	desk.until(`location.protocol === "https:"`)
	if got := ask[string](desk, `performance.getEntriesByType("navigation")[0].nextHopProtocol`); got != "h2" {
		t.Errorf("the browser speaks %q with nginx, want h2", got)
	}
	walkDeskAndPhone(w, desk, phone)
	for _, b := range []*tab{desk, phone} {
		w.cookies(b, "__Host-usher-session", true)
		for _, address := range b.shown() {
			if strings.Contains(address, w.address) {
				t.Errorf("nginx led a browser around itself, to %s", address)
			}
		}
	}
}
