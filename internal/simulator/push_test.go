package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/simulator"
)

// kinds is the InfoTypes of events, joined.
func kinds(events []event) string {
	var list []string
	for _, e := range events {
		list = append(list, e.InfoType)
	}
	return strings.Join(list, " ")
}

func TestUpdateAndRevoke(t *testing.T) {
	c := start(t).ready()
	first := c.authorize(simulator.TeaHouse, 18)
	before := c.pushed()
	if got := kinds(before); got != "authorized" {
		t.Fatalf("first authorization pushed %q", got)
	}
	if c.authorize(simulator.TeaHouse, 18) == first {
		t.Error("authorizing again gave the same code")
	}
	if got := c.pushed(); len(got) != 0 {
		t.Errorf("authorizing the same sets again pushed %+v, want nothing", got)
	}
	code := c.authorize(simulator.TeaHouse, 18, 30)
	if got := c.pushed(); kinds(got) != "updateauthorized" || got[0].Code != code || got[0].PreAuth == before[0].PreAuth || got[0].PreAuth == "" {
		t.Errorf("authorizing other sets pushed %+v", got)
	}
	truth, _ := c.sim.Account(simulator.TeaHouse)
	if err := c.sim.ChangePermissions(t.Context(), simulator.TeaHouse, []int{30, 18}); err != nil || len(c.pushed()) != 0 {
		t.Errorf("saving the same sets in the console pushed something, or %v", err)
	}
	if err := c.sim.ChangePermissions(t.Context(), simulator.TeaHouse, []int{17}); err != nil {
		t.Fatal(err)
	}
	got := c.pushed()
	if kinds(got) != "updateauthorized" || got[0].PreAuth == truth.PreAuthCode || sets(t, info(c.exchange(got[0].Code))) != "[17]" {
		t.Errorf("saving other sets pushed %+v", got)
	}
	if err := c.sim.ChangePermissions(t.Context(), simulator.TeaHouse, []int{1}); err == nil {
		t.Error("a Mini Program could grant set 1")
	}
	if err := c.sim.Revoke(t.Context(), simulator.TeaHouse); err != nil {
		t.Fatal(err)
	}
	if got := c.pushed(); kinds(got) != "unauthorized" || got[0].Account != simulator.TeaHouse || got[0].Code != "" {
		t.Errorf("leaving pushed %+v", got)
	}
	if err := c.sim.Revoke(t.Context(), simulator.TeaHouse); err == nil {
		t.Error("leaving twice gave no error")
	}
	if got := errcode(c.refresh(simulator.TeaHouse, truth.RefreshToken)); got != 61003 {
		t.Errorf("refresh after leaving: errcode %d, want 61003", got)
	}
	c.authorize(simulator.TeaHouse, 18)
	if got := kinds(c.pushed()); got != "authorized" {
		t.Errorf("coming back pushed %q, want authorized", got)
	}
}

func TestSilentAuthorization(t *testing.T) {
	c := start(t).ready()
	if err := c.sim.AuthorizeSilently(t.Context(), simulator.WeChatShop, nil); err != nil {
		t.Fatal(err)
	}
	if got := c.pushed(); kinds(got) != "authorized" || got[0].PreAuth != "" || sets(t, info(c.exchange(got[0].Code))) != "[129 130 131 132]" {
		t.Errorf("pushed %+v", got)
	}
	for _, account := range []string{simulator.MiniGame, simulator.Frozen, simulator.Banned, "wx1"} {
		if err := c.sim.AuthorizeSilently(t.Context(), account, nil); err == nil {
			t.Errorf("AuthorizeSilently(%q) gave no error", account)
		}
	}
}

func TestConsentErrors(t *testing.T) {
	c := start(t).ready()
	good := c.link(h5)
	tests := []struct {
		name, link, account string
		ids                 []int
		want                string
	}{
		{"elsewhere", c.link(pc, "redirect_uri", "https://evil.example/"), simulator.TeaHouse, nil, "请确认授权入口页所在域名"},
		{"no account", good, "", nil, "请选择要授权的账号"},
		{"set held elsewhere", good, simulator.TakenElsewhere, []int{18}, "无效的权限"},
		{"agree", good, simulator.TeaHouse, nil, ""},
		{"twice", good, simulator.Takeaway, nil, "PreAuthCode 失效"},
	}
	for _, tt := range tests {
		to, err := c.sim.Consent(simulator.Consent{Link: tt.link, AppID: tt.account, Permissions: tt.ids})
		if tt.want == "" && (err != nil || to == "") || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || to != "") {
			t.Errorf("%s: Consent = %q, %v; want error %q", tt.name, to, err, tt.want)
		}
	}
}

