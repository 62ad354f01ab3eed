package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"usher/internal/simulator"
)

// TestWizard_WithoutScript goes from an empty database to the first merchant with
// forms and links alone, in English. The search for secrets at the end of the test
// covers every page on the way.
func TestWizard_WithoutScript(t *testing.T) {
	c := &clock{}
	w, link := firstRun(t, c.options())
	b := w.browser(desktopAgent)
	b.open(link+"&lang=en").submit("/admin/setup", url.Values{"name": {"Chen Xiao"}, "password": {adminPassword}, "repeat": {adminPassword}})
	b.expect(http.StatusOK, "Setup wizard", "2 · Public address can be reached")
	b.submit("/admin/wizard/address", nil).expect(http.StatusOK, "3 · Enter AppSecret")
	b.submit("/admin/wizard/credentials", url.Values{"secret-component_secret": {platformSecret}, "secret-push_token": {pushToken}, "secret-aes_key": {pushKey}})
	b.expect(http.StatusOK, "5 · First ticket arrives", w.base+"/wechat/events")

	c.advance(11 * time.Minute)
	b.refresh().expect(http.StatusOK, "Nothing after 10 minutes", "Usual causes: wrong URL")
	w.ticket()
	b.refresh().expect(http.StatusOK, "6 · Choose the default permissions")
	b.submit("/admin/wizard/sets", url.Values{"sets": {"17|x"}}).expect(http.StatusUnprocessableEntity, "6 · Choose the default permissions")
	b.submit("/admin/wizard/sets", url.Values{"sets": {"17|18"}}).expect(http.StatusOK, "7 · Try it with an account of your own")
	b.submit("/admin/wizard/try", nil)
	invite := mustFind(t, w.base+`/i/[0-9A-Z]+`, b.body)

	phone := w.browser(wechatAgent)
	phone.open(invite).submit("/go", nil).submit("", url.Values{"account": {simulator.TeaHouse}}).expect(http.StatusOK, "授权完成")
	w.holds(simulator.TeaHouse)
	c.advance(5 * time.Second) // accounts are counted every few seconds
	b.open(w.base+"/admin/wizard").expect(http.StatusOK, "All set", "7 of 7 done")
	b.open(w.base+"/admin/health").expect(http.StatusOK, "All good", "1 <small>account</small>")
}