func TestDeliveryNeedsExactSuccess(t *testing.T) {
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   string
	}{
		{"line end", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "success\n") }, `answered "success\n" instead of success`},
		{"JSON", func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"errcode":0}`) }, "instead of success"},
		{"204", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }, "status 204"},
		{"500", func(w http.ResponseWriter) { w.WriteHeader(500); _, _ = io.WriteString(w, "success") }, "status 500"},
		{"cut", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "no answer: EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t)
			c.answer = tt.answer
			if err := c.sim.PushTicket(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "signature") {
				t.Errorf("PushTicket = %v, want %q and no query", err, tt.want)
			}
			if got := c.sim.Deliveries(); len(got) != 1 || !strings.Contains(got[0].Outcome, tt.want) {
				t.Errorf("Deliveries = %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestPushFaults(t *testing.T) {
	c := start(t).ready()
	set := func(p simulator.PushFaults) {
		t.Helper()
		if err := c.sim.SetFaults(simulator.Faults{Push: p}); err != nil {
			t.Fatal(err)
		}
	}
	set(simulator.PushFaults{Drop: 1})
	c.authorize(simulator.TeaHouse)
	c.authorize(simulator.Takeaway)
	if got := c.pushed(); len(got) != 1 || got[0].Account != simulator.Takeaway {
		t.Errorf("after dropping one: %+v", got)
	}
	set(simulator.PushFaults{DropShare: 100})
	c.authorize(simulator.Personal)
	if got := c.pushed(); len(got) != 0 {
		t.Errorf("dropping all: %+v", got)
	}
	set(simulator.PushFaults{Duplicate: 2, Skew: -time.Hour})
	c.authorize(simulator.MiniShop)
	if got := c.pushed(); len(got) != 3 || got[0] != got[2] || got[0].Created != 1_800_000_000-3600 {
		t.Errorf("with two duplicates an hour old: %+v", got)
	}
	set(simulator.PushFaults{Delay: time.Minute})
	c.authorize(simulator.ServiceAccount)
	if got := c.pushed(); len(got) != 0 || c.sim.Truth().Pending != 1 {
		t.Errorf("delayed: %+v, pending %d", got, c.sim.Truth().Pending)
	}
	c.sim.AdvanceClock(time.Minute)
	c.answer = func(w http.ResponseWriter) {
		if n := c.sim.Truth().Pending; n != 1 {
			t.Errorf("while it is sent %d are pending", n)
		}
		_, _ = w.Write([]byte("success"))
	}
	if err := c.sim.Deliver(t.Context()); err != nil || kinds(c.pushed()) != "authorized" || c.sim.Truth().Pending != 0 {
		t.Errorf("after the delay nothing came, or %v; %d are pending", err, c.sim.Truth().Pending)
	}
	set(simulator.PushFaults{Retries: 2, RetryPace: time.Second})
	c.answer = func(w http.ResponseWriter) { w.WriteHeader(500) }
	if err := c.sim.PushTicket(t.Context()); err == nil {
		t.Error("a refused push gave no error")
	}
	for try := range 4 {
		c.sim.AdvanceClock(time.Second)
		if err := c.sim.Deliver(t.Context()); (err != nil) != (try < 2) {
			t.Errorf("repetition %d: %v", try+1, err)
		}
	}
	if got := len(c.pushed()); got != 3 {
		t.Errorf("with two repetitions a refused push came %d times, want 3", got)
	}
	for _, bad := range []simulator.PushFaults{{Retries: 4}, {Drop: -1}, {DropShare: 101}, {Delay: -1}} {
		if err := c.sim.SetFaults(simulator.Faults{Push: bad}); err == nil {
			t.Errorf("SetFaults(%+v) gave no error", bad)
		}
	}
}

func TestSetKeys(t *testing.T) {
	c := start(t)
	const newToken, newKey = "anotherToken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	if err := c.sim.SetKeys(newToken, "short"); err == nil {
		t.Error("SetKeys accepted a short key")
	}
	if err := c.sim.SetKeys(newToken, newKey); err != nil {
		t.Fatal(err)
	}
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: appID, Token: newToken, AESKey: newKey})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 1)
	c.app.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, rest, _ := strings.Cut(string(body), "<Encrypt><![CDATA[")
		encrypt, _, _ := strings.Cut(rest, "]]>")
		plain, err := crypt.Open(encrypt)
		q := r.URL.Query()
		if err != nil || q.Get("msg_signature") != crypt.Signature(q.Get("timestamp"), q.Get("nonce"), encrypt) {
			t.Errorf("the new keys do not open the push: %v", err)
		}
		seen <- string(plain)
		_, _ = io.WriteString(w, "success")
	})
	if err := c.sim.PushTicket(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; !strings.Contains(got, "component_verify_ticket") {
		t.Errorf("pushed %q", got)
	}
}
